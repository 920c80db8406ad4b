#ifndef EXPERIMENTS_STATS_H
#define EXPERIMENTS_STATS_H

/* Statistics over seeds. A sample may hold NAN for a run that has no result; pairs with one are
 * left out, and n says how many were used. */
struct summary {
    int n;
    double mean, sd; /* sd: n - 1 in the denominator; NAN for n < 2 */
};
struct summary stats_summary(const double *x, int n);

struct comparison {     /* of paired samples a - b */
    int n;
    double delta;       /* mean difference */
    double low, high;   /* 95 % interval, Student's t with n - 1 degrees; NAN for n < 2 */
    double p;           /* two-sided exact sign-flip test; NAN for n < 1 */
};
struct comparison stats_paired(const double *a, const double *b, int n);

/* The smallest p that n pairs can give: 2 / 2^n. */
double stats_smallest_p(int n);

/* Holm's step-down correction of the n values of p, in place; NAN stays and does not count. */
void stats_holm(double *p, int n);

/* Half the 95 % interval of an error rate (percent) measured on `count` images. */
double stats_sampling_error(double error, unsigned count);
#endif
