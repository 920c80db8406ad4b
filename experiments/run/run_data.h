#ifndef EXPERIMENTS_RUN_RUN_DATA_H
#define EXPERIMENTS_RUN_RUN_DATA_H
#include "experiments/design/design.h"

/* The data sets of a design, opened and cut once each however many points share one. */
struct run_data {
    char *key; /* all settings that decide what it holds */
    struct dataset data;
    struct data_split split;
    struct run_data *next;
};

/* That of a point; opened where no earlier point did. NULL with e filled where it cannot be. */
const struct run_data *run_data_of(struct run_data **all, const struct design_point *p,
                                   struct err *e);
void run_data_clear(struct run_data **all);
#endif
