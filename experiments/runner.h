#ifndef EXPERIMENTS_RUNNER_H
#define EXPERIMENTS_RUNNER_H
#include "experiments/design.h"

struct run_options {
    const char *dir;   /* results folder */
    int threads, jobs; /* jobs: runs at a time, as processes; threads: of each */
    bool quiet;
};

/* What a folder holds of a design and what is left to do. */
struct run_census {
    int kept, waiting, changed, set_aside; /* runs */
    char (*ids)[RUN_ID]; /* n_points x n_seeds */
};

/* Trains what is not done, one record written at once after each run. Returns the exit status:
 * 0, 1 some runs failed or diverged, 3 data or disk, 130 interrupted. */
int runner_run(const struct design *d, const struct run_options *o, struct err *e);
#endif
