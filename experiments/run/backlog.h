#ifndef EXPERIMENTS_RUN_BACKLOG_H
#define EXPERIMENTS_RUN_BACKLOG_H
#include "experiments/results/results.h"

/* What a results folder holds of a design, and what is left to do. */
struct census {
    char (*ids)[RUN_ID]; /* n_points x n_seeds, row by row */
    int *distinct;       /* their places in ids, each run once, in the order in which they run: seed
                          * by seed, so that whole comparisons are done early */
    bool *done;          /* of each distinct run: it completed or diverged, for good */
    int n_distinct, kept;
    int changed, set_aside; /* earlier runs: replaced by others; no longer in the design */
    struct text changes;    /* "train.optimizer.lr 0.1 -> 0.05", or empty */
};

/* Takes the ids over. previous: what the folder held before, or NULL. False with e filled where a
 * record cannot be read. */
bool census_take(struct census *c, const struct design *d, char (*ids)[RUN_ID], const char *dir,
                 struct err *e);
void census_compare(struct census *c, const struct design *d, const struct results *previous);

/* "18 runs kept, 6 changed train.optimizer.lr 0.1 -> 0.05 and will run, ..." */
void census_say(const struct census *c, struct text *t);
void census_clear(struct census *c);
#endif
