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
/* How many images of the n of a training part are trained on. */
uint64_t data_train_images(const struct data_settings *s, uint64_t n);
/* Refuses settings that take too much of a training part of n images: all of it for validation, or
 * so much that no batch is left. */
bool data_counts_check(const struct data_settings *s, int batch_size, uint64_t n, struct err *e);
void data_split_clear(struct data_split *s);
#endif
