#include "core/base/elementary.h"
#include <math.h>

/* ln 2 in two parts; the first has 32 bits, so that its product with an exponent is exact. */
static const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1) */
static double polynomial(const double *c, int n, double x)
{
    double y = c[n - 1];
    for (int i = n - 2; i >= 0; i--) y = c[i] + x * y;
    return y;
}
#define POLYNOMIAL(c, x) polynomial(c, (int)(sizeof(c) / sizeof *(c)), x)

/* x = k ln 2 + r with |r| <= ln 2 / 2, and the Taylor polynomial of e^r. Its first term left out,
 * r^14 / 14!, is below 4e-18. */
double elementary_exp(double x)
{
    static const double c[] = { /* 1 / n! from n = 2 */
                                1.0 / 2,          1.0 / 6,         1.0 / 24,
                                1.0 / 120,        1.0 / 720,       1.0 / 5040,
                                1.0 / 40320,      1.0 / 362880,    1.0 / 3628800.0,
                                1.0 / 39916800.0, 1.0 / 479001600, 1.0 / 6227020800.0
    };
    if (isnan(x)) return x;
    if (x > 710) return INFINITY;
    if (x < -746) return 0;
    double k = floor(x * 1.4426950408889634 + 0.5);
    double high = x - k * ln2_high, low = k * ln2_low, r = high - low;
    double lost = (high - r) - low; /* by rounding r */
    return ldexp(1 + (r + (lost + r * r * POLYNOMIAL(c, r))), (int)k);
}

/* x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). With s = f / (2 + f),
 * log(1 + f) = 2 atanh(s) = 2 s + s R, R = 2/3 s^2 + 2/5 s^4 + ..., and since 2 s = f - s f,
 * log(1 + f) = f - (f^2 / 2 - s (f^2 / 2 + R)), whose first term is exact (Sun's fdlibm). The first
 * term left out is below 1e-18 of the result. */
double elementary_log(double x)
{
    static const double c[] = { 2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21 };
    int e;
    if (isnan(x) || x < 0) return NAN;
    if (x == 0 || isinf(x)) return x == 0 ? -INFINITY : INFINITY;
    double m = frexp(x, &e);
    if (m < 0x1.6a09e667f3bcdp-1) {
        m *= 2;
        e--;
    }
    double f = m - 1, s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    double rest = s * (half + z * POLYNOMIAL(c, z));
    return e * ln2_high - ((half - (rest + e * ln2_low)) - f);
}

/* |v| <= 1/8 of a turn; the first terms left out are below 1e-17. */
static double cos_near(double v)
{
    static const double c[] = {
        /* (-1)^n / (2 n)! from n = 2 */
        1.0 / 24,          -1.0 / 720,           1.0 / 40320,           -1.0 / 3628800,
        1.0 / 479001600.0, -1.0 / 87178291200.0, 1.0 / 20922789888000.0
    };
    double x = 6.283185307179586 * v, z = x * x;
    return 1 - (0.5 * z - z * z * POLYNOMIAL(c, z));
}

static double sin_near(double v)
{
    static const double c[] = { /* (-1)^n / (2 n + 1)! from n = 1 */
                                -1.0 / 6,
                                1.0 / 120,
                                -1.0 / 5040,
                                1.0 / 362880,
                                -1.0 / 39916800.0,
                                1.0 / 6227020800.0,
                                -1.0 / 1307674368000.0,
                                1.0 / 355687428096000.0
    };
    double x = 6.283185307179586 * v, z = x * x;
    return x + x * z * POLYNOMIAL(c, z);
}

/* Whole turns and quarters are taken off without rounding, so that zeros and extremes are exact. */
double elementary_cos_turns(double t)
{
    double a = fabs(t - floor(t + 0.5)); /* 0 .. 1/2 */
    if (a <= 0.125) return cos_near(a);
    return a <= 0.375 ? sin_near(0.25 - a) : -cos_near(0.5 - a);
}

double elementary_power(double x, unsigned n)
{
    double y = 1;
    for (; n; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return y;
}
