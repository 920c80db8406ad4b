#ifndef EXPERIMENTS_RESULTS_RECORDS_H
#define EXPERIMENTS_RESULTS_RECORDS_H
#include "experiments/results/record.h"

/* All records of a results folder, whatever design made them. */
struct records {
    struct record **all; /* by id */
    int n;
};

/* False with e filled where one of them is damaged. A folder that is not there has none. */
bool records_read(const char *dir, struct records *all, struct err *e);
void records_clear(struct records *all);

/* Those whose runs were asked to see what the point's will see: how many; they are borrowed. */
int records_alike(const struct records *all, const struct design_point *p, struct record **out);

/* How many of the seeds a point has a run of that completed or diverged, on whatever images: what
 * they were is in the records, so that no data set is needed. */
int records_done(const struct records *all, const struct design_point *p, const uint64_t *seeds,
                 int n_seeds);
#endif
