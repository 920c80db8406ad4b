/* Every pattern that core/graph/fuse.c knows, and those beside it that it must leave alone, as
 * small graphs: fused they give the loss, gradients, running statistics and predictions of the
 * plain graph, whatever the instruction set, the type of activations and the threads. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "tests/unit/fuse_units.h"

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
    x = nn_relu(
        n, nn_batch_norm(n, nn_max_pool(n, x, (struct pool_attr){ 3, 2, .pad = 1 }), "pool_bn"));
    return nn_conv(n, x, "a", (struct conv_layer){ .channels = CHANNELS, .kernel = 3 });
}

static struct tensor *build_norm_of_input(struct net *n, struct tensor *x)
{
    return conv_bn_relu(n, nn_batch_norm(n, x, "first"), "a", 3);
}

static struct tensor *build_pool_of_norm(struct net *n, struct tensor *x)
{
    return conv_bn_relu(
        n, nn_max_pool(n, conv_bn_relu(n, x, "a", 3), (struct pool_attr){ 3, 2, .pad = 1 }), "b",
        3);
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
    struct tensor *y = nn_max_pool(n, x, (struct pool_attr){ 3, 1, .pad = 1 });
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
    struct tensor *y = conv_bn(n, x, "c", 3),
                  *z = nn_max_pool(n, x, (struct pool_attr){ 3, 1, .pad = 1 });
    y = nn_relu(n, nn_add(n, y, x));
    return nn_add(n, y, z);
}

/* The norm reads the shortcut, whose gradient is the sum's and the norm's. */
static struct tensor *build_norm_of_shortcut(struct net *n, struct tensor *x)
{
    x = build_block(n, x);
    return nn_relu(n, nn_add(n, nn_batch_norm(n, x, "c_bn"), x));
}

/* The shortcut is read by another add, built before the arm's norm, whose ReLU follows after it. */
static struct tensor *build_overlapping_sums(struct net *n, struct tensor *x)
{
    x = build_block(n, x);
    struct tensor *other = nn_add(n, x, nn_max_pool(n, x, (struct pool_attr){ 3, 1, .pad = 1 }));
    struct tensor *arm = conv_bn(n, x, "c", 3);
    other = nn_relu(n, other);
    return nn_add(n, nn_relu(n, nn_add(n, arm, x)), other);
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
                            nn_max_pool(n, x, (struct pool_attr){ 3, 1, .pad = 1 }),
                            conv_bn_relu(n, x, "c", 3) };
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

static const struct pattern patterns[] = {
    { "block", build_block, .spares = "add" },
    { "two norms", build_two_norms, .spares = "batch_norm" },
    { "gate on a norm", build_se_standard, .spares = "scale_channels" },
    { "gate by maxima", build_se_maximum, .spares = "global_max_pool" },
    { "gate on a shortcut", build_se_on_shortcut, .spares = "scale_channels" },
    { "gate after a ReLU", build_se_after_relu, .spares = "global_avg_pool" },
    { "gate after a norm", build_se_after_norm, .spares = "global_avg_pool" },
    { "gate after a block", build_se_after_block, .spares = "global_avg_pool" },
    { "two squeezes of one tensor", build_two_squeezes, .spares = "scale_channels" },
    { "pre-activation", build_preact, .spares = "batch_norm" },
    { "pre-activation with a gate", build_preact_se, .spares = "scale_channels" },
    { "norm of a pool", build_norm_of_pool, .spares = "batch_norm" },
    { "norm of the input", build_norm_of_input, .spares = "batch_norm" },
    { "pool of a norm", build_pool_of_norm, .spares = "relu" },
    { "sum without ReLU", build_sum_without_relu, .spares = "add" },
    { "three arms", build_three_arms, .spares = "add" },
    { "three norms", build_three_norms, .spares = "add" },
    { "three arms, two gates", build_three_gates, .spares = "scale_channels" },
    { "four arms", build_four_arms, .spares = "batch_norm" },
    { "sum of tensors", build_tensors, .spares = "relu" },
    { "one arm twice", build_twice, .spares = "relu" },
    { "shortcut read later", build_shortcut_read_later, .spares = "add" },
    { "shortcut read between", build_shortcut_read_between, .spares = "batch_norm" },
    { "norm of the shortcut", build_norm_of_shortcut, .spares = "add" },
    { "overlapping sums", build_overlapping_sums, .spares = "relu" },
    { "norm read twice", build_norm_read_twice, .spares = "batch_norm" },
    { "convolution with a bias", build_biased, .spares = "batch_norm" },
    { "concat", build_concat, .spares = "batch_norm" },
    { "gate after a concat", build_concat_se, .spares = "global_avg_pool" },
    { "concat before the classifier", build_concat_last, .spares = "relu" },
    { "concat of a concat", build_concat_of_concats, .spares = "batch_norm" },
    { "concat of nineteen", build_concat_of_many, .spares = "batch_norm" },
    FUSE_UNITS,
};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

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
    if (n && !backward && spares)
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

/* Passes that the units of the families still make: the squeeze of a convolution that no norm
 * follows, ReLUs of tensors and of concats. */
START_TEST(units_leave_few_passes)
{
    static const struct {
        struct tensor *(*build)(struct net *n, struct tensor *x);
        size_t passes;
    } units[] = {
        { build_mobile_unit, 0 },  { build_scaled_unit, 0 }, { build_scaled_se_unit, 1 },
        { build_scaled_arms, 0 },  { build_preact, 0 },      { build_preact_se, 1 },
        { build_shuffle_unit, 2 }, { build_shake_unit, 0 },  { build_inception, 0 },
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const struct pattern p = { "unit", .build = units[i].build };
        struct model_net n = pattern_build(&p, FUSED | TRAINING);
        const size_t passes = graph_unfused(n.graph, (struct tensor *[]){ n.logits, NULL });
        ck_assert_msg(passes == units[i].passes, "unit %zu makes %zu passes, not %zu", i, passes,
                      units[i].passes);
        graph_destroy(n.graph);
    }
}
END_TEST

START_TEST(threads_change_no_bit_of_a_pattern)
{
    for (unsigned how = 0; how <= BF16; how += BF16) check_threads(&patterns[_i], how);
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
    unit_case(s, "count", 10, UNIT_TESTS(units_leave_few_passes));
    return s;
}
