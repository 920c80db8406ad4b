/* Every pattern that core/graph/fuse.c knows, and those beside it that it must leave alone, as
 * small graphs: fused they give the loss, gradients, running statistics and predictions of the
 * plain graph, whatever the instruction set, the type of activations and the threads. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "tests/unit/small_nets.h"

enum { CHANNELS = 16, BATCH = 4, SIDE = 8 };

static struct tensor *conv_bn(struct net *n, struct tensor *x, const char *name, int kernel)
{
    char bn[32];
    snprintf(bn, sizeof bn, "%s_bn", name);
    x = nn_conv(n, x, name, (struct conv_layer){ .channels = CHANNELS, .kernel = kernel });
    return nn_batch_norm(n, x, bn);
}

static struct tensor *conv_bn_relu(struct net *n, struct tensor *x, const char *name, int kernel)
{
    return nn_relu(n, conv_bn(n, x, name, kernel));
}

static struct tensor *bn_relu_conv(struct net *n, struct tensor *x, const char *name)
{
    char bn[32];
    snprintf(bn, sizeof bn, "%s_bn", name);
    x = nn_relu(n, nn_batch_norm(n, x, bn));
    return nn_conv(n, x, name, (struct conv_layer){ .channels = CHANNELS, .kernel = 3 });
}

/* A gate of x's own channels: a linear layer on its squeeze. */
static struct tensor *gate_of(struct net *n, struct tensor *x, const char *name)
{
    const struct linear_layer layer = { .out = CHANNELS, .bias = true };
    return nn_sigmoid(n, nn_linear(n, nn_global_avg_pool(n, x), name, layer));
}

static struct tensor *gated(struct net *n, struct tensor *x, const char *name)
{
    return nn_scale_channels(n, x, gate_of(n, x, name));
}

static struct tensor *build_block(struct net *n, struct tensor *x)
{
    return nn_relu(n, nn_add(n, conv_bn(n, conv_bn_relu(n, x, "a", 3), "b", 3), x));
}

static struct tensor *build_two_norms(struct net *n, struct tensor *x)
{
    return nn_relu(n, nn_add(n, conv_bn(n, x, "a", 3), conv_bn(n, x, "b", 1)));
}

static struct tensor *build_se_standard(struct net *n, struct tensor *x)
{
    return nn_relu(n, nn_add(n, gated(n, conv_bn(n, x, "a", 3), "gate"), x));
}

static struct tensor *build_se_maximum(struct net *n, struct tensor *x)
{
    struct tensor *y = conv_bn(n, x, "a", 3);
    struct tensor *g =
        nn_linear(n, nn_global_max_pool(n, y), "gate", (struct linear_layer){ .out = CHANNELS });
    return nn_relu(n, nn_add(n, nn_scale_channels(n, y, nn_sigmoid(n, g)), x));
}

static struct tensor *build_se_on_shortcut(struct net *n, struct tensor *x)
{
    x = build_block(n, x);
    return nn_relu(n, nn_add(n, conv_bn(n, x, "c", 3), gated(n, x, "gate")));
}

static struct tensor *build_se_after_relu(struct net *n, struct tensor *x)
{
    return conv_bn_relu(n, gated(n, conv_bn_relu(n, x, "a", 3), "gate"), "b", 3);
}

static struct tensor *build_se_after_norm(struct net *n, struct tensor *x)
{
    return conv_bn_relu(n, gated(n, conv_bn(n, x, "a", 3), "gate"), "b", 3);
}

static struct tensor *build_se_after_block(struct net *n, struct tensor *x)
{
    return conv_bn_relu(n, gated(n, build_block(n, x), "gate"), "c", 3);
}

static struct tensor *build_two_squeezes(struct net *n, struct tensor *x)
{
    struct tensor *y = conv_bn_relu(n, x, "a", 3);
    return nn_add(n, nn_scale_channels(n, y, gate_of(n, y, "one")), gated(n, y, "two"));
}

static struct tensor *build_preact(struct net *n, struct tensor *x)
{
    x = nn_add(n, bn_relu_conv(n, bn_relu_conv(n, x, "a"), "b"), x);
    x = nn_add(n, bn_relu_conv(n, bn_relu_conv(n, x, "c"), "d"), x);
    return nn_relu(n, nn_batch_norm(n, x, "last"));
}

static struct tensor *build_preact_se(struct net *n, struct tensor *x)
{
    x = nn_add(n, gated(n, bn_relu_conv(n, x, "a"), "gate"), x);
    return nn_relu(n, nn_batch_norm(n, x, "last"));
}

static struct tensor *build_norm_of_pool(struct net *n, struct tensor *x)
{
    x = nn_relu(n, nn_batch_norm(n, nn_max_pool(n, x, 3, 2, 1), "pool_bn"));
    return nn_conv(n, x, "a", (struct conv_layer){ .channels = CHANNELS, .kernel = 3 });
}

static struct tensor *build_norm_of_input(struct net *n, struct tensor *x)
{
    return conv_bn_relu(n, nn_batch_norm(n, x, "first"), "a", 3);
}

static struct tensor *build_pool_of_norm(struct net *n, struct tensor *x)
{
    return conv_bn_relu(n, nn_max_pool(n, conv_bn_relu(n, x, "a", 3), 3, 2, 1), "b", 3);
}

static struct tensor *build_sum_without_relu(struct net *n, struct tensor *x)
{
    return conv_bn_relu(n, nn_add(n, conv_bn(n, x, "a", 3), x), "b", 3);
}

static struct tensor *build_three_arms(struct net *n, struct tensor *x)
{
    struct tensor *y = nn_add(n, conv_bn(n, x, "a", 3), conv_bn(n, x, "b", 1));
    return nn_relu(n, nn_add(n, x, y));
}

static struct tensor *build_three_norms(struct net *n, struct tensor *x)
{
    struct tensor *y = nn_add(n, conv_bn(n, x, "a", 3), conv_bn(n, x, "b", 1));
    return nn_add(n, y, conv_bn(n, x, "c", 3));
}

static struct tensor *build_three_gates(struct net *n, struct tensor *x)
{
    x = build_block(n, x);
    struct tensor *y = nn_add(n, x, gated(n, conv_bn(n, x, "c", 3), "gate"));
    return nn_add(n, y, nn_scale_channels(n, x, gate_of(n, x, "other")));
}

static struct tensor *build_four_arms(struct net *n, struct tensor *x)
{
    struct tensor *y = nn_add(n, conv_bn(n, x, "a", 3), conv_bn(n, x, "b", 1));
    struct tensor *z = nn_add(n, conv_bn(n, x, "c", 3), x);
    return nn_relu(n, nn_add(n, y, z));
}

static struct tensor *build_tensors(struct net *n, struct tensor *x)
{
    struct tensor *y = nn_max_pool(n, x, 3, 1, 1);
    return conv_bn_relu(n, nn_relu(n, nn_add(n, x, y)), "a", 3);
}

static struct tensor *build_twice(struct net *n, struct tensor *x)
{
    x = build_block(n, x);
    return nn_relu(n, nn_add(n, x, x));
}

/* The shortcut is read after the sum, too. */
static struct tensor *build_shortcut_read_later(struct net *n, struct tensor *x)
{
    x = build_block(n, x);
    struct tensor *y = nn_relu(n, nn_add(n, conv_bn(n, x, "c", 3), x));
    return nn_add(n, conv_bn(n, y, "d", 3), conv_bn(n, x, "e", 1));
}

/* The shortcut is read between the arm's norm and the sum. */
static struct tensor *build_shortcut_read_between(struct net *n, struct tensor *x)
{
    x = build_block(n, x);
    struct tensor *y = conv_bn(n, x, "c", 3), *z = nn_max_pool(n, x, 3, 1, 1);
    y = nn_relu(n, nn_add(n, y, x));
    return nn_add(n, y, z);
}

static struct tensor *build_norm_read_twice(struct net *n, struct tensor *x)
{
    struct tensor *y = conv_bn(n, x, "a", 3);
    return nn_add(n, nn_relu(n, y), conv_bn(n, y, "b", 3));
}

static struct tensor *build_biased(struct net *n, struct tensor *x)
{
    const struct conv_layer layer = { .channels = CHANNELS, .kernel = 3, .bias = true };
    x = nn_batch_norm(n, nn_conv(n, x, "a", layer), "a_bn");
    return nn_conv(n, nn_relu(n, x), "b", layer);
}

static struct tensor *build_concat(struct net *n, struct tensor *x)
{
    struct tensor *in[] = { conv_bn_relu(n, x, "a", 1), conv_bn(n, x, "b", 3),
                            nn_max_pool(n, x, 3, 1, 1), conv_bn_relu(n, x, "c", 3) };
    return conv_bn_relu(n, nn_concat(n, 4, in), "d", 1);
}

static struct tensor *build_concat_se(struct net *n, struct tensor *x)
{
    struct tensor *in[] = { conv_bn_relu(n, x, "a", 1), conv_bn_relu(n, x, "b", 3) };
    struct tensor *y = nn_concat(n, 2, in);
    struct tensor *g = nn_linear(n, nn_global_avg_pool(n, y), "gate",
                                 (struct linear_layer){ .out = 2 * CHANNELS });
    return conv_bn_relu(n, nn_scale_channels(n, y, nn_sigmoid(n, g)), "c", 1);
}

/* The classifier's pool is all that reads it. */
static struct tensor *build_concat_last(struct net *n, struct tensor *x)
{
    struct tensor *in[] = { conv_bn_relu(n, x, "a", 1), conv_bn_relu(n, x, "b", 3) };
    return nn_concat(n, 2, in);
}

static struct tensor *build_concat_of_concats(struct net *n, struct tensor *x)
{
    struct tensor *in[] = { conv_bn_relu(n, x, "a", 1), conv_bn_relu(n, x, "b", 3) };
    struct tensor *both[] = { nn_concat(n, 2, in), conv_bn_relu(n, x, "c", 1), in[0], x };
    return conv_bn_relu(n, nn_relu(n, nn_concat(n, 4, both)), "d", 1);
}

static struct tensor *build_concat_of_many(struct net *n, struct tensor *x)
{
    struct tensor *in[19];
    for (int i = 0; i < 19; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        in[i] = i % 5 ? x : conv_bn_relu(n, x, name, 1);
    }
    return conv_bn_relu(n, nn_concat(n, 19, in), "last", 1);
}

/* What a pattern must spare: an op that does not run once it is fused; NULL: none must be spared.
 */
static const struct pattern {
    const char *name;
    struct tensor *(*build)(struct net *n, struct tensor *x);
    const char *spares;
} patterns[] = {
    { "block", build_block, "add" },
    { "two norms", build_two_norms, "batch_norm" },
    { "gate on a norm", build_se_standard, "scale_channels" },
    { "gate by maxima", build_se_maximum, "global_max_pool" },
    { "gate on a shortcut", build_se_on_shortcut, "scale_channels" },
    { "gate after a ReLU", build_se_after_relu, "global_avg_pool" },
    { "gate after a norm", build_se_after_norm, "global_avg_pool" },
    { "gate after a block", build_se_after_block, "global_avg_pool" },
    { "two squeezes of one tensor", build_two_squeezes, "scale_channels" },
    { "pre-activation", build_preact, "batch_norm" },
    { "pre-activation with a gate", build_preact_se, "scale_channels" },
    { "norm of a pool", build_norm_of_pool, "batch_norm" },
    { "norm of the input", build_norm_of_input, "batch_norm" },
    { "pool of a norm", build_pool_of_norm, "relu" },
    { "sum without ReLU", build_sum_without_relu, "add" },
    { "three arms", build_three_arms, "add" },
    { "three norms", build_three_norms, "add" },
    { "three arms, two gates", build_three_gates, "scale_channels" },
    { "four arms", build_four_arms, "batch_norm" },
    { "sum of tensors", build_tensors, "relu" },
    { "one arm twice", build_twice, "relu" },
    { "shortcut read later", build_shortcut_read_later, "add" },
    { "shortcut read between", build_shortcut_read_between, "batch_norm" },
    { "norm read twice", build_norm_read_twice, "batch_norm" },
    { "convolution with a bias", build_biased, "batch_norm" },
    { "concat", build_concat, "batch_norm" },
    { "gate after a concat", build_concat_se, "global_avg_pool" },
    { "concat before the classifier", build_concat_last, "relu" },
    { "concat of a concat", build_concat_of_concats, "batch_norm" },
    { "concat of nineteen", build_concat_of_many, "batch_norm" },
};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

/* LARGE: so many pixels that an evaluation takes the batch in slices of its images. */
enum { LARGE = 8 };

/* The pattern behind a first convolution, and before a classifier. */
static struct model_net pattern_build(const struct pattern *p, unsigned how)
{
    const int batch = how & LARGE ? 17 : BATCH, side = how & LARGE ? 64 : SIDE;
    static const struct se_settings none = { .min_hidden = 1 };
    struct net n = { .graph = graph_create(), .se = &none };
    struct model_net net = { .graph = n.graph };
    struct err e;
    net.images = graph_input(n.graph, "images", batch, side, side, 3);
    net.labels = graph_input(n.graph, "labels", batch, 1, 1, 1);
    struct tensor *x =
        nn_conv(&n, net.images, "stem", (struct conv_layer){ .channels = CHANNELS, .kernel = 3 });
    x = p->build(&n, x);
    net.logits =
        nn_linear(&n, nn_global_avg_pool(&n, x), "fc", (struct linear_layer){ .out = CLASSES });
    net.loss = nn_softmax_loss(&n, net.logits, net.labels, 0);
    ck_assert_msg(!n.failed, "%s: %s", p->name, n.e.text);
    graph_fuse(net.graph, how & FUSED);
    graph_bf16(net.graph, how & BF16);
    struct tensor *keep[] = { net.logits, net.loss, NULL };
    ck_assert_msg(graph_plan(net.graph, how & TRAINING, keep, &e), "%s", e.text);
    graph_init(net.graph, 7);
    return net;
}

static void pattern_step(struct model_net *n, uint64_t seed)
{
    const struct step step = { .training = true, .seed = 1 };
    feed(n, seed);
    graph_forward(n->graph, &step);
    graph_backward(n->graph);
}

struct distance { /* relative, of what a step leaves */
    double loss, gradients, states;
};

/* How far a fused step in `how` is from the plain one in floats. */
static struct distance pattern_distance(const struct pattern *p, unsigned how, uint64_t seed)
{
    struct model_net fused = pattern_build(p, how | FUSED | TRAINING);
    struct model_net plain = pattern_build(p, TRAINING);
    pattern_step(&fused, seed);
    pattern_step(&plain, seed);
    size_t len, states;
    graph_weights(plain.graph, &len);
    const float *want = graph_states(plain.graph, &states);
    const struct distance d = {
        fabs((double)fused.loss->data[0] / (double)plain.loss->data[0] - 1),
        apart(graph_gradients(fused.graph), graph_gradients(plain.graph), len),
        apart(graph_states(fused.graph, NULL), want, states),
    };
    graph_destroy(fused.graph);
    graph_destroy(plain.graph);
    return d;
}

/* Rounding alone can put an input of a ReLU or a maximum on its other side, which moves gradients;
 * other inputs then decide. */
static void check_training(const struct pattern *p, unsigned how)
{
    const struct distance most =
        how & BF16 ? (struct distance){ 0.03, 0.08, 0.01 } : (struct distance){ 1e-5, 1e-4, 1e-5 };
    struct distance d = { 1, 1, 1 };
    for (uint64_t seed = 1; seed <= 4 && d.gradients > most.gradients; seed++) {
        d = pattern_distance(p, how, seed);
        ck_assert_msg(d.loss < most.loss, "%s (%s): loss differs by %g", p->name, kernels->isa,
                      d.loss);
        ck_assert_msg(d.states < most.states, "%s (%s): running statistics differ by %g", p->name,
                      kernels->isa, d.states);
    }
    ck_assert_msg(d.gradients < most.gradients, "%s (%s): gradients differ by %g", p->name,
                  kernels->isa, d.gradients);
}

static void check_evaluation(const struct pattern *p, unsigned how)
{
    const struct step step = { .training = false };
    struct model_net fused = pattern_build(p, how | FUSED), plain = pattern_build(p, how & LARGE);
    struct model_net *both[] = { &fused, &plain };
    for (int i = 0; i < 2; i++) {
        size_t states; /* variances so small that epsilon counts */
        float *s = graph_states(both[i]->graph, &states);
        for (size_t k = 0; k < states; k++) s[k] = 1e-5f * (float)(1 + k % 37);
        feed(both[i], 1);
        graph_forward(both[i]->graph, &step);
    }
    const double d = apart(fused.logits->data, plain.logits->data, tensor_len(plain.logits));
    ck_assert_msg(d < (how & BF16 ? 0.05 : 1e-5), "%s (%s): logits differ by %g", p->name,
                  kernels->isa, d);
    graph_destroy(fused.graph);
    graph_destroy(plain.graph);
}

START_TEST(a_pattern_is_the_same_fused)
{
    for (int i = 0; kernels_at(i); i++) {
        kernels_use(kernels_at(i)->isa);
        for (unsigned how = 0; how <= BF16; how += BF16) {
            check_training(&patterns[_i], how);
            check_evaluation(&patterns[_i], how);
        }
    }
    kernels_use(NULL);
}
END_TEST

static void saw(void *ctx, const struct node *n, bool backward)
{
    const char *spares = ctx;
    if (n && !backward)
        ck_assert_msg(strcmp(n->op->name, spares) != 0 || n->out.h * n->out.w == 1, "%s runs as %s",
                      spares, n->name);
}

START_TEST(a_pattern_is_the_same_in_slices)
{
    check_evaluation(&patterns[_i], LARGE);
    check_evaluation(&patterns[_i], LARGE | BF16);
}
END_TEST

START_TEST(a_pattern_spares_its_op)
{
    const struct pattern *p = &patterns[_i];
    struct model_net n = pattern_build(p, FUSED | TRAINING);
    graph_watch(n.graph, &(struct graph_watch){ (void *)(uintptr_t)p->spares, saw });
    pattern_step(&n, 1);
    graph_destroy(n.graph);
}
END_TEST

START_TEST(threads_change_no_bit_of_a_pattern)
{
    for (unsigned how = 0; how <= BF16; how += BF16) {
        parallel_use(1);
        struct model_net one = pattern_build(&patterns[_i], how | FUSED | TRAINING);
        pattern_step(&one, 1);
        parallel_use(3);
        struct model_net three = pattern_build(&patterns[_i], how | FUSED | TRAINING);
        pattern_step(&three, 1);
        size_t len;
        graph_weights(one.graph, &len);
        ck_assert_mem_eq(graph_gradients(one.graph), graph_gradients(three.graph),
                         len * sizeof(float));
        graph_destroy(one.graph);
        graph_destroy(three.graph);
    }
    parallel_use(0);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("fuse patterns");
    TCase *c = tcase_create("patterns");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, a_pattern_is_the_same_fused, 0, PATTERNS);
    tcase_add_loop_test(c, a_pattern_is_the_same_in_slices, 0, PATTERNS);
    tcase_add_loop_test(c, a_pattern_spares_its_op, 0, PATTERNS);
    tcase_add_loop_test(c, threads_change_no_bit_of_a_pattern, 0, PATTERNS);
    suite_add_tcase(s, c);
    return s;
}
