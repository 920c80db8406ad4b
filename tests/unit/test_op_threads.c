/* The bits of every op's output and gradients are those of one thread, whatever the number of
 * threads. Shapes are large enough for many chunks. */
#include "core/base/digest.h"
#include "core/base/parallel.h"
#include "tests/unit/trial.h"
#include "tests/unit/unit.h"

#define VECTOR(c)  \
    {              \
        1, 1, 1, c \
    }

static const struct trial_case cases[] = {
    { OP_add, .in = { { 4, 32, 32, 24 }, { 4, 32, 32, 24 } } },
    { OP_avg_pool, .in = { { 4, 33, 32, 20 } }, .attr = &(struct pool_attr){ 3, 2, 1 } },
    { OP_batch_norm, .in = { { 5, 31, 32, 24 }, VECTOR(24), VECTOR(24), VECTOR(24), VECTOR(24) },
      .fill = { [4] = FILL_POSITIVE }, .no_grad = 1 << 3 | 1 << 4 },
    { OP_concat, .in = { { 4, 32, 32, 9 }, { 4, 32, 32, 20 } } },
    { OP_conv2d, .in = { { 5, 17, 15, 12 }, { 3, 3, 12, 40 }, VECTOR(40) },
      .attr = &(struct conv2d_attr){ .stride = 2, .pad = 1 } },
    { OP_conv2d, .in = { { 4, 16, 16, 48 }, { 1, 1, 48, 300 } } },
    { OP_conv2d, .in = { { 5, 16, 16, 16 }, { 3, 3, 4, 32 } },
      .attr = &(struct conv2d_attr){ .pad = 1, .groups = 4 } },
    { OP_conv2d, .in = { { 5, 17, 16, 40 }, { 3, 3, 1, 40 }, VECTOR(40) },
      .attr = &(struct conv2d_attr){ .pad = 1, .groups = 40 } },
    { OP_dropout, .in = { { 9, 16, 16, 40 } }, .attr = &(struct dropout_attr){ 0.2 } },
    { OP_global_avg_pool, .in = { { 9, 16, 16, 40 } } },
    { OP_global_max_pool, .in = { { 9, 16, 16, 40 } } },
    { OP_linear, .in = { { 33, 1, 1, 300 }, { 1, 1, 300, 400 }, VECTOR(400) } },
    { OP_max_pool, .in = { { 5, 33, 32, 20 } }, .attr = &(struct pool_attr){ 3, 2, 1 } },
    { OP_pad_channels, .in = { { 5, 33, 32, 20 } }, .attr = &(struct pad_channels_attr){ 40, 2 } },
    { OP_relu, .in = { { 4, 32, 32, 24 } } },
    { OP_scale_channels, .in = { { 9, 16, 16, 40 }, { 9, 1, 1, 40 } } },
    { OP_scale_channels, .in = { { 9, 16, 16, 40 }, { 9, 16, 16, 40 } } },
    { OP_sigmoid, .in = { { 4, 32, 32, 24 } } },
    { OP_softmax_loss, .in = { { 65, 1, 1, 1000 }, { 65, 1, 1, 1 } },
      .fill = { [1] = FILL_LABEL } },
    { OP_tanh, .in = { { 4, 32, 32, 24 } } },
};
enum { CASES = sizeof cases / sizeof *cases };

/* A digest of everything that forward and backward leave, but of work. */
static uint64_t case_digest(const struct trial_case *c, int threads)
{
    struct trial t;
    struct digest *d = digest_create();
    parallel_use(threads);
    trial_begin(&t, c);
    t.op->forward(&t.call);
    digest_add(d, t.out.data, tensor_len(&t.out) * sizeof(float));
    trial_backward(&t);
    for (int i = 0; i < t.n_in; i++) {
        size_t bytes = tensor_len(&t.in[i]) * sizeof(float);
        digest_add(d, t.in[i].data, bytes); /* a batch norm moves its running statistics */
        if (t.in[i].grad) digest_add(d, t.in[i].grad, bytes);
    }
    trial_end(&t);
    return digest_end(d);
}

START_TEST(every_op_has_a_case)
{
    for (int op = 0; op < OPS_COUNT; op++) {
        int found = 0;
        for (int i = 0; i < CASES; i++) found += (int)cases[i].op == op;
        ck_assert_msg(found, "%s has no case", ops[op]->name);
    }
}
END_TEST

START_TEST(bits_do_not_depend_on_threads)
{
    for (int i = 0; i < CASES; i++) {
        uint64_t one = case_digest(&cases[i], 1);
        for (int threads = 2; threads <= 8; threads = threads == 3 ? 8 : threads + 1)
            ck_assert_msg(case_digest(&cases[i], threads) == one,
                          "%s, case %d: %d threads give other bits", ops[cases[i].op]->name, i,
                          threads);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("op threads");
    unit_case(s, "ops", 60, UNIT_TESTS(every_op_has_a_case, bits_do_not_depend_on_threads));
    return s;
}
