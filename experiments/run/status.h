#ifndef EXPERIMENTS_RUN_STATUS_H
#define EXPERIMENTS_RUN_STATUS_H
#include "experiments/results/results.h"

/* How far the runs of a results folder are, and how long the rest may take. */
enum standing_state {
    STANDING_COMPLETED,
    STANDING_DIVERGED,
    STANDING_FAILED,
    STANDING_INTERRUPTED,
    STANDING_RUNNING,
    STANDING_WAITING,
    STANDING_STATES
};

enum standing_state standing_of_run(const struct results *r, int point, int seed);
const char *standing_name(enum standing_state s);

struct standing {
    int runs, count[STANDING_STATES]; /* of distinct runs */
    double seconds_left;              /* one run at a time; NAN where no record tells */
};
struct standing standing_of(const struct results *r);

/* Seconds per multiply-add (of one image, forward) and epoch: the median over completed runs, NAN
 * where there is none. Supposes that runs see equally many images. */
double standing_pace(struct record *const *records, int n_records);
double standing_seconds(double pace, double macs, int epochs);
#endif
