#ifndef EXPERIMENTS_RESULTS_RESULTS_H
#define EXPERIMENTS_RESULTS_RESULTS_H
#include "experiments/results/designs.h"
#include "experiments/results/record.h"

/* A design of a results folder read back, with its records. Needs no experiment file. */
struct result_point {
    const char *label;      /* borrowed from design, like the two below */
    const cJSON *axes;      /* object: key -> value */
    const cJSON *settings;  /* object: all resolved settings of its runs */
    const cJSON *structure; /* digest of the network */
    int same_as;            /* an earlier point that builds the same network, or -1 */
    double parameters, se_parameters, parameters_with_statistics,
        macs; /* macs: conv + fc + gates */
    int hidden[SE_STAGES];
    const char **ids;     /* of its n_seeds runs */
    struct record **runs; /* n_seeds of them; NULL: not done. Points that are the same share them */
};
struct results {
    const char *experiment, *question,
        *mirrors; /* the last two may be NULL; borrowed from design */
    int baseline, n_points, n_seeds, n_axis_keys; /* baseline -1: none */
    const char **axis_keys;
    struct result_point *points;
    uint64_t *seeds;
    cJSON *design;           /* its file, all of it */
    struct record **records; /* each run that has a record, once */
    int n_records;
    char *dir, *path; /* of the folder; of the design's file */
    char digest[DIGEST_TEXT];
    struct pool pool;
};

/* Reads and checks everything of the design that `design` means to designs_choose: false with the
 * file and the reason where the folder has no such design, or where that or a record it names is
 * damaged. A record that is not there is a run that is not done. */
bool results_read(const char *dir, const char *design, struct results *r, struct err *e);

/* The same without the records, as if no run were done. */
bool results_open(const char *dir, const char *design, struct results *r, struct err *e);
void results_clear(struct results *r);
#endif
