/* Summaries and tests over seeds. Every result depends on the numbers alone: sums run in the order
 * of the sample, and the drawn sign flips come from one fixed stream. */
#include "experiments/table/stats.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include <math.h>
#include <stdlib.h>

struct summary stats_summary(const double *x, int n)
{
    struct summary s = { 0, NAN, NAN };
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(x[i])) sum += x[i], s.n++;
    if (s.n > 0) s.mean = sum / s.n;
    for (int i = 0; i < n; i++)
        if (!isnan(x[i])) squares += (x[i] - s.mean) * (x[i] - s.mean);
    if (s.n > 1) s.sd = sqrt(squares / (s.n - 1));
    return s;
}

/* How many signs for the n differences d bring sum to at least `far` from zero. */
static double flips_counted(const double *d, int n, double sum, double far)
{
    if (n == 0) return fabs(sum) >= far ? 1 : 0;
    return flips_counted(d + 1, n - 1, sum + d[0], far) +
           flips_counted(d + 1, n - 1, sum - d[0], far);
}

static double flips_drawn(const double *d, int n, double far)
{
    struct rng r = rng_stream(0, RNG_TEST, (uint64_t)n, 0);
    double hits = 0;
    for (int k = 0; k < STATS_FLIPS; k++) {
        double sum = 0;
        uint32_t signs = 0;
        for (int i = 0; i < n; i++, signs >>= 1) {
            if (i % 32 == 0) signs = rng_u32(&r);
            sum += signs & 1 ? d[i] : -d[i];
        }
        hits += fabs(sum) >= far ? 1 : 0;
    }
    return (1 + hits) / (1 + (double)STATS_FLIPS);
}

/* Error rates are multiples of one image, so that different signs often give the same mean. Such
 * ties count as "at least as far", whatever the rounding of their sums: hence the tolerance. */
static double sign_flip_p(const double *d, int n)
{
    double sum = 0, size = 0;
    for (int i = 0; i < n; i++) sum += d[i], size += fabs(d[i]);
    double far = fabs(sum) - 1e-9 * size;
    if (n > STATS_EXACT) return flips_drawn(d, n, far);
    /* A set of signs and its opposite are equally far: the first sign can stay. */
    return ldexp(flips_counted(d + 1, n - 1, d[0], far), 1 - n);
}

struct comparison stats_paired(const double *a, const double *b, int n)
{
    struct comparison c = { 0, NAN, NAN, NAN, NAN };
    double *d = mem_new((size_t)n + 1, sizeof *d);
    for (int i = 0; i < n; i++)
        if (!isnan(a[i]) && !isnan(b[i])) d[c.n++] = a[i] - b[i];
    struct summary s = stats_summary(d, c.n);
    c.delta = s.mean;
    if (c.n > 0) c.p = sign_flip_p(d, c.n);
    if (c.n > 1 && s.sd > 1e-9 * fabs(s.mean)) {
        double half = stats_student(0.975, c.n - 1) * s.sd / sqrt(c.n);
        c.low = c.delta - half;
        c.high = c.delta + half;
    }
    free(d);
    return c;
}

double stats_smallest_p(int n)
{
    if (n < 1) return NAN;
    return n > STATS_EXACT ? 1 / (1 + (double)STATS_FLIPS) : ldexp(1, 1 - n);
}

int stats_pairs_needed(double level, int comparisons)
{
    int n = 1;
    while (n <= STATS_EXACT && stats_smallest_p(n) * comparisons > level) n++;
    return n;
}

static int by_p(const void *a, const void *b)
{
    double x = **(double *const *)a, y = **(double *const *)b;
    return (x > y) - (x < y);
}

/* Holm 1979: the smallest p times m, the next times m - 1, ..., never falling, at most 1. */
void stats_holm(double *p, int n)
{
    double **order = mem_new((size_t)n + 1, sizeof *order), floor = 0;
    int m = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(p[i])) order[m++] = &p[i];
    qsort(order, (size_t)m, sizeof *order, by_p);
    for (int i = 0; i < m; i++) {
        floor = fmax(floor, fmin(1, *order[i] * (m - i)));
        *order[i] = floor;
    }
    free(order);
}

double stats_sampling_error(double error, unsigned count)
{
    const double z = 1.959963984540054; /* the normal distribution's 0.975 quantile */
    if (count == 0) return NAN;
    double n = count, p = error / 100;
    return 100 * z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
}

/* Continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8), evaluated by
 * Lentz's method; converges quickly for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = INFINITY, d = 1, f = 1;
    for (int k = 1; k < 500; k++) {
        int m = k / 2;
        double term = k % 2 ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                            : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + term * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = 1 + term / c;
        c = fabs(c) < tiny ? tiny : c;
        f *= c * d;
        if (fabs(c * d - 1) < 1e-15) break;
    }
    return f;
}

static double beta_incomplete(double a, double b, double x)
{
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* P(T > t) for t >= 0 is I_x(v/2, 1/2) / 2 at x = v / (v + t^2) (A&S 26.7.1). */
static double student_tail(double t, double degrees)
{
    return 0.5 * beta_incomplete(degrees / 2, 0.5, degrees / (degrees + t * t));
}

double stats_student(double q, double degrees)
{
    BUG_IF(!(q > 0 && q < 1) || !(degrees > 0), "quantile %g with %g degrees", q, degrees);
    double tail = q < 0.5 ? q : 1 - q, low = 0, high = 1;
    while (student_tail(high, degrees) > tail) high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-14 * high; i++) {
        double middle = (low + high) / 2;
        if (student_tail(middle, degrees) > tail)
            low = middle;
        else
            high = middle;
    }
    return q < 0.5 ? -high : high;
}
