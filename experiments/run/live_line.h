#ifndef EXPERIMENTS_RUN_LIVE_LINE_H
#define EXPERIMENTS_RUN_LIVE_LINE_H
#include "core/base/terminal.h"
#include "core/base/text.h"
#include "core/train/train.h"

/* A run in hand, as it is sent to the process that shows it. */
enum { LIVE_LABEL = 400 };
struct live_run {
    char label[LIVE_LABEL]; /* of its point; cut where it is longer */
    uint64_t seed;
    int number, of; /* run k of n; number 0: there is none */
    struct train_progress now;
    double validation_error; /* percent, of the last epoch that ended; NAN */
    double seconds;          /* that the whole of it takes */
    double behind;           /* work of the runs that begin after it, in runs like this one */
};

/* Its line, which fits the terminal. The time left stands where it is never cut; of the rest, whole
 * figures are left out before the label is cut. */
void live_line(struct text *out, const struct live_run *r, const struct terminal *t);

/* The runs in hand, of those that ended before and those that are still to begin. */
struct live_runs {
    struct live_run *of; /* each slot's */
    int slots, ended;
};

/* Seconds until all runs have ended; NAN where none is in hand. */
double live_left(const struct live_runs *all);

/* The line below those of the runs: how long all of them take. Nothing where there is but one. */
void live_sum(struct text *out, const struct live_runs *all, const struct terminal *t);
#endif
