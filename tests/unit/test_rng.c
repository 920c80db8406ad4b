/* Random numbers: the generator, its streams, and how its draws are distributed. */
#include "core/base/rng.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdlib.h>

START_TEST(rng_is_philox)
{
    /* Random123's known-answer test for counter 0, key 0 has the words 6627e8d5 e169c58d bc57ac4c
     * 9b00dbd8; our streams begin at another counter, so the generator is checked through seed and
     * purpose 0. */
    struct rng r = rng_stream(0, (enum rng_purpose)0, 0, 0);
    ck_assert_uint_eq(rng_u32(&r), 0x6627e8d5);
    ck_assert_uint_eq(rng_u32(&r), 0xe169c58d);
    ck_assert_uint_eq(rng_u32(&r), 0xbc57ac4c);
    ck_assert_uint_eq(rng_u32(&r), 0x9b00dbd8);
}
END_TEST

START_TEST(rng_streams_differ_and_repeat)
{
    struct rng a = rng_stream(1, RNG_ORDER, 5, 2), b = rng_stream(1, RNG_ORDER, 5, 2);
    for (int i = 0; i < 9; i++) ck_assert_uint_eq(rng_u32(&a), rng_u32(&b));
    struct rng other[] = { rng_stream(2, RNG_ORDER, 5, 2), rng_stream(1, RNG_AUGMENT, 5, 2),
                           rng_stream(1, RNG_ORDER, 6, 2), rng_stream(1, RNG_ORDER, 5, 3),
                           rng_stream(1, RNG_ORDER, 5 + (1ull << 32), 2) };
    b = rng_stream(1, RNG_ORDER, 5, 2);
    uint32_t first = rng_u32(&b);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        ck_assert_uint_ne(rng_u32(&other[i]), first);
}
END_TEST

START_TEST(rng_has_the_right_moments)
{
    struct rng r = rng_stream(3, RNG_TEST, 0, 0);
    double mean = 0, square = 0, uniform = 0;
    const int n = 200000;
    for (int i = 0; i < n; i++) {
        double x = rng_normal(&r), u = rng_uniform(&r);
        ck_assert(u >= 0 && u < 1);
        mean += x / n;
        square += x * x / n;
        uniform += u / n;
    }
    ck_assert_double_lt(fabs(mean), 0.01);
    ck_assert_double_lt(fabs(square - 1), 0.015);
    ck_assert_double_lt(fabs(uniform - 0.5), 0.003);
}
END_TEST

/* Of 3 * 2^30 numbers none comes twice as often as another, which is what the high word of a
 * product gives to one in three; and a uniform number has bits down to 2^-53. */
START_TEST(rng_draws_every_number_alike)
{
    struct rng r = rng_stream(6, RNG_TEST, 0, 0);
    const int n = 30000;
    int thirds = 0, fine = 0;
    for (int i = 0; i < n; i++) {
        thirds += rng_below(&r, UINT32_C(3) << 30) % 3 == 0;
        fine += (int)((uint64_t)(rng_uniform(&r) * 0x1p53) & 1);
    }
    ck_assert_int_lt(abs(thirds - n / 3), 400); /* sd: 82 */
    ck_assert_int_lt(abs(fine - n / 2), 400);   /* sd: 87 */
}
END_TEST

START_TEST(rng_shuffles_everything_once)
{
    struct rng r = rng_stream(4, RNG_TEST, 0, 0);
    uint32_t order[257];
    int seen[257] = { 0 }, moved = 0;
    rng_shuffle(&r, order, 257);
    for (uint32_t i = 0; i < 257; i++) {
        ck_assert_uint_lt(order[i], 257);
        seen[order[i]]++;
        moved += order[i] != i;
    }
    for (int i = 0; i < 257; i++) ck_assert_int_eq(seen[i], 1);
    ck_assert_int_gt(moved, 240);
}
END_TEST

/* Each of the 24 orders of four numbers is met one time in 24: Pearson's sum, with 23 degrees of
 * freedom, goes beyond 60 one time in 30,000. */
START_TEST(rng_shuffles_fairly)
{
    enum { SHUFFLES = 24000 };
    struct rng r = rng_stream(5, RNG_TEST, 0, 0);
    int met[256] = { 0 };
    double far = 0;
    for (int i = 0; i < SHUFFLES; i++) {
        uint32_t o[4];
        rng_shuffle(&r, o, 4);
        met[o[0] << 6 | o[1] << 4 | o[2] << 2 | o[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (met[i]) far += pow(met[i] - SHUFFLES / 24, 2) / (SHUFFLES / 24);
    ck_assert_double_lt(far, 60);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("rng");
    unit_case(s, "rng", 20,
              UNIT_TESTS(rng_is_philox, rng_streams_differ_and_repeat, rng_has_the_right_moments,
                         rng_draws_every_number_alike, rng_shuffles_everything_once,
                         rng_shuffles_fairly));
    return s;
}
