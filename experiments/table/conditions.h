#ifndef EXPERIMENTS_TABLE_CONDITIONS_H
#define EXPERIMENTS_TABLE_CONDITIONS_H
#include "experiments/table/analysis.h"

/* What runs were made with, as far as their numbers or times depend on it. Runs of one design may
 * differ in it: several machines share a folder, or a command is repeated with other options. */
enum condition {
    CONDITION_NUMERICS,  /* version of the numerics: "2" */
    CONDITION_ISA,       /* "avx2" */
    CONDITION_PRECISION, /* "bf16" */
    CONDITION_MACHINE,   /* "AMD EPYC, 2 threads, 1 run at a time" */
    CONDITION_UNFUSED    /* calls over feature maps of a step that others fuse (graph_unfused) */
};

/* Of the completed runs of a row: "avx2", or "avx2; avx512" where they differ; FORMAT_NONE where
 * there are none or their records do not say. */
const char *condition_of_row(struct pool *p, const struct results *r, int row, enum condition c);

/* Where the completed runs of all rows differ: "avx2 in reduction=8, reduction=16 (seeds 3, 4);
 * avx512 otherwise", the most common one at the end; otherwise NULL. Rows of one network are named
 * by the first of them. */
const char *condition_differences(struct pool *p, const struct results *r, const struct analysis *a,
                                  enum condition c);
#endif
