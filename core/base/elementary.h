#ifndef CORE_BASE_ELEMENTARY_H
#define CORE_BASE_ELEMENTARY_H

/* Elementary functions made of additions, multiplications and divisions alone, which IEEE 754
 * rounds in one way: the same bits with every C library and on every processor. A library's own
 * differ in the last bit between versions, and between processors with and without FMA. Whatever
 * reaches weights, data or losses uses these; functions that are exact (sqrt, floor, ldexp, frexp)
 * may come from the library. Errors are in units of the last place of the result. */
double elementary_exp(double x);       /* to 1 unit; 0 and infinity where it leaves the range */
double elementary_log(double x);       /* to 1 unit; NaN below 0 */
double elementary_cos_turns(double t); /* cos(2 pi t), to 2 units */
double elementary_power(double x, unsigned n); /* x^n by repeated squaring */
#endif
