#ifndef CORE_DATA_SPLIT_H
#define CORE_DATA_SPLIT_H
#include "core/data/data.h"

/* The three sets of sample numbers that a run works with, and how pixels become inputs. */
struct data_view {
    enum data_part part;
    uint32_t *index, count; /* numbers in the part, ascending */
};

struct data_split {
    struct data_view train, validation, test;
    float mean[4], sd[4]; /* input = (pixel / 255 - mean[c]) / sd[c] */
    uint64_t digest;      /* of the numbers above and of the data set's */
};

/* Cuts by settings; computes mean and sd over train where they are not given. Refuses counts that
 * leave nothing to train on. */
bool data_split(struct data_split *split, const struct dataset *d, const struct data_settings *s,
                struct err *e);
void data_split_clear(struct data_split *s);
#endif
