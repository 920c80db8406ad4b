/* Every op's output, gradients and running statistics against PyTorch's (tests/golden/ops.py, which
 * has the same shapes and value rule), on every kernel table. */
#include "core/base/parallel.h"
#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "tests/unit/trial.h"
#include "tests/unit/unit.h"

#include "tests/golden/ops.h"

enum rule { PLAIN, POSITIVE, COARSE, WIDE, FAR, LABEL }; /* as in ops.py */

struct golden_case {
    const char *name;
    struct trial_case trial;
    enum rule rule[OP_INPUTS];
};

#define VECTOR(c)  \
    {              \
        1, 1, 1, c \
    }
#define NORM \
    .in = { { 3, 2, 3, 5 }, VECTOR(5), VECTOR(5), VECTOR(5), VECTOR(5) }, .no_grad = 1 << 3 | 1 << 4
#define LOGITS .in = { { 4, 1, 1, 7 }, { 4, 1, 1, 1 } }, .no_grad = 1 << 1

static const struct golden_case cases[] = {
    { "add", { OP_add, .in = { { 2, 2, 2, 3 }, { 2, 2, 2, 3 } } }, { 0 } },
    { "add_scaled",
      { OP_add, .in = { { 2, 2, 2, 3 }, { 2, 2, 2, 3 } },
        .attr = &(struct add_attr){ { 1, 0.17 } } },
      { 0 } },
    { "avg_pool_ceil",
      { OP_avg_pool, .in = { { 2, 6, 5, 3 } }, .attr = &(struct pool_attr){ 3, 2, .ceil = true } },
      { 0 } },
    { "avg_pool_ceil_padded",
      { OP_avg_pool, .in = { { 1, 4, 6, 3 } },
        .attr = &(struct pool_attr){ 3, 2, 1, .ceil = true } },
      { 0 } },
    { "avg_pool_exclude",
      { OP_avg_pool, .in = { { 2, 4, 5, 3 } },
        .attr = &(struct pool_attr){ 3, 1, 1, .exclude_pad = true } },
      { 0 } },
    { "avg_pool",
      { OP_avg_pool, .in = { { 2, 4, 5, 3 } }, .attr = &(struct pool_attr){ 3, 2, .pad = 1 } },
      { 0 } },
    { "avg_pool_2",
      { OP_avg_pool, .in = { { 1, 4, 5, 3 } }, .attr = &(struct pool_attr){ .size = 2 } },
      { 0 } },
    { "batch_norm", { OP_batch_norm, NORM }, { PLAIN, POSITIVE, PLAIN, PLAIN, POSITIVE } },
    { "batch_norm_far", { OP_batch_norm, NORM }, { FAR, POSITIVE, PLAIN, PLAIN, POSITIVE } },
    { "batch_norm_eval",
      { OP_batch_norm, NORM, .evaluation = true },
      { PLAIN, POSITIVE, PLAIN, PLAIN, POSITIVE } },
    { "channel_shuffle",
      { OP_channel_shuffle, .in = { { 2, 2, 1, 12 } },
        .attr = &(struct channel_shuffle_attr){ 3 } },
      { 0 } },
    { "concat", { OP_concat, .in = { { 2, 2, 1, 3 }, { 2, 2, 1, 1 }, { 2, 2, 1, 2 } } }, { 0 } },
    { "conv2d",
      { OP_conv2d, .in = { { 2, 5, 4, 3 }, { 3, 3, 3, 4 }, VECTOR(4) },
        .attr = &(struct conv2d_attr){ .stride = 2, .pad = PADDING(1) } },
      { 0 } },
    { "conv2d_1x1", { OP_conv2d, .in = { { 2, 3, 2, 5 }, { 1, 1, 5, 6 } } }, { 0 } },
    { "conv2d_7x7",
      { OP_conv2d, .in = { { 1, 8, 7, 3 }, { 7, 7, 3, 2 } },
        .attr = &(struct conv2d_attr){ .stride = 2, .pad = PADDING(3) } },
      { 0 } },
    { "conv2d_groups",
      { OP_conv2d, .in = { { 1, 4, 4, 6 }, { 3, 3, 3, 4 }, VECTOR(4) },
        .attr = &(struct conv2d_attr){ .pad = PADDING(1), .groups = 2 } },
      { 0 } },
    { "conv2d_depthwise",
      { OP_conv2d, .in = { { 1, 4, 5, 5 }, { 3, 3, 1, 5 } },
        .attr = &(struct conv2d_attr){ .stride = 2, .pad = PADDING(1), .groups = 5 } },
      { 0 } },
    { "flatten", { OP_flatten, .in = { { 2, 2, 3, 5 } } }, { 0 } },
    { "flatten_linear",
      { OP_linear, .in = { { 2, 1, 1, 30 }, { 2, 3, 5, 4 }, VECTOR(4) } },
      { 0 } },
    { "global_avg_pool", { OP_global_avg_pool, .in = { { 2, 3, 2, 5 } } }, { 0 } },
    { "global_max_pool", { OP_global_max_pool, .in = { { 2, 3, 2, 5 } } }, { COARSE } },
    { "linear", { OP_linear, .in = { { 3, 1, 1, 6 }, { 1, 1, 6, 5 }, VECTOR(5) } }, { 0 } },
    { "linear_no_bias", { OP_linear, .in = { { 2, 1, 1, 4 }, { 1, 1, 4, 3 } } }, { 0 } },
    { "max_pool",
      { OP_max_pool, .in = { { 2, 5, 4, 3 } }, .attr = &(struct pool_attr){ 3, 2, .pad = 1 } },
      { COARSE } },
    { "max_pool_overlap",
      { OP_max_pool, .in = { { 1, 4, 4, 3 } }, .attr = &(struct pool_attr){ 2, 1, .pad = 0 } },
      { COARSE } },
    { "max_pool_ceil",
      { OP_max_pool, .in = { { 2, 5, 6, 3 } }, .attr = &(struct pool_attr){ 3, 2, .ceil = true } },
      { COARSE } },
    { "maximum", { OP_maximum, .in = { { 2, 3, 2, 5 }, { 2, 3, 2, 5 } } }, { COARSE, COARSE } },
    { "pad_channels",
      { OP_pad_channels, .in = { { 2, 5, 3, 3 } }, .attr = &(struct pad_channels_attr){ 8, 2 } },
      { 0 } },
    { "relu", { OP_relu, .in = { { 2, 3, 2, 5 } } }, { COARSE } },
    { "relu6", { OP_relu6, .in = { { 2, 3, 2, 5 } } }, { WIDE } },
    { "scale_channels", { OP_scale_channels, .in = { { 2, 2, 3, 5 }, { 2, 1, 1, 5 } } }, { 0 } },
    { "scale_channels_map",
      { OP_scale_channels, .in = { { 2, 2, 3, 5 }, { 2, 2, 3, 5 } } },
      { 0 } },
    { "shake_eval",
      { OP_shake, .in = { { 2, 3, 2, 5 }, { 2, 3, 2, 5 } },
        .attr = &(struct shake_attr){ .backward = SHAKE_SHAKE }, .evaluation = true },
      { 0 } },
    { "sigmoid", { OP_sigmoid, .in = { { 2, 3, 2, 5 } } }, { 0 } },
    { "softmax_loss", { OP_softmax_loss, LOGITS }, { PLAIN, LABEL } },
    { "softmax_loss_smooth",
      { OP_softmax_loss, LOGITS, .attr = &(struct softmax_loss_attr){ 0.1 } },
      { PLAIN, LABEL } },
    { "tanh", { OP_tanh, .in = { { 2, 3, 2, 5 } } }, { 0 } },
};
enum { CASES = sizeof cases / sizeof *cases, RESULTS = sizeof op_golden / sizeof *op_golden };

static double value(uint32_t n) { return (n * 2654435761u >> 8) / 0x1p24 - 0.5; }

static void fill(float *x, size_t len, uint32_t start, enum rule rule)
{
    for (size_t i = 0; i < len; i++) {
        double v = value(start + (uint32_t)i);
        const double made[] = { [PLAIN] = v,
                                [POSITIVE] = 1 + v,
                                [COARSE] = (int)(v * 4) / 4.0,
                                [WIDE] = 16 * ((int)(v * 16) / 16.0),
                                [FAR] = 300 + v,
                                [LABEL] = (double)(i * 7 % 7) };
        x[i] = (float)made[rule];
    }
}

/* Where a trial holds the result that ops.py calls `what`. */
static const struct tensor *result_of(const struct trial *t, int what, const float **values)
{
    const struct tensor *x = what == 0 ? &t->out : &t->in[what < 10 ? what - 1 : what - 10];
    *values = what == 0 || what >= 10 ? x->data : x->grad;
    return x;
}

/* Float against float64, to `tolerance` of the largest value and of 1 where that is larger. */
static void check_values(const struct op_golden *g, const float *got, double tolerance)
{
    double scale = 1;
    for (size_t i = 0; i < g->len; i++) scale = fmax(scale, fabs((double)g->values[i]));
    for (size_t i = 0; i < g->len; i++)
        ck_assert_msg(fabs((double)(got[i] - g->values[i])) <= tolerance * scale,
                      "%s (%s): result %d [%zu] is %.9g, PyTorch's %.9g", g->name, kernels->isa,
                      g->what, i, (double)got[i], (double)g->values[i]);
}

static void check(const struct trial *t, const struct op_golden *g, double tolerance)
{
    const float *got;
    const struct tensor *x = result_of(t, g->what, &got);
    ck_assert_msg(got && tensor_len(x) == g->len, "%s: result %d has other shapes", g->name,
                  g->what);
    check_values(g, got, tolerance);
}

/* From far away a x + b rounds at 1000. */
static double tolerance_of(const struct golden_case *c) { return c->rule[0] == FAR ? 2e-4 : 2e-6; }

static void check_case(const struct golden_case *c)
{
    double tolerance = tolerance_of(c);
    struct trial t;
    int found = 0;
    trial_begin(&t, &c->trial);
    for (int i = 0; i < t.n_in; i++)
        fill(t.in[i].data, tensor_len(&t.in[i]), 1000 * (uint32_t)i, c->rule[i]);
    fill(t.out.grad, tensor_len(&t.out), 9000, PLAIN);
    t.op->forward(&t.call);
    float *out = malloc(tensor_len(&t.out) * sizeof *out);
    memcpy(out, t.out.data, tensor_len(&t.out) * sizeof *out);
    trial_backward(&t);
    memcpy(t.out.data, out, tensor_len(&t.out) * sizeof *out);
    for (int i = 0; i < RESULTS; i++)
        if (strcmp(op_golden[i].name, c->name) == 0) {
            check(&t, &op_golden[i], tolerance);
            found++;
        }
    ck_assert_msg(found >= 2, "no results of PyTorch for %s", c->name);
    free(out);
    trial_end(&t);
}

START_TEST(ops_equal_pytorch)
{
    parallel_use(1);
    for (int k = 0; kernels_at(k); k++) {
        kernels_use(kernels_at(k)->isa);
        for (int i = 0; i < CASES; i++) check_case(&cases[i]);
    }
}
END_TEST

/* A batch norm behind a convolution that copies x, and before a product with the gradient that its
 * output is to have: a graph that runs it fused, on the sums of the convolution. */
struct fused_norm_case {
    struct graph *graph;
    struct tensor *in[5], *y, *dy;
    const struct param *params[5];
};

static struct tensor *fused_norm_param(struct graph *g, const char *name, enum param_kind kind,
                                       const int shape[4])
{
    const struct param p = { .name = name, .kind = kind };
    return graph_param(g, &p, shape[0], shape[1], shape[2], shape[3]);
}

static struct fused_norm_case fused_norm_graph(const struct trial_case *c)
{
    static const char *const names[] = { "x", "scale", "shift", "mean", "variance" };
    static const enum param_kind kinds[] = { PARAM_CONV, PARAM_NORM, PARAM_NORM, PARAM_STATE,
                                             PARAM_STATE };
    struct fused_norm_case f = { .graph = graph_create() };
    const int channels = c->in[0][3], copy[4] = { 1, 1, channels, channels };
    struct err e;
    for (int i = 0; i < 5; i++) f.in[i] = fused_norm_param(f.graph, names[i], kinds[i], c->in[i]);
    struct tensor *w = fused_norm_param(f.graph, "w", PARAM_CONV, copy);
    f.dy = graph_input(f.graph, "dy", c->in[0][0], c->in[0][1], c->in[0][2], channels);
    struct tensor *u = graph_apply(f.graph, &op_conv2d, &(struct conv2d_attr){ .stride = 1 },
                                   (struct tensor *[OP_INPUTS]){ f.in[0], w }, NULL, &e);
    f.y = graph_apply(f.graph, &op_batch_norm, &(struct batch_norm_attr){ 0, 0 },
                      (struct tensor *[OP_INPUTS]){ u, f.in[1], f.in[2], f.in[3], f.in[4] }, NULL,
                      &e);
    ck_assert(graph_apply(f.graph, &op_scale_channels, NULL,
                          (struct tensor *[OP_INPUTS]){ f.y, f.dy }, NULL, &e) != NULL);
    ck_assert_msg(graph_plan(f.graph, true, (struct tensor *[]){ f.y, NULL }, &e), "%s", e.text);
    float *weights = graph_weights(f.graph, NULL);
    for (size_t i = 0; i < graph_param_count(f.graph); i++) {
        const struct param *p = graph_param_at(f.graph, i);
        for (int k = 0; p->tensor == w && k < channels; k++)
            weights[p->at + (size_t)(k * channels + k)] = 1;
    }
    return f;
}

static bool saw_fused_norm;
static void watch_fused_norm(void *ctx, const struct node *n, bool backward)
{
    (void)ctx, (void)backward;
    saw_fused_norm |= n && strcmp(n->op->name, "fused_batch_norm") == 0;
}

static void check_fused_norm(const struct golden_case *c)
{
    struct fused_norm_case f = fused_norm_graph(&c->trial);
    const bool training = !c->trial.evaluation;
    for (int i = 0; i < 5; i++)
        fill(f.in[i]->data, tensor_len(f.in[i]), 1000 * (uint32_t)i, c->rule[i]);
    fill(f.dy->data, tensor_len(f.dy), 9000, PLAIN);
    saw_fused_norm = false;
    graph_watch(f.graph, &(struct graph_watch){ NULL, watch_fused_norm });
    graph_forward(f.graph, &(struct step){ .training = training });
    ck_assert(saw_fused_norm);
    if (training) graph_backward(f.graph);
    for (int i = 0; i < RESULTS; i++) {
        const struct op_golden *g = &op_golden[i];
        if (strcmp(g->name, c->name) != 0) continue;
        if (g->what == 0)
            check_values(g, f.y->data, tolerance_of(c));
        else if (g->what >= 10)
            check_values(g, f.in[g->what - 10]->data, tolerance_of(c));
        else if (training)
            check_values(g, f.in[g->what - 1]->grad, tolerance_of(c));
    }
    graph_destroy(f.graph);
}

START_TEST(fused_batch_norms_equal_pytorch)
{
    for (int k = 0; kernels_at(k); k++) {
        kernels_use(kernels_at(k)->isa);
        for (int i = 0; i < CASES; i++)
            if (cases[i].trial.op == OP_batch_norm) check_fused_norm(&cases[i]);
    }
    kernels_use(NULL);
}
END_TEST

/* Normalised channels have a standard deviation of 1, however far from 0 their mean is: from a
 * running mean that knows nothing and from one that is right. */
static void check_far(double ratio, bool known)
{
    static const struct trial_case shape = {
        .in = { { 4, 16, 16, 5 }, VECTOR(5), VECTOR(5), VECTOR(5), VECTOR(5) }
    };
    struct fused_norm_case f = fused_norm_graph(&shape);
    struct rng r = rng_stream(5, RNG_TEST, 0, 0);
    const size_t len = tensor_len(f.y), pixels = len / 5;
    for (size_t i = 0; i < len; i++) f.in[0]->data[i] = (float)(ratio + rng_normal(&r));
    for (int j = 0; j < 5; j++) {
        f.in[1]->data[j] = 1, f.in[2]->data[j] = 0, f.in[4]->data[j] = 1;
        f.in[3]->data[j] = known ? (float)ratio : 0;
    }
    graph_forward(f.graph, &(struct step){ .training = true });
    for (size_t j = 0; j < 5; j++) {
        double sum = 0, square = 0;
        for (size_t i = j; i < len; i += 5) {
            const double y = (double)f.y->data[i];
            sum += y, square += y * y;
        }
        const double mean = sum / (double)pixels, sd = sqrt(square / (double)pixels - mean * mean);
        ck_assert_msg(fabs(sd - 1) < 1e-5, "%s: sd %.9g at mean / sd = %g", kernels->isa, sd,
                      ratio);
    }
    graph_destroy(f.graph);
}

START_TEST(fused_batch_norms_bear_far_means)
{
    static const double ratios[] = { 0, 1, 3, 4, 5, 10, 30, 100, 300, 1000, 3000 };
    for (int k = 0; kernels_at(k); k++) {
        kernels_use(kernels_at(k)->isa);
        for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
            check_far(ratios[i], false);
            check_far(ratios[i], true);
        }
    }
    kernels_use(NULL);
}
END_TEST

/* Dropout draws numbers of its own: test_dropout.c. */
START_TEST(every_op_and_result_has_a_case)
{
    for (int op = 0; op < OPS_COUNT; op++) {
        int found = op == OP_dropout;
        for (int i = 0; i < CASES; i++) found += (int)cases[i].trial.op == op;
        ck_assert_msg(found, "%s has no golden case", ops[op]->name);
    }
    for (int r = 0; r < RESULTS; r++) {
        int found = 0;
        for (int i = 0; i < CASES; i++) found += strcmp(cases[i].name, op_golden[r].name) == 0;
        ck_assert_msg(found, "%s has no case", op_golden[r].name);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("ops against PyTorch");
    unit_case(s, "golden", 30,
              UNIT_TESTS(ops_equal_pytorch, fused_batch_norms_equal_pytorch,
                         fused_batch_norms_bear_far_means, every_op_and_result_has_a_case));
    return s;
}
