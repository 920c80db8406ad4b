/* Backward against central differences, for every op in ops.def and on every kernel table that
 * runs here. An op that has a backward but no case below fails the test: there is nothing to
 * remember when adding one. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "tests/unit/trial.h"
#include "tests/unit/unit.h"

#define VECTOR(c)  \
    {              \
        1, 1, 1, c \
    }
#define NORM_INPUTS(n, h, w, c)                                           \
    .in = { { n, h, w, c }, VECTOR(c), VECTOR(c), VECTOR(c), VECTOR(c) }, \
    .fill = { [4] = FILL_POSITIVE }, .no_grad = 1 << 3 | 1 << 4

static const struct trial_case cases[] = {
    { OP_add, .in = { { 2, 3, 3, 5 }, { 2, 3, 3, 5 } } },
    { OP_avg_pool, .in = { { 2, 5, 4, 17 } }, .attr = &(struct pool_attr){ 3, 2, .pad = 1 } },
    { OP_add, .in = { { 2, 3, 2, 5 }, { 2, 3, 2, 5 } }, .attr = &(struct add_attr){ { 1, 0.2 } } },
    { OP_add, .in = { VECTOR(9), VECTOR(9) }, .attr = &(struct add_attr){ { 0.5, 0.5 } } },
    { OP_avg_pool, .in = { { 1, 4, 6, 3 } }, .attr = &(struct pool_attr){ .size = 2 } },
    { OP_avg_pool, .in = { { 1, 6, 7, 5 } }, .attr = &(struct pool_attr){ 3, 2, .ceil = true } },
    { OP_avg_pool, .in = { { 2, 4, 5, 5 } },
      .attr = &(struct pool_attr){ 3, 2, 1, .ceil = true, .exclude_pad = true } },
    { OP_avg_pool, .in = { { 1, 7, 5, 2 } }, .attr = &(struct pool_attr){ 2, 3, .pad = 0 } },
    { OP_batch_norm, NORM_INPUTS(3, 2, 3, 5) },
    { OP_batch_norm, NORM_INPUTS(2, 3, 2, 37),
      .attr = &(struct batch_norm_attr){ .momentum = 0.3, .epsilon = 0.1 } },
    { OP_batch_norm, NORM_INPUTS(2, 3, 2, 6), .evaluation = true },
    { OP_channel_shuffle, .in = { { 2, 2, 1, 12 } }, .attr = &(struct channel_shuffle_attr){ 3 } },
    { OP_concat, .in = { { 2, 2, 3, 4 }, { 2, 2, 3, 1 }, { 2, 2, 3, 9 } } },
    { OP_concat, .in = { VECTOR(1), VECTOR(2), VECTOR(3), VECTOR(4), VECTOR(5) } },
    { OP_conv2d, .in = { { 2, 5, 4, 3 }, { 3, 3, 3, 4 }, VECTOR(4) },
      .attr = &(struct conv2d_attr){ .stride = 2, .pad = PADDING(1) } },
    { OP_conv2d, .in = { { 2, 3, 3, 5 }, { 1, 1, 5, 6 } } },
    { OP_conv2d, .in = { { 2, 4, 4, 6 }, { 3, 2, 2, 9 }, VECTOR(9) },
      .attr = &(struct conv2d_attr){ .pad = PADDING(1), .groups = 3 } },
    { OP_conv2d, .in = { { 2, 4, 5, 7 }, { 3, 3, 1, 7 }, VECTOR(7) },
      .attr = &(struct conv2d_attr){ .pad = PADDING(1), .groups = 7 } },
    { OP_conv2d, .in = { { 2, 4, 5, 3 }, { 1, 1, 3, 4 } },
      .attr = &(struct conv2d_attr){ .stride = 2, .pad = { 1, -1, 1, -1 } } },
    { OP_dropout, .in = { { 3, 2, 2, 5 } }, .attr = &(struct dropout_attr){ 0.4 } },
    { OP_dropout, .in = { VECTOR(20) }, .attr = &(struct dropout_attr){ 0.4 }, .evaluation = true },
    { OP_flatten, .in = { { 2, 3, 2, 5 } } },
    { OP_global_avg_pool, .in = { { 2, 3, 4, 19 } } },
    { OP_global_max_pool, .in = { { 2, 3, 2, 7 } }, .fill = { FILL_SPREAD } },
    { OP_linear, .in = { { 3, 1, 1, 6 }, { 1, 1, 6, 5 }, VECTOR(5) } },
    { OP_linear, .in = { VECTOR(4), { 1, 1, 4, 1 } } },
    { OP_linear, .in = { { 2, 1, 1, 12 }, { 2, 3, 2, 5 } } },
    { OP_max_pool, .in = { { 1, 5, 4, 5 } }, .fill = { FILL_SPREAD },
      .attr = &(struct pool_attr){ 3, 2, .pad = 1 } },
    { OP_max_pool, .in = { { 2, 4, 4, 3 } }, .fill = { FILL_SPREAD },
      .attr = &(struct pool_attr){ 2, 1, .pad = 0 } },
    { OP_max_pool, .in = { { 2, 5, 6, 3 } }, .fill = { FILL_SPREAD },
      .attr = &(struct pool_attr){ 3, 2, .ceil = true } },
    { OP_maximum, .in = { { 2, 3, 3, 5 }, { 2, 3, 3, 5 } }, .fill = { FILL_SPREAD, FILL_BETWEEN } },
    { OP_pad_channels, .in = { { 2, 5, 4, 3 } }, .attr = &(struct pad_channels_attr){ 8, 2 } },
    { OP_pad_channels, .in = { { 1, 2, 2, 4 } },
      .attr = &(struct pad_channels_attr){ .channels = 4 } },
    { OP_relu, .in = { { 1, 3, 3, 7 } }, .fill = { FILL_SPREAD } },
    { OP_relu6, .in = { { 4, 9, 9, 1 } }, .fill = { FILL_SPREAD } },
    { OP_scale_channels, .in = { { 2, 2, 3, 21 }, { 2, 1, 1, 21 } } },
    { OP_scale_channels, .in = { { 2, 3, 2, 5 }, { 2, 3, 2, 5 } } },
    { OP_shake, .in = { { 3, 2, 3, 5 }, { 3, 2, 3, 5 } },
      .attr = &(struct shake_attr){ .backward = SHAKE_KEEP } },
    { OP_shake, .in = { { 3, 2, 1, 5 }, { 3, 2, 1, 5 } },
      .attr = &(struct shake_attr){ .backward = SHAKE_SHAKE }, .evaluation = true },
    { OP_sigmoid, .in = { { 2, 3, 2, 5 } } },
    { OP_softmax_loss, .in = { { 4, 1, 1, 6 }, { 4, 1, 1, 1 } }, .fill = { [1] = FILL_LABEL } },
    { OP_softmax_loss, .in = { { 3, 1, 1, 5 }, { 3, 1, 1, 1 } }, .fill = { [1] = FILL_LABEL },
      .attr = &(struct softmax_loss_attr){ 0.1 } },
    { OP_tanh, .in = { { 2, 3, 2, 5 } } },
};
enum { CASES = sizeof cases / sizeof *cases };

/* What is differentiated: the output, weighted by its gradient. */
static double weighted_output(struct trial *t)
{
    double sum = 0;
    t->op->forward(&t->call);
    for (size_t i = 0; i < tensor_len(&t->out); i++)
        sum += (double)t->out.data[i] * (double)t->out.grad[i];
    return sum;
}

static double central_difference(struct trial *t, float *x)
{
    const float step = 1.0f / 64, old = *x;
    *x = old + step;
    double up = weighted_output(t);
    *x = old - step;
    double down = weighted_output(t);
    *x = old;
    return (up - down) / (2 * (double)step);
}

/* With only this input's gradient wanted, the others' NULL, its bits are the same. */
static void check_alone(struct trial *t, int input)
{
    float *grads[OP_INPUTS];
    size_t len = tensor_len(&t->in[input]);
    float *both = malloc(len * sizeof *both);
    memcpy(both, t->in[input].grad, len * sizeof *both);
    trial_set(t->in[input].grad, len, 0.25f);
    for (int i = 0; i < OP_INPUTS; i++) {
        grads[i] = t->in[i].grad;
        if (i != input) t->in[i].grad = NULL;
    }
    trial_backward(t);
    for (int i = 0; i < OP_INPUTS; i++) t->in[i].grad = grads[i];
    ck_assert_msg(memcmp(both, t->in[input].grad, len * sizeof *both) == 0,
                  "%s: the gradient of input %d depends on which others are wanted", t->op->name,
                  input);
    free(both);
}

/* What a fresh gradient held does not matter: it is overwritten with what would be added to 0. */
static void check_fresh(struct trial *t)
{
    for (int i = 0; i < OP_INPUTS; i++) {
        struct tensor *x = &t->in[i];
        const size_t len = tensor_len(x);
        if (!x->grad || !(t->op->overwrites & READS_IN(i))) continue;
        float *added = malloc(len * sizeof *added);
        trial_set(x->grad, len, 0);
        trial_backward(t);
        memcpy(added, x->grad, len * sizeof *added);
        trial_set(x->grad, len, NAN);
        t->call.fresh = READS_IN(i);
        trial_backward(t);
        t->call.fresh = 0;
        for (size_t k = 0; k < len; k++)
            ck_assert_msg(x->grad[k] == added[k],
                          "%s (%s): fresh gradient [%zu] of input %d is %g, not %g", t->op->name,
                          kernels->isa, k, i, (double)x->grad[k], (double)added[k]);
        free(added);
    }
}

static void check_case(const struct trial_case *c)
{
    struct trial t;
    trial_begin(&t, c);
    t.op->forward(&t.call);
    for (int i = 0; i < OP_INPUTS; i++) trial_set(t.in[i].grad, tensor_len(&t.in[i]), 0.25f);
    trial_backward(&t);
    for (int i = 0; i < OP_INPUTS; i++)
        if (t.in[i].grad) check_alone(&t, i);
    for (int i = 0; i < OP_INPUTS; i++)
        for (size_t j = 0; t.in[i].grad && j < tensor_len(&t.in[i]); j++) {
            double want = central_difference(&t, &t.in[i].data[j]);
            double got = (double)t.in[i].grad[j] - 0.25; /* backward adds */
            ck_assert_msg(fabs(got - want) < 1e-3 * (1 + fabs(want)),
                          "%s (%s), case %d: d/d in[%d][%zu] is %g, not %g", t.op->name,
                          kernels->isa, (int)(c - cases), i, j, got, want);
        }
    check_fresh(&t);
    trial_end(&t);
}

START_TEST(every_op_has_a_case)
{
    for (int op = 0; op < OPS_COUNT; op++) {
        int found = 0;
        for (int i = 0; i < CASES; i++) found += (int)cases[i].op == op;
        ck_assert_msg(found || !ops[op]->backward, "%s has no gradient case", ops[op]->name);
    }
}
END_TEST

START_TEST(backward_is_the_derivative)
{
    parallel_use(1);
    for (int k = 0; kernels_at(k); k++) {
        kernels_use(kernels_at(k)->isa);
        for (int i = 0; i < CASES; i++) check_case(&cases[i]);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("gradients");
    unit_case(s, "ops", 60, UNIT_TESTS(every_op_has_a_case, backward_is_the_derivative));
    return s;
}
