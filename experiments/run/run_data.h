#ifndef EXPERIMENTS_RUN_RUN_DATA_H
#define EXPERIMENTS_RUN_RUN_DATA_H
#include "experiments/design/design.h"

/* What a point trains on. Images are opened once for all points that read the same ones
 * (design_point.data_set), whatever each chooses of them; splits are cut once for equal settings.
 */
struct run_data {
    char *key;                  /* all settings that decide what it holds */
    const struct dataset *data; /* closed once run_data_close was called on it */
    struct data_split split;
    struct run_data *next;
};

/* Of a design. Zero is empty; run_data_open comes first. */
struct run_data_all {
    struct dataset *sets; /* by design_point.data_set; format NULL: closed */
    int n_sets;
    struct data_notes notes;
    struct run_data *splits;
};

void run_data_open(struct run_data_all *all, const struct design *d,
                   const struct data_notes *notes);

/* That of a point; its images are opened where no earlier point did. NULL with e filled where they
 * cannot be. */
const struct run_data *run_data_of(struct run_data_all *all, const struct design_point *p,
                                   struct err *e);
/* Frees the images of a data set that no run will train on any more. */
void run_data_close(struct run_data_all *all, int data_set);
void run_data_clear(struct run_data_all *all);
#endif
