#ifndef EXPERIMENTS_TABLE_LINES_H
#define EXPERIMENTS_TABLE_LINES_H
#include "experiments/table/table.h"

/* Tables of single runs and single epochs: a row a run of each point and seed, done or not; a row
 * an epoch of each run that has some. Points that are the same network share runs: each has its
 * rows, and same_as names the first. */
void lines_runs(struct table *t, const struct results *r);
void lines_epochs(struct table *t, const struct results *r);
#endif
