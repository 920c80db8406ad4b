/* Statistics against tables and against a second way to count. */
#include "experiments/table/stats.h"
#include "tests/unit/unit.h"
#include <math.h>

/* Quantiles of Student's t, from any printed table (here to the digits of Abramowitz & Stegun,
 * table 26.10, and closed forms: v = 1 is the Cauchy distribution, v = 2 has
 * t = (2 q - 1) sqrt(2 / (1 - (2 q - 1)^2))). */
START_TEST(test_student)
{
    static const struct {
        double q, degrees, t, within;
    } known[] = {
        { 0.975, 1, 12.706204736, 1e-7 },  { 0.975, 2, 4.302652730, 1e-8 },
        { 0.975, 3, 3.182446305, 1e-8 },   { 0.975, 4, 2.776445105, 1e-8 },
        { 0.975, 5, 2.570581836, 1e-8 },   { 0.975, 9, 2.262157163, 1e-8 },
        { 0.95, 10, 1.812461123, 1e-8 },   { 0.995, 30, 2.749995654, 1e-8 },
        { 0.975, 120, 1.979930405, 1e-8 }, { 0.975, 1e7, 1.95996412, 1e-6 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        ck_assert_double_eq_tol(stats_student(known[i].q, known[i].degrees), known[i].t,
                                known[i].within);
        ck_assert_double_eq_tol(stats_student(1 - known[i].q, known[i].degrees), -known[i].t,
                                known[i].within * 10);
    }
    for (int q = 51; q < 100; q++) {
        double u = 2 * q / 100.0 - 1, exact = u * sqrt(2 / (1 - u * u));
        ck_assert_double_eq_tol(stats_student(q / 100.0, 2), exact, 1e-10 * (1 + exact));
    }
}
END_TEST

START_TEST(test_summary)
{
    struct summary s = stats_summary((double[]){ 2, 4, NAN, 4, 4, 5, 5, 7, 9 }, 9);
    ck_assert_int_eq(s.n, 8);
    ck_assert_double_eq_tol(s.mean, 5, 1e-15);
    ck_assert_double_eq_tol(s.sd, sqrt(32.0 / 7), 1e-15);
    s = stats_summary((double[]){ 3 }, 1);
    ck_assert(s.n == 1 && s.mean == 3 && isnan(s.sd));
    s = stats_summary((double[]){ NAN }, 1);
    ck_assert(s.n == 0 && isnan(s.mean) && isnan(s.sd));
}
END_TEST

/* Signs of {1, 2, 3}: sums at least 6 away: 2 of 8. {1, 1, 1, -1}: sums +-2 and beyond: 10 of 16.
 */
START_TEST(test_sign_flip)
{
    double zero[24] = { 0 };
    ck_assert_double_eq(stats_paired((double[]){ 1, 2, 3 }, zero, 3).p, 0.25);
    ck_assert_double_eq(stats_paired((double[]){ 1, 1, 1, -1 }, zero, 4).p, 10.0 / 16);
    ck_assert_double_eq(stats_paired((double[]){ 1, 2, 3, 4, 5, 6 }, zero, 6).p, 2.0 / 64);
    /* 0.1 + 0.2 and 0.3 are one tie in decimals and two numbers in binary. */
    ck_assert_double_eq(stats_paired((double[]){ 0.1, 0.2, -0.3 }, zero, 3).p, 1);
    ck_assert_double_eq(stats_paired((double[]){ 0.3, 0.1, 0.2, -0.3 }, zero, 4).p, 12.0 / 16);
    ck_assert_double_eq(stats_paired(zero, zero, 5).p, 1);
    ck_assert(isnan(stats_paired((double[]){ NAN }, zero, 1).p));
    ck_assert_double_eq(stats_paired((double[]){ 4 }, zero, 1).p, 1);
}
END_TEST

/* The counted p of 20 pairs and the drawn p of the same pairs and one that is no difference. */
START_TEST(test_drawn)
{
    double a[21] = { 0 }, b[21] = { 0 };
    for (int i = 0; i < 20; i++) a[i] = sin(i * i) + 0.3;
    struct comparison counted = stats_paired(a, b, 20), drawn = stats_paired(a, b, 21);
    ck_assert(counted.p > 0.01 && counted.p < 0.5);
    ck_assert_double_eq_tol(drawn.p, counted.p, 0.005);
    ck_assert_double_eq(drawn.p, stats_paired(a, b, 21).p);
    for (int i = 0; i < 21; i++) a[i] = 1;
    ck_assert_double_eq(stats_paired(a, b, 21).p, stats_smallest_p(21));
}
END_TEST

/* Of many pairs that are equal but for 8, wherever these stand: 2 of 2^8 signs reach as far. */
START_TEST(test_drawn_many)
{
    for (int at = 0; at + 8 <= 80; at += 24) {
        double a[80] = { 0 }, zero[80] = { 0 };
        for (int i = 0; i < 8; i++) a[at + i] = 1;
        ck_assert_double_eq_tol(stats_paired(a, zero, 80).p, 2.0 / 256, 0.0015); /* sd: 0.00028 */
    }
}
END_TEST

/* Differences 1, 2, 3: mean 2, sd 1, half width 4.302652730 / sqrt(3). */
START_TEST(test_interval)
{
    struct comparison c = stats_paired((double[]){ 5, NAN, 7, 4 }, (double[]){ 4, 1, 5, 1 }, 4);
    ck_assert_int_eq(c.n, 3);
    ck_assert_double_eq_tol(c.delta, 2, 1e-15);
    ck_assert_double_eq_tol(c.low, 2 - 4.302652730 / sqrt(3), 1e-8);
    ck_assert_double_eq_tol(c.high, 2 + 4.302652730 / sqrt(3), 1e-8);
    c = stats_paired((double[]){ 5 }, (double[]){ 4 }, 1);
    ck_assert(c.delta == 1 && isnan(c.low) && isnan(c.high));
    c = stats_paired((double[]){ 5.3, 6.1 }, (double[]){ 5.2, 6.0 }, 2);
    ck_assert(c.n == 2 && isnan(c.low) && c.p == 0.5);
}
END_TEST

START_TEST(test_smallest)
{
    ck_assert_double_eq(stats_smallest_p(3), 0.25);
    ck_assert_double_eq(stats_smallest_p(6), 0.03125);
    ck_assert(isnan(stats_smallest_p(0)));
    ck_assert_int_eq(stats_pairs_needed(0.05, 1), 6);
    ck_assert_int_eq(stats_pairs_needed(0.05, 5), 8);
}
END_TEST

/* Holm 1979 on 0.01, 0.04, 0.03, 0.005: 0.03, 0.06, 0.06, 0.02. */
START_TEST(test_holm)
{
    double p[] = { 0.01, NAN, 0.04, 0.03, 0.005 };
    static const double want[] = { 0.03, 0, 0.06, 0.06, 0.02 };
    stats_holm(p, 5);
    ck_assert(isnan(p[1]));
    for (int i = 0; i < 5; i++)
        if (i != 1) ck_assert_double_eq_tol(p[i], want[i], 1e-15);
    double large[] = { 0.6, 0.9 };
    stats_holm(large, 2);
    ck_assert(large[0] == 1 && large[1] == 1);
}
END_TEST

/* Wilson 1927. At 0 of 100 the interval is 0 .. z^2 / (n + z^2) = 3.699 %; at 8 % of 10,000 it lies
 * between the roots of (q - 0.08)^2 = z^2 q (1 - q) / n. */
START_TEST(test_sampling)
{
    ck_assert_double_eq_tol(stats_sampling_error(0, 100), 3.699349 / 2, 1e-5);
    ck_assert_double_eq_tol(stats_sampling_error(8, 10000), 0.531867, 1e-6);
    ck_assert_double_eq_tol(stats_sampling_error(8, 10000), stats_sampling_error(92, 10000), 1e-12);
    ck_assert(isnan(stats_sampling_error(8, 0)));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("stats");
    unit_case(s, "stats", 20,
              UNIT_TESTS(test_student, test_summary, test_sign_flip, test_drawn, test_drawn_many,
                         test_interval, test_smallest, test_holm, test_sampling));
    return s;
}
