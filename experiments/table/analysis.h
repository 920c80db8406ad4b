#ifndef EXPERIMENTS_TABLE_ANALYSIS_H
#define EXPERIMENTS_TABLE_ANALYSIS_H
#include "experiments/results/results.h"
#include "experiments/table/stats.h"

/* The statistics of an experiment, before any rounding. A row is a point; `root` is the first point
 * that builds the same network, and rows of one root share runs and numbers. */
struct analysis_row {
    int root;
    int done;                          /* runs with a test result, of n_seeds */
    struct summary top1, top5;         /* percent */
    double seconds, images_per_second; /* mean over completed runs */
    struct comparison delta;   /* top-1, to the baseline; n 0 where there is nothing to compare */
    double p;                  /* of delta, Holm-corrected over `comparisons` */
    struct comparison to_best; /* top-1, to the row with the lowest mean */
    bool best;                 /* the lowest mean, or not to be told from it */
};
struct analysis {
    struct analysis_row *rows;   /* n_points */
    int baseline;                /* root of the baseline, or -1 */
    int comparisons;             /* networks compared with the baseline */
    int pairs_least, pairs_most; /* of such a comparison, 0: none */
    int lowest;   /* of the rows with the most results, the one with the lowest mean top-1; or -1 */
    int testable; /* networks with pairs enough to be told from it at ANALYSIS_LEVEL */
    int untestable;      /* and those without */
    int classes;         /* of the data, 0: unknown */
    double error;        /* of the lowest row */
    unsigned test_count; /* test images, 0: unknown */
};
#define ANALYSIS_LEVEL 0.05

void analysis_make(struct analysis *a, const struct results *r);
void analysis_clear(struct analysis *a);
#endif
