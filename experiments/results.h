#ifndef EXPERIMENTS_RESULTS_H
#define EXPERIMENTS_RESULTS_H
#include "experiments/record.h"

/* A results folder read back: experiment.json and its records. Needs no experiment file. */
struct result_point {
    char *label;
    cJSON *axes;                       /* object: key -> value; borrowed */
    int same_as;
    double parameters, se_parameters, parameters_with_statistics, macs; /* macs: conv + fc + gates */
    int hidden[SE_STAGES];
    struct record **runs;              /* n_seeds of them; NULL: not done. Points that are the same share them */
};
struct results {
    char *experiment, *question, *mirrors; /* or NULL */
    int baseline, n_points, n_seeds;
    struct result_point *points;
    uint64_t *seeds;
    cJSON *design;
    char *dir;
};
bool results_read(const char *dir, struct results *r, struct err *e);
void results_clear(struct results *r);
#endif
