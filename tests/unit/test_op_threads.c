/* The bits of every op's output and gradients are those of one thread, whatever the number of
 * threads, and whether tensors are float or bf16. */
#include "core/base/parallel.h"
#include "tests/unit/op_cases.h"
#include "tests/unit/unit.h"

static uint64_t case_digest(const struct trial_case *c, int threads)
{
    parallel_use(threads);
    return trial_digest(c);
}

START_TEST(every_op_has_a_case)
{
    for (int op = 0; op < OPS_COUNT; op++) {
        int found = 0;
        for (int i = 0; i < OP_CASES; i++) found += (int)op_cases[i].op == op;
        ck_assert_msg(found, "%s has no case", ops[op]->name);
    }
}
END_TEST

static void check_bits(const struct trial_case *c)
{
    uint64_t one = case_digest(c, 1);
    for (int threads = 2; threads <= 8; threads = threads == 3 ? 8 : threads + 1)
        ck_assert_msg(case_digest(c, threads) == one,
                      "%s of %dx%dx%dx%d%s: %d threads give other bits", ops[c->op]->name,
                      c->in[0][0], c->in[0][1], c->in[0][2], c->in[0][3], c->bf16 ? " as bf16" : "",
                      threads);
}

START_TEST(bits_do_not_depend_on_threads)
{
    for (int i = 0; i < OP_CASES; i++) {
        struct trial_case c = op_cases[i];
        check_bits(&c);
        c.bf16 = true;
        check_bits(&c);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("op threads");
    unit_case(s, "ops", 60, UNIT_TESTS(every_op_has_a_case, bits_do_not_depend_on_threads));
    return s;
}
