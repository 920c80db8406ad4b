/* Every op's output, gradients and running statistics against PyTorch's (tests/golden/ops.py, which
 * has the same shapes and value rule), on every kernel table. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "tests/unit/trial.h"
#include "tests/unit/unit.h"

#include "tests/golden/ops.h"

enum rule { PLAIN, POSITIVE, COARSE, FAR, LABEL }; /* as in ops.py */

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
    { "avg_pool",
      { OP_avg_pool, .in = { { 2, 4, 5, 3 } }, .attr = &(struct pool_attr){ 3, 2, 1 } },
      { 0 } },
    { "avg_pool_2",
      { OP_avg_pool, .in = { { 1, 4, 5, 3 } }, .attr = &(struct pool_attr){ .size = 2 } },
      { 0 } },
    { "batch_norm", { OP_batch_norm, NORM }, { PLAIN, POSITIVE, PLAIN, PLAIN, POSITIVE } },
    { "batch_norm_far", { OP_batch_norm, NORM }, { FAR, POSITIVE, PLAIN, PLAIN, POSITIVE } },
    { "batch_norm_eval",
      { OP_batch_norm, NORM, .evaluation = true },
      { PLAIN, POSITIVE, PLAIN, PLAIN, POSITIVE } },
    { "concat", { OP_concat, .in = { { 2, 2, 1, 3 }, { 2, 2, 1, 1 }, { 2, 2, 1, 2 } } }, { 0 } },
    { "conv2d",
      { OP_conv2d, .in = { { 2, 5, 4, 3 }, { 3, 3, 3, 4 }, VECTOR(4) },
        .attr = &(struct conv2d_attr){ .stride = 2, .pad = 1 } },
      { 0 } },
    { "conv2d_1x1", { OP_conv2d, .in = { { 2, 3, 2, 5 }, { 1, 1, 5, 6 } } }, { 0 } },
    { "conv2d_7x7",
      { OP_conv2d, .in = { { 1, 8, 7, 3 }, { 7, 7, 3, 2 } },
        .attr = &(struct conv2d_attr){ .stride = 2, .pad = 3 } },
      { 0 } },
    { "conv2d_groups",
      { OP_conv2d, .in = { { 1, 4, 4, 6 }, { 3, 3, 3, 4 }, VECTOR(4) },
        .attr = &(struct conv2d_attr){ .pad = 1, .groups = 2 } },
      { 0 } },
    { "conv2d_depthwise",
      { OP_conv2d, .in = { { 1, 4, 5, 5 }, { 3, 3, 1, 5 } },
        .attr = &(struct conv2d_attr){ .stride = 2, .pad = 1, .groups = 5 } },
      { 0 } },
    { "global_avg_pool", { OP_global_avg_pool, .in = { { 2, 3, 2, 5 } } }, { 0 } },
    { "global_max_pool", { OP_global_max_pool, .in = { { 2, 3, 2, 5 } } }, { COARSE } },
    { "linear", { OP_linear, .in = { { 3, 1, 1, 6 }, { 1, 1, 6, 5 }, VECTOR(5) } }, { 0 } },
    { "linear_no_bias", { OP_linear, .in = { { 2, 1, 1, 4 }, { 1, 1, 4, 3 } } }, { 0 } },
    { "max_pool",
      { OP_max_pool, .in = { { 2, 5, 4, 3 } }, .attr = &(struct pool_attr){ 3, 2, 1 } },
      { COARSE } },
    { "max_pool_overlap",
      { OP_max_pool, .in = { { 1, 4, 4, 3 } }, .attr = &(struct pool_attr){ 2, 1, 0 } },
      { COARSE } },
    { "pad_channels",
      { OP_pad_channels, .in = { { 2, 5, 3, 3 } }, .attr = &(struct pad_channels_attr){ 8, 2 } },
      { 0 } },
    { "relu", { OP_relu, .in = { { 2, 3, 2, 5 } } }, { COARSE } },
    { "scale_channels", { OP_scale_channels, .in = { { 2, 2, 3, 5 }, { 2, 1, 1, 5 } } }, { 0 } },
    { "scale_channels_map",
      { OP_scale_channels, .in = { { 2, 2, 3, 5 }, { 2, 2, 3, 5 } } },
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

/* Float against float64. */
static void check(const struct trial *t, const struct op_golden *g, double tolerance)
{
    const float *got;
    const struct tensor *x = result_of(t, g->what, &got);
    ck_assert_msg(got && tensor_len(x) == g->len, "%s: result %d has other shapes", g->name,
                  g->what);
    double scale = 1;
    for (size_t i = 0; i < g->len; i++) scale = fmax(scale, fabs((double)g->values[i]));
    for (size_t i = 0; i < g->len; i++)
        ck_assert_msg(fabs((double)(got[i] - g->values[i])) <= tolerance * scale,
                      "%s (%s): result %d [%zu] is %.9g, PyTorch's %.9g", g->name, kernels->isa,
                      g->what, i, (double)got[i], (double)g->values[i]);
}

static void check_case(const struct golden_case *c)
{
    /* Of the largest value, and of 1 where that is larger. From far away a x + b rounds at 1000. */
    double tolerance = c->rule[0] == FAR ? 2e-4 : 2e-6;
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
    unit_case(s, "golden", 30, UNIT_TESTS(ops_equal_pytorch, every_op_and_result_has_a_case));
    return s;
}
