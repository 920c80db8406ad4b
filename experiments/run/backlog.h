#ifndef EXPERIMENTS_RUN_BACKLOG_H
#define EXPERIMENTS_RUN_BACKLOG_H
#include "experiments/results/results.h"

/* What a results folder holds of a design, and what is left to do. */
struct census {
    char (*ids)[RUN_ID]; /* n_points x n_seeds, row by row */
    int *distinct;       /* their places in ids, each run once, in the order in which they run: seed
                          * by seed, so that whole comparisons are done early */
    bool *done;          /* of each distinct run: it completed or diverged, for good */
    struct census_id *sorted; /* the distinct runs by id */
    int n_distinct, kept;
    int outside;         /* records in the folder that are of no run of this design */
    bool data_changed;   /* earlier runs had the same settings, but other images or numerics */
    struct text changes; /* "train.optimizer.lr is now 0.05 (was 0.1)", or empty */
};

/* Takes the ids over. False with e filled where a record cannot be read. */
bool census_take(struct census *c, const struct design *d, char (*ids)[RUN_ID], const char *dir,
                 struct err *e);

/* Is it the id of a run of the design? */
bool census_holds(const struct census *c, const char *id);

/* What tells the runs that are to be trained from those of an earlier design that have their labels
 * and seeds. */
void census_compare(struct census *c, const struct design *d, const struct results *previous);

/* "train.optimizer.lr is now 0.05 (was 0.1): 6 runs to train; 12 earlier runs stay outside this
 * table" */
void census_say(const struct census *c, struct text *t);
void census_clear(struct census *c);
#endif
