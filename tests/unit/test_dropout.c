/* What dropout draws: its share, its factors, and what its stream depends on. */
#include "tests/unit/trial.h"
#include "tests/unit/unit.h"

static const struct trial_case dropout = { OP_dropout, .in = { { 10, 4, 5, 50 } },
                                           .attr = &(struct dropout_attr){ 0.2 } };

/* The factors of one forward, 10000 of them; free() them. */
static float *factors(uint64_t seed, uint64_t index, const char *name)
{
    struct trial t;
    trial_begin(&t, &dropout);
    t.step.seed = seed, t.step.index = index, t.call.name = name;
    size_t len = tensor_len(&t.out);
    trial_set(t.in[0].data, len, 1);
    t.op->forward(&t.call);
    float *copy = malloc(len * sizeof *copy);
    memcpy(copy, t.out.data, len * sizeof *copy);
    trial_end(&t);
    return copy;
}

static size_t differing(const float *a, const float *b, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += a[i] < b[i] || a[i] > b[i];
    return count;
}

static size_t kept_in_both(const float *a, const float *b)
{
    size_t both = 0;
    for (int i = 0; i < 10000; i++) both += a[i] > 0 && b[i] > 0;
    return both;
}

START_TEST(drops_its_share_and_scales_the_rest)
{
    float *f = factors(1, 0, "drop");
    for (int i = 0; i < 10000; i++)
        ck_assert_msg(f[i] == 0 || f[i] == 1.25f, "factor %g", (double)f[i]);
    size_t kept = kept_in_both(f, f); /* of 10000, sd 40 */
    ck_assert_msg(kept > 7840 && kept < 8160, "keeps %zu of 10000", kept);
    free(f);
}
END_TEST

START_TEST(stream_is_seed_step_and_name)
{
    float *f = factors(1, 0, "drop"), *same = factors(1, 0, "drop");
    ck_assert_uint_eq(differing(f, same, 10000), 0);
    float *other[] = { factors(2, 0, "drop"), factors(1, 1, "drop"), factors(1, 0, "drop2") };
    for (int i = 0; i < 3; i++) { /* independent: both keep 0.64, sd 48 */
        size_t both = kept_in_both(f, other[i]);
        ck_assert_msg(both > 6160 && both < 6640, "stream %d: both keep %zu", i, both);
        free(other[i]);
    }
    ck_assert_msg(differing(f, f + 1000, 1000) > 0, "two images drop alike");
    free(f), free(same);
}
END_TEST

START_TEST(evaluation_drops_nothing)
{
    struct trial_case c = dropout;
    struct trial t;
    c.evaluation = true;
    trial_begin(&t, &c);
    t.op->forward(&t.call);
    ck_assert(memcmp(t.in[0].data, t.out.data, tensor_len(&t.out) * sizeof(float)) == 0);
    trial_end(&t);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("dropout");
    unit_case(s, "dropout", 10,
              UNIT_TESTS(drops_its_share_and_scales_the_rest, stream_is_seed_step_and_name,
                         evaluation_drops_nothing));
    return s;
}
