/* What the program computes is pinned: a digest for each op, kernel family, network, optimiser,
 * schedule and source of data, on each instruction set that this machine runs. Where one moves, a
 * run ends in other bits, and ids may no longer be the same: the version of the numerics
 * (core/base/numerics.h) must be raised. Then, from the root of the tree,
 *
 *   SENET_EXP_GOLDEN=1 build/tests/unit/test_numerics
 *
 * pins the new ones in tests/golden/numerics/ISA.txt, a line a case. It refuses where digests moved
 * and the version did not; lines of new cases it adds. Files of instruction sets that the machine
 * lacks must be pinned on one that has them. While a version has made no record yet, remove its
 * files first to pin it again. */
#include "core/data/resample.h"
#include "tests/rig.h"
#include "tests/unit/op_cases.h"
#include "tests/unit/pins.h"
#include "tests/unit/settings.h"
#include "tests/unit/small_nets.h"

enum { STEPS = 3 };

/* ", as bf16" or "" */
static const char *precision_name(bool half) { return half ? ", as bf16" : ""; }

static const char *case_name(struct pool *p, const struct trial_case *c)
{
    const char *name = ops[c->op]->name;
    for (int i = 0; i < OP_INPUTS && c->in[i][0]; i++)
        name = pool_textf(p, "%s%s%dx%dx%dx%d", name, i ? ", " : " of ", c->in[i][0], c->in[i][1],
                          c->in[i][2], c->in[i][3]);
    return name;
}

static void pin_case(struct pins *p, const char *name, struct trial_case c)
{
    for (int half = 0; half < 2; half++) {
        c.bf16 = half;
        pin(p, pool_textf(&p->pool, "%s%s", name, precision_name(half)), trial_digest(&c));
    }
}

static void pin_ops(struct pins *p)
{
    for (int i = 0; i < OP_CASES; i++)
        pin_case(p, pool_textf(&p->pool, "op %s", case_name(&p->pool, &op_cases[i])), op_cases[i]);
}

/* Every family of convolution kernels, at sizes that leave part of a tile over. */
static const struct conv_family {
    const char *name;
    int size, c, k, kernel, stride, groups;
} conv_families[] = {
    { "3x3 of stride 1", 18, 32, 48, 3, 1, 1 },
    { "3x3 of stride 1, few channels", 11, 6, 10, 3, 1, 1 },
    { "3x3 of stride 2", 17, 32, 48, 3, 2, 1 },
    { "1x1", 15, 72, 40, 1, 1, 1 },
    { "1x1, many channels", 7, 520, 136, 1, 1, 1 },
    { "1x1 of stride 2", 15, 72, 40, 1, 2, 1 },
    { "5x5", 13, 16, 24, 5, 1, 1 },
    { "7x7 of stride 2, the stem", 37, 3, 24, 7, 2, 1 },
    { "3x3 in groups of 4", 15, 64, 64, 3, 1, 16 },
    { "3x3 in groups of 8", 15, 64, 64, 3, 1, 8 },
    { "3x3 in groups of 32", 15, 64, 64, 3, 1, 2 },
    { "3x3 of stride 2 in groups of 4", 15, 64, 64, 3, 2, 16 },
    { "3x3 of stride 2 in groups of 8", 15, 64, 64, 3, 2, 8 },
    { "3x3 of stride 2 in groups of 32", 15, 64, 64, 3, 2, 2 },
    { "3x3 depthwise", 19, 40, 40, 3, 1, 40 },
    { "3x3 depthwise of stride 2", 19, 40, 40, 3, 2, 40 },
};
enum { CONV_FAMILIES = sizeof conv_families / sizeof *conv_families };

static void pin_convolutions(struct pins *p)
{
    for (int i = 0; i < CONV_FAMILIES; i++) {
        const struct conv_family *f = &conv_families[i];
        const struct conv2d_attr attr = { f->stride, PADDING(f->kernel / 2), f->groups };
        struct trial_case c = {
            OP_conv2d,
            .in = { { 3, f->size, f->size - 1, f->c },
                    { f->kernel, f->kernel, f->c / f->groups, f->k },
                    { 1, 1, 1, f->k } },
            .attr = &attr,
        };
        pin_case(p, pool_textf(&p->pool, "convolution %s", f->name), c);
    }
}

/* The ends of a network. */
struct ends {
    struct graph *graph;
    struct tensor *images, *labels, *logits, *loss;
};

static void images_draw(const struct ends *n, uint64_t seed)
{
    struct rng r = rng_stream(seed, RNG_TEST, 1, 0);
    for (size_t i = 0; i < tensor_len(n->images); i++) n->images->data[i] = (float)rng_normal(&r);
    for (int i = 0; i < n->images->n; i++) n->labels->data[i] = (float)(i % CLASSES);
}

/* Some steps of SGD with momentum; a digest of every loss, and of weights and statistics. */
static void steps_add(struct digest *d, const struct ends *n)
{
    size_t len;
    graph_weights(n->graph, &len);
    float *state = mem_new(len, sizeof *state);
    void *s = mem_new(1, optimizer_sgd.settings_size);
    fields_default(optimizer_sgd.fields, s);
    for (uint64_t i = 0; i < STEPS; i++) {
        images_draw(n, i);
        graph_forward(n->graph, &(struct step){ .training = true, .seed = 5, .index = i });
        graph_backward(n->graph);
        optimizer_sgd.step(s, n->graph, state, 0.05);
        ck_assert(isfinite(n->loss->data[0])); /* NaNs would look alike whatever led to them */
        digest_add(d, n->loss->data, sizeof(float));
    }
    uint64_t weights = graph_weights_digest(n->graph);
    digest_add(d, &weights, sizeof weights);
    free(state);
    free(s);
}

/* The logits of an evaluation with the weights of `trained`. */
static void evaluation_add(struct digest *d, const struct ends *n, struct graph *trained)
{
    size_t weights, states;
    const float *w = graph_weights(trained, &weights), *s = graph_states(trained, &states);
    memcpy(graph_weights(n->graph, NULL), w, weights * sizeof *w);
    memcpy(graph_states(n->graph, NULL), s, states * sizeof *s);
    images_draw(n, 99);
    graph_forward(n->graph, &(struct step){ .seed = 5 });
    digest_add(d, n->logits->data, tensor_bytes(n->logits));
}

static uint64_t ends_digest(const struct ends *training, const struct ends *evaluation)
{
    struct digest *d = digest_create();
    steps_add(d, training);
    evaluation_add(d, evaluation, training->graph);
    graph_destroy(training->graph);
    graph_destroy(evaluation->graph);
    return digest_end(d);
}

static struct ends ends_of(const struct network *w, const struct se_settings *se, unsigned how)
{
    struct model_net n = build(w, se, how);
    return (struct ends){ n.graph, n.images, n.labels, n.logits, n.loss };
}

static const char *const hows[] = {
    [0] = ", unfused", [FUSED] = "", [BF16] = ", unfused, as bf16", [FUSED | BF16] = ", as bf16"
};
static const unsigned steps_how[] = { 0, FUSED, BF16, FUSED | BF16 };
enum { HOWS = sizeof steps_how / sizeof *steps_how };

/* "network resnet50, SE avg sigmoid pre" */
static const char *network_name(struct pool *p, const struct network *w,
                                const struct se_settings *se)
{
    static const char *const squeezes[] = {
#define SQUEEZE(id, name, apply) name,
#include "core/nn/se.def"
    };
    static const char *const excitations[] = {
#define EXCITATION(id, name, apply) name,
#include "core/nn/se.def"
    };
    static const char *const placements[] = {
#define PLACEMENT(id, name) name,
#include "core/nn/se.def"
    };
    char *name = pool_textf(p, "network %s%s%s", w->backbone, w->options ? ", " : "",
                            w->options ? w->options : "");
    for (char *c = name; *c; c++) *c = *c == '=' ? ' ' : *c;
    if (!se_any(se)) return name;
    return pool_textf(p, "%s, SE %s %s %s", name, squeezes[se->squeeze],
                      excitations[se->excitation], placements[se->placement]);
}

static void pin_network(struct pins *p, const struct network *w, const struct se_settings *se)
{
    for (int h = 0; h < HOWS; h++) {
        unsigned how = steps_how[h];
        struct ends training = ends_of(w, se, how | TRAINING), evaluation = ends_of(w, se, how);
        const char *name = pool_textf(&p->pool, "%s%s", network_name(&p->pool, w, se), hows[how]);
        pin(p, name, ends_digest(&training, &evaluation));
    }
}

static void pin_networks(struct pins *p)
{
    struct se_settings se;
    fields_default(se_fields, &se);
    se.reduction = (struct se_reduction){ .all = 0 };
    for (int i = 0; i < networks_count(); i++) pin_network(p, network_at(i), &se);
    se.reduction = (struct se_reduction){ .all = 4 };
    for (int i = 0; i < networks_count(); i++)
        for (se.placement = 0; se.placement < SE_PLACEMENTS; se.placement++)
            if (network_at(i)->pinned && network_has(network_at(i), se.placement))
                pin_network(p, network_at(i), &se);
    se.placement = SE_STANDARD;
    for (se.squeeze = 0; se.squeeze < SE_SQUEEZES; se.squeeze++)
        for (se.excitation = 0; se.excitation < SE_EXCITATIONS; se.excitation++)
            pin_network(p, network_of("resnet8"), &se);
}

/* Three times convolution -> batch norm -> ReLU, so that convolutions read through norms and leave
 * sums, the middle one with stride 2; then dropout and a classifier. width: channels of a group. */
static struct ends chain_build(int width, unsigned how)
{
    enum { CHANNELS = 64, SIZE = 14, BATCH = 4 };
    struct conv_layer first = { .channels = CHANNELS, .kernel = 1 };
    struct conv_layer middle = { CHANNELS, .kernel = 3, .stride = 2, .groups = CHANNELS / width };
    struct conv_layer last = { CHANNELS, .kernel = 3, .groups = CHANNELS / width };
    struct net n = { .graph = graph_create() };
    struct ends e = { .graph = n.graph };
    e.images = graph_input(n.graph, "images", BATCH, SIZE, SIZE, 3);
    e.labels = graph_input(n.graph, "labels", BATCH, 1, 1, 1);
    struct tensor *x = nn_conv(&n, e.images, "conv1", first);
    x = nn_conv(&n, nn_relu(&n, nn_batch_norm(&n, x, "bn1")), "conv2", middle);
    x = nn_conv(&n, nn_relu(&n, nn_batch_norm(&n, x, "bn2")), "conv3", last);
    x = nn_global_avg_pool(&n, nn_relu(&n, nn_batch_norm(&n, x, "bn3")));
    e.logits = nn_linear(&n, nn_dropout(&n, x, 0.2), "fc",
                         (struct linear_layer){ .out = CLASSES, .bias = true });
    e.loss = nn_softmax_loss(&n, e.logits, e.labels, 0.1);
    ck_assert_msg(!n.failed, "%s", n.e.text);
    graph_fuse(n.graph, how & FUSED);
    graph_bf16(n.graph, how & BF16);
    struct tensor *keep[] = { e.logits, e.loss, NULL };
    ck_assert_msg(graph_plan(n.graph, how & TRAINING, keep, &n.e), "%s", n.e.text);
    graph_init(n.graph, 7);
    return e;
}

static void pin_chains(struct pins *p)
{
    static const int widths[] = { 1, 4, 8, 32, 64 };
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int h = 0; h < HOWS; h++) {
            unsigned how = steps_how[h];
            struct ends training = chain_build(widths[i], how | TRAINING);
            struct ends evaluation = chain_build(widths[i], how);
            const char *name =
                pool_textf(&p->pool, "chain in groups of %d%s", widths[i], hows[how]);
            pin(p, name, ends_digest(&training, &evaluation));
        }
}

/* Initial weights of every kind. */
static void pin_init(struct pins *p)
{
    struct ends e = chain_build(8, FUSED);
    pin(p, "initial weights", graph_weights_digest(e.graph));
    graph_destroy(e.graph);
}

/* Steps of an optimiser along drawn gradients, clipped. nesterov: set where it is a setting. */
static uint64_t optimizer_digest(const struct optimizer *o, bool nesterov)
{
    struct ends e = chain_build(8, FUSED | TRAINING);
    size_t len;
    struct rng r = rng_stream(6, RNG_TEST, 0, 0);
    graph_weights(e.graph, &len);
    float *state = mem_new(len * (size_t)o->state_per_weight + 1, sizeof *state);
    float *g = graph_gradients(e.graph);
    void *s = mem_new(1, o->settings_size + 1);
    fields_default(o->fields, s);
    if (nesterov) setting(o->fields, s, "nesterov", "true");
    for (int i = 0; i < STEPS; i++) {
        for (size_t k = 0; k < len; k++) g[k] = (float)rng_normal(&r);
        gradients_clip(e.graph, 10);
        o->step(s, e.graph, state, 0.1 / (1 + i));
    }
    uint64_t digest = graph_weights_digest(e.graph);
    free(state);
    free(s);
    graph_destroy(e.graph);
    return digest;
}

static void pin_optimizers(struct pins *p)
{
    for (const struct optimizer *const *o = optimizers; *o; o++) {
        pin(p, pool_textf(&p->pool, "optimiser %s", (*o)->name), optimizer_digest(*o, false));
        if (field_named((*o)->fields, "nesterov"))
            pin(p, pool_textf(&p->pool, "optimiser %s, nesterov", (*o)->name),
                optimizer_digest(*o, true));
    }
}

static void pin_schedules(struct pins *p)
{
    for (const struct schedule *const *c = schedules; *c; c++) {
        struct digest *d = digest_create();
        void *s = mem_new(1, (*c)->settings_size);
        fields_default((*c)->fields, s);
        setting((*c)->fields, s, "warmup_epochs", "2.5");
        for (int i = 0; i < 700; i++) {
            double factor = (*c)->factor(s, i / 7.0, 100);
            digest_add(d, &factor, sizeof factor);
        }
        free(s);
        pin(p, pool_textf(&p->pool, "schedule %s", (*c)->name), digest_end(d));
    }
}

/* Two epochs on made-up images, with everything that a run has. */
static const struct rig_request run_request = {
    .format = "synthetic",
    .format_settings = { "size", "12", "classes", "7", "train", "192", "test", "40" },
    .backbone = "resnet8",
    .reduction = 4,
    .validation = 32,
    .augment = true,
    .epochs = 2,
    .batch = 32,
    .lr = 0.05,
    .warmup_epochs = 1,
    .weight_decay = 5e-4,
    .label_smoothing = 0.1,
    .clip_norm = 5,
    .seed = 11,
};

static const char more_images[] = "185"; /* 32 to validate, four batches and one of 25 */

/* images: made, NULL: those of the request. */
static void pin_run(struct pins *p, int precision, const char *images)
{
    struct rig_request q = run_request;
    if (images) q.format_settings[5] = images;
    struct rig r;
    struct err e;
    struct train_result result;
    q.precision = precision;
    rig_make(&r, &q);
    ck_assert_msg(train_run(&r.job, &result, &e), "%s", e.text);
    struct digest *d = digest_create();
    for (int i = 0; i < result.epochs; i++) {
        const struct epoch_record *h = &result.history[i];
        digest_add(d, &h->weights_digest, sizeof h->weights_digest);
        digest_add(d, (const double[]){ h->lr, h->train_loss, h->validation_loss },
                   3 * sizeof(double));
    }
    digest_add(d, &result.test.loss, sizeof result.test.loss);
    digest_add(d, result.test.predicted, result.test.count * sizeof *result.test.predicted);
    pin(p,
        pool_textf(&p->pool, "run%s%s", precision_name(precision == PRECISION_BF16),
                   images ? " short" : ""),
        digest_end(d));
    train_result_clear(&result);
    rig_clear(&r);
}

/* The batches of an epoch, all augmentation on that made-up images take. */
static void pin_batches(struct pins *p)
{
    struct rig r;
    struct err e;
    struct batch b;
    struct digest *d = digest_create();
    rig_make(&r, &run_request);
    r.augment.cutout = 3;
    struct loader *l = loader_create(&(struct loader_plan){ .data = &r.data,
                                                            .split = &r.split,
                                                            .view = &r.split.train,
                                                            .augment = &r.augment,
                                                            .batch_size = 32,
                                                            .seed = 4,
                                                            .threads = 1 });
    loader_begin(l, 3);
    while (loader_next(l, &b, &e) && b.count) {
        digest_add(d, b.images, (size_t)b.count * 12 * 12 * 3 * sizeof *b.images);
        digest_add(d, b.labels, (size_t)b.count * sizeof *b.labels);
    }
    loader_destroy(l);
    rig_clear(&r);
    pin(p, "batches", digest_end(d));
}

/* What random_resized_crop makes of an image. */
static void pin_resampling(struct pins *p)
{
    enum { HEIGHT = 40, WIDTH = 33, INTO = 16 };
    uint8_t rgb[HEIGHT * WIDTH * 3], out[INTO * INTO * 3];
    struct rng g = rng_stream(1, RNG_TEST, 0, 0);
    for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = (uint8_t)rng_below(&g, 256);
    struct resample *s =
        resample_create(HEIGHT, WIDTH, &(struct image_part){ 4.5, 8.25, 30.3, 20.1 }, INTO);
    for (int y = 0; y < HEIGHT; y++) resample_row(s, y, rgb + y * WIDTH * 3);
    resample_end(s, out);
    resample_destroy(s);
    pin(p, "resampling", digest_of(out, sizeof out));
}

START_TEST(test_numbers)
{
    struct pins p = { 0 };
    ck_assert_ptr_nonnull(kernels_use(kernels_at(_i)->isa));
    pin_ops(&p);
    pin_convolutions(&p);
    pin_init(&p);
    pin_optimizers(&p);
    pin_schedules(&p);
    pin_batches(&p);
    pin_resampling(&p);
    pin_chains(&p); /* parts before wholes: the first name in a failure is the culprit */
    pin_networks(&p);
    pin_run(&p, PRECISION_FP32, NULL);
    pin_run(&p, PRECISION_BF16, NULL);
    pin_run(&p, PRECISION_FP32, more_images);
    pin_run(&p, PRECISION_BF16, more_images);
    pins_settle(&p);
    pins_clear(&p);
    kernels_use(NULL);
}
END_TEST

/* Also of instruction sets that this machine lacks. */
START_TEST(test_every_isa_is_pinned)
{
    static const char *const isas[] = {
#define ISA(name, runs_here) #name,
#include "core/kernels/isas.def"
#undef ISA
    };
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        struct pins p = pins_read(isas[i]);
        ck_assert_msg(p.version == NUMERICS_VERSION,
                      "tests/golden/numerics/%s.txt is of version %d of the numerics, the program "
                      "of version %d: run " PINS_COMMAND " on a machine that has %s",
                      isas[i], p.version, NUMERICS_VERSION, isas[i]);
        pins_clear(&p);
    }
}
END_TEST

Suite *suite(void)
{
    int isas = 0;
    while (kernels_at(isas)) isas++;
    Suite *s = suite_create("numerics");
    TCase *c = tcase_create("numbers");
    tcase_set_timeout(c, 600);
    tcase_add_loop_test(c, test_numbers, 0, isas);
    suite_add_tcase(s, c);
    unit_case(s, "versions", 20, UNIT_TESTS(test_every_isa_is_pinned));
    return s;
}
