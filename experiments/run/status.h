#ifndef EXPERIMENTS_RUN_STATUS_H
#define EXPERIMENTS_RUN_STATUS_H
#include "experiments/results/results.h"
#include "experiments/run/run_log.h"

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

const char *standing_name(enum standing_state s);

struct standing_run {
    enum standing_state state;
    bool seen;          /* running, and its process tells how far it is: */
    struct glimpse now; /* its own account */
};

struct standing {
    int runs, count[STANDING_STATES]; /* of distinct runs */
    struct standing_run *of; /* n_points x n_seeds; of points with another's network: not filled */
    int at_once;             /* runs that are trained at a time; 1 where none is */
    double seconds_left;     /* at that rate; NAN where neither record nor running process tells */
};
void standing_of(struct standing *all, const struct results *r);
void standing_clear(struct standing *all);

/* Seconds per multiply-add (of one image, forward) and epoch: the median over completed runs, NAN
 * where there is none. Supposes that runs see equally many images. */
double standing_pace(struct record *const *records, int n_records);
double standing_seconds(double pace, double macs, int epochs);
#endif
