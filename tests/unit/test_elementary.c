/* Functions whose bits are the program's own, against the C library's in long double. */
#include "core/base/elementary.h"
#include "core/base/rng.h"
#include "tests/unit/unit.h"
#include <math.h>

/* |got - want| in units of the last place of a double at want. */
static double units(double got, long double want)
{
    int exponent;
    frexpl(want, &exponent);
    return (double)(fabsl((long double)got - want) / ldexpl(1, exponent - 53));
}

enum { DRAWS = 200000 };

START_TEST(test_exp)
{
    struct rng r = rng_stream(1, RNG_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double wide = 1416 * rng_uniform(&r) - 708, near = 4 * rng_uniform(&r) - 2;
        ck_assert_double_lt(units(elementary_exp(wide), expl((long double)wide)), 1);
        ck_assert_double_lt(units(elementary_exp(near), expl((long double)near)), 1);
    }
    ck_assert(elementary_exp(0) == 1 && elementary_exp(-0.0) == 1);
    ck_assert(elementary_exp(709.78) < INFINITY && elementary_exp(709.79) == INFINITY);
    ck_assert(elementary_exp(-745.13) > 0 && elementary_exp(-745.14) == 0);
    ck_assert(elementary_exp(INFINITY) == INFINITY && elementary_exp(-INFINITY) == 0);
    ck_assert(isnan(elementary_exp(NAN)));
}
END_TEST

START_TEST(test_log)
{
    struct rng r = rng_stream(2, RNG_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double any = ldexp(0.5 + rng_uniform(&r), (int)rng_below(&r, 2000) - 1000);
        double below = 1 - rng_uniform(&r), near = 1 + ldexp(rng_uniform(&r) - 0.5, -8);
        ck_assert_double_lt(units(elementary_log(any), logl((long double)any)), 1);
        ck_assert_double_lt(units(elementary_log(below), logl((long double)below)), 1);
        ck_assert_double_lt(units(elementary_log(near), logl((long double)near)), 1);
    }
    ck_assert(elementary_log(1) == 0 && elementary_log(0) == -INFINITY);
    ck_assert(elementary_log(INFINITY) == INFINITY);
    ck_assert(isnan(elementary_log(-1)) && isnan(elementary_log(NAN)));
    ck_assert_double_lt(units(elementary_log(0x1p-1070), logl(0x1p-1070L)), 1); /* subnormal */
}
END_TEST

/* The argument of the long double's function is reduced first, or its own rounding would show. */
static long double cos_turns_long(double t)
{
    const long double turn = 2 * 3.14159265358979323846264338327950288L;
    if (t <= 0.125) return cosl(turn * (long double)t);
    if (t <= 0.375) return sinl(turn * (0.25L - (long double)t));
    return -cosl(turn * (0.5L - (long double)t));
}

START_TEST(test_cos_turns)
{
    struct rng r = rng_stream(3, RNG_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double t = ldexp((double)(1 + rng_below(&r, (1 << 30) - 1)), -31),
               c = elementary_cos_turns(t);
        if (t != 0.25) ck_assert_double_lt(units(c, cos_turns_long(t)), 2);
        ck_assert(elementary_cos_turns(-t) == c && elementary_cos_turns(1 - t) == c);
        ck_assert(elementary_cos_turns(t + 12) == c && elementary_cos_turns(0.5 - t) == -c);
    }
    ck_assert(elementary_cos_turns(0) == 1 && elementary_cos_turns(0.25) == 0);
    ck_assert(elementary_cos_turns(0.5) == -1 && elementary_cos_turns(-0.75) == 0);
    ck_assert(isnan(elementary_cos_turns(NAN)) && isnan(elementary_cos_turns(INFINITY)));
}
END_TEST

START_TEST(test_power)
{
    ck_assert(elementary_power(0, 0) == 1 && elementary_power(0, 3) == 0);
    ck_assert(elementary_power(0.5, 1074) == 0x1p-1074 && elementary_power(3, 13) == 1594323);
    for (unsigned n = 0; n < 200; n++)
        ck_assert_double_lt(units(elementary_power(0.9, n), powl(0.9, n)), 1 + n / 2.0);
    ck_assert(elementary_power(0.97, 100000000) == 0);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("elementary");
    unit_case(s, "elementary", 20, UNIT_TESTS(test_exp, test_log, test_cos_turns, test_power));
    return s;
}
