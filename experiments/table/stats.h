#ifndef EXPERIMENTS_TABLE_STATS_H
#define EXPERIMENTS_TABLE_STATS_H

/* Statistics over seeds. A sample may hold NAN for a run that has no result; pairs with one are
 * left out, and n says how many were used. */
struct summary {
    int n;
    double mean, sd; /* sd: n - 1 in the denominator; NAN for n < 2 */
};
struct summary stats_summary(const double *x, int n);

struct comparison { /* of paired samples a - b */
    int n;
    double delta; /* mean difference; NAN for n < 1 */
    /* 95 % interval, Student's t with n - 1 degrees; NAN for n < 2, and where all differences are
     * equal: no spread was seen, which is no proof that there is none. */
    double low, high;
    double p; /* two-sided sign-flip test of the mean; NAN for n < 1 */
};

/* The sign-flip test asks how many of the 2^n ways to give each difference a sign have a mean at
 * least as far from zero as the one seen. Up to STATS_EXACT pairs all of them are counted; above,
 * STATS_FLIPS of them are drawn (always the same ones) and p = (1 + hits) / (1 + STATS_FLIPS). */
enum { STATS_EXACT = 20, STATS_FLIPS = 100000 };
struct comparison stats_paired(const double *a, const double *b, int n);

/* The smallest p that n pairs can give: 2 / 2^n while the test is exact. */
double stats_smallest_p(int n);

/* The fewest pairs whose smallest p, times the number of comparisons Holm corrects for, is at most
 * level. */
int stats_pairs_needed(double level, int comparisons);

/* Holm's step-down correction of the n values of p, in place; NAN stays and does not count. */
void stats_holm(double *p, int n);

/* Half the 95 % interval of an error rate (percent) measured on `count` images: Wilson's score
 * interval, which does not collapse at 0 %. NAN for no images. */
double stats_sampling_error(double error, unsigned count);

/* The q-quantile of Student's t with so many degrees of freedom; q in (0, 1), degrees > 0. */
double stats_student(double q, double degrees);
#endif
