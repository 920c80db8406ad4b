/* The shares that a shake mixes its branches by: what forward and backward do with them, how they
 * are spread, and that they follow from seed, step, name and image alone. */
#include "tests/unit/trial.h"
#include "tests/unit/unit.h"

enum { IMAGES = 400, IMAGE = 2 * 3 * 5, SHARES = 2 * IMAGES };

/* Who draws: the step's seed and number, and the node's name. */
struct draw {
    uint64_t seed, index;
    const char *name;
};
static const struct draw usual = { 1, 0, "shake" };

static void begin(struct trial *t, const struct shake_attr *attr, struct draw d)
{
    const struct trial_case c = { OP_shake, .in = { { IMAGES, 2, 3, 5 }, { IMAGES, 2, 3, 5 } },
                                  .attr = attr };
    trial_begin(t, &c);
    t->step.seed = d.seed, t->step.index = d.index, t->call.name = d.name;
    t->of = NULL;
}

/* alpha of all images, then beta, as one forward draws them. */
static void shares(float out[SHARES], struct shake_attr attr, struct draw d)
{
    struct trial t;
    begin(&t, &attr, d);
    t.op->forward(&t.call);
    memcpy(out, t.call.saved, SHARES * sizeof *out);
    trial_end(&t);
}

static bool near(double a, double b) { return fabs(a - b) < 1e-6 * (1 + fabs(b)); }

/* y by alpha, the gradients by beta: also where beta is no derivative. */
START_TEST(branches_are_mixed_by_the_shares)
{
    struct trial t;
    const struct shake_attr attr = { SHAKE_SHAKE, false };
    begin(&t, &attr, usual);
    t.op->forward(&t.call);
    const float *a = t.in[0].data, *b = t.in[1].data;
    for (size_t i = 0; i < tensor_len(&t.out); i++) {
        const double alpha = (double)t.call.saved[i / IMAGE];
        ck_assert(near((double)t.out.data[i], alpha * (double)a[i] + (1 - alpha) * (double)b[i]));
    }
    trial_backward(&t);
    for (size_t i = 0; i < tensor_len(&t.out); i++) {
        const double beta = (double)t.call.saved[IMAGES + i / IMAGE], dy = (double)t.out.grad[i];
        ck_assert(near((double)t.in[0].grad[i], beta * dy));
        ck_assert(near((double)t.in[1].grad[i], (1 - beta) * dy));
    }
    trial_end(&t);
}
END_TEST

static double mean_product(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < IMAGES; i++) sum += ((double)a[i] - 0.5) * ((double)b[i] - 0.5);
    return sum / IMAGES;
}

/* Uniform on [0, 1): mean 1/2 and variance 1/12, of 400 with sd 0.014 and 0.004; alpha and beta of
 * an image, and those of its neighbour, have nothing to do with each other. */
START_TEST(shares_are_uniform_and_independent)
{
    float s[SHARES];
    shares(s, (struct shake_attr){ SHAKE_SHAKE, false }, usual);
    for (int half = 0; half < 2; half++) {
        double sum = 0;
        for (int i = 0; i < IMAGES; i++) {
            ck_assert(s[half * IMAGES + i] >= 0 && s[half * IMAGES + i] <= 1);
            sum += (double)s[half * IMAGES + i];
        }
        ck_assert(fabs(sum / IMAGES - 0.5) < 0.06);
        const float *own = s + half * IMAGES;
        ck_assert(fabs(mean_product(own, own) - 1.0 / 12) < 0.016);
    }
    ck_assert(fabs(mean_product(s, s + IMAGES)) < 0.017);
    ck_assert(fabs(mean_product(s, s + 1)) < 0.017);
}
END_TEST

START_TEST(the_share_backward_is_what_it_is_called)
{
    float s[SHARES];
    shares(s, (struct shake_attr){ SHAKE_EVEN, false }, usual);
    for (int i = 0; i < IMAGES; i++) ck_assert(s[IMAGES + i] == 0.5f);
    ck_assert(mean_product(s, s) > 0.06);
    shares(s, (struct shake_attr){ SHAKE_KEEP, false }, usual);
    ck_assert(memcmp(s, s + IMAGES, IMAGES * sizeof *s) == 0);
    ck_assert(mean_product(s, s) > 0.06);
}
END_TEST

START_TEST(a_batch_has_one_share)
{
    float s[SHARES];
    shares(s, (struct shake_attr){ SHAKE_SHAKE, true }, usual);
    for (int i = 0; i < SHARES; i++) ck_assert(s[i] == s[i / IMAGES * IMAGES]);
    ck_assert(s[0] != s[IMAGES]);
}
END_TEST

START_TEST(shares_follow_from_seed_step_and_name)
{
    const struct shake_attr attr = { SHAKE_SHAKE, false };
    float s[SHARES], other[SHARES];
    shares(s, attr, usual);
    shares(other, attr, usual);
    ck_assert(memcmp(s, other, sizeof s) == 0);
    const struct draw others[] = { { 2, 0, "shake" }, { 1, 1, "shake" }, { 1, 0, "shake2" } };
    for (int i = 0; i < 3; i++) {
        shares(other, attr, others[i]);
        ck_assert_msg(fabs(mean_product(s, other)) < 0.017, "draw %d is like the usual one", i);
    }
}
END_TEST

START_TEST(an_evaluation_takes_the_mean)
{
    struct trial t;
    const struct shake_attr attr = { SHAKE_SHAKE, false };
    begin(&t, &attr, usual);
    t.step.training = false;
    t.op->forward(&t.call);
    for (int i = 0; i < SHARES; i++) ck_assert(t.call.saved[i] == 0.5f);
    trial_end(&t);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("shake");
    unit_case(s, "shake", 20,
              UNIT_TESTS(branches_are_mixed_by_the_shares, shares_are_uniform_and_independent,
                         the_share_backward_is_what_it_is_called, a_batch_has_one_share,
                         shares_follow_from_seed_step_and_name, an_evaluation_takes_the_mean));
    return s;
}
