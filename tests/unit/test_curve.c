/* A short training run of an SE-ResNet has PyTorch's loss curve: forward, backward, label
 * smoothing, warm-up, Nesterov momentum and weight decay together, from the same weights and
 * batches. */
#include "core/kernels/kernels.h"
#include "tests/golden/curve.h"
#include "tests/golden/curve_small.h"
#include "tests/unit/unit.h"
#include <math.h>

enum { CURVE_STEPS = sizeof curve_losses / sizeof *curve_losses };

static void curve_batch(void *ctx, const struct train_progress *p)
{
    struct curve *c = ctx;
    (void)p;
    ck_assert_int_lt(c->count, CURVE_STEPS);
    curve_add(c);
}

/* An activation within rounding of 0 can fall on the other side of it: from there on the curves
 * part slowly, so that later steps are held less tightly. */
static double curve_tolerance(int step) { return step <= 3 ? 1e-6 : step <= 5 ? 1e-5 : 1e-3; }

static void curve_compare(const char *isa)
{
    float losses[CURVE_STEPS];
    struct rig r;
    struct err e;
    struct train_result result;
    rig_make(&r, &curve_small);
    struct curve c = { &r, digest_create(), losses, 0 };
    r.job.watch = (struct train_watch){ .ctx = &c, .batch = curve_batch };
    ck_assert_msg(train_run(&r.job, &result, &e), "%s", e.text);
    ck_assert_int_eq(c.count, CURVE_STEPS);
    ck_assert_msg(digest_end(c.inputs) == curve_inputs,
                  "the batches are no longer those of curve_small.h: make it anew (curve_dump.c)");
    for (int i = 0; i < CURVE_STEPS; i++)
        ck_assert_msg(fabs((double)losses[i] / curve_losses[i] - 1) < curve_tolerance(i + 1),
                      "%s, step %d: %.8f, PyTorch %.8f", isa, i + 1, (double)losses[i],
                      curve_losses[i]);
    train_result_clear(&result);
    rig_clear(&r);
}

START_TEST(test_curve)
{
    for (int i = 0; kernels_at(i); i++) {
        kernels_use(kernels_at(i)->isa);
        curve_compare(kernels->isa);
    }
    kernels_use(NULL);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("curve");
    unit_case(s, "curve", 120, UNIT_TESTS(test_curve));
    return s;
}
