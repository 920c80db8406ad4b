/* A step of fewer images than a graph was planned for computes what a graph planned for just them
 * does, to the bit, in the memory of the larger batch. */
#include "core/base/digest.h"
#include "core/base/rng.h"
#include "core/kernels/kernels.h"
#include "tests/rig.h"
#include "tests/unit/unit.h"
#include <math.h>

enum { BATCH = 37 };

static const struct rig_request request = {
    .format = "synthetic",
    .format_settings = { "size", "16", "classes", "70", "train", "200", "test", "70" },
    .backbone = "resnet8",
    .reduction = 2,
    .epochs = 1,
    .batch = BATCH,
    .lr = 0.1,
    .label_smoothing = 0.1,
    .seed = 3,
};

/* Networks with different calls in them. In the gates weights are transposed for few images. */
static const struct {
    const char *backbone;
    int reduction, precision;
} kinds[] = {
    { "resnet8", 2, PRECISION_FP32 },
    { "resnet8", 2, PRECISION_BF16 },
    { "resnet8", 0, PRECISION_FP32 },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* So many images of made-up noise; behind them NaN, which nothing may read. */
static void feed(struct rig *r, int images)
{
    struct rng g = rng_stream(5, RNG_TEST, 0, 0);
    const struct tensor *x = r->net.images, *labels = r->net.labels;
    const size_t each = tensor_len(x) / (size_t)x->n;
    for (size_t i = 0; i < tensor_len(x); i++)
        x->data[i] = i < each * (size_t)images ? (float)rng_normal(&g) : NAN;
    for (int i = 0; i < labels->n; i++) labels->data[i] = i < images ? (float)(i * 7 % 70) : -1;
}

static uint64_t step_digest(struct rig *r, int images)
{
    size_t weights, states;
    struct graph *g = r->net.graph;
    struct digest *d = digest_create();
    graph_init(g, 4);
    feed(r, images);
    graph_forward(g, &(struct step){ .training = true, .seed = 1, .images = images });
    graph_backward(g);
    graph_weights(g, &weights);
    digest_add(d, r->net.loss->data, sizeof(float));
    digest_add(d, r->net.logits->data, (size_t)images * (size_t)r->net.logits->c * sizeof(float));
    digest_add(d, graph_gradients(g), weights * sizeof(float));
    const float *s = graph_states(g, &states);
    digest_add(d, s, states * sizeof(float));
    return digest_end(d);
}

/* train: images trained on, so that an epoch ends with train % batch of them. */
static void rig_for(struct rig *r, int kind, int batch, int train)
{
    struct rig_request q = request;
    q.backbone = kinds[kind].backbone;
    q.reduction = kinds[kind].reduction;
    q.precision = kinds[kind].precision;
    q.batch = batch;
    q.train_limit = train;
    rig_make(r, &q);
}

START_TEST(a_short_step_is_that_of_a_smaller_graph)
{
    static const int images[] = { 2, 3, 8, 16, 33, 36 };
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        struct rig whole, own;
        rig_for(&whole, _i, BATCH, BATCH + images[i]);
        rig_for(&own, _i, images[i], images[i]);
        const uint64_t want = step_digest(&own, images[i]), full = step_digest(&whole, BATCH);
        ck_assert_msg(step_digest(&whole, images[i]) == want, "%s: %d of %d images",
                      kinds[_i].backbone, images[i], BATCH);
        ck_assert_msg(step_digest(&whole, BATCH) == full, "%s: %d images after %d",
                      kinds[_i].backbone, BATCH, images[i]);
        rig_clear(&whole);
        rig_clear(&own);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("short");
    TCase *c = tcase_create("steps");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, a_short_step_is_that_of_a_smaller_graph, 0, KINDS);
    suite_add_tcase(s, c);
    return s;
}
