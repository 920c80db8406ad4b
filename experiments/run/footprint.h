#ifndef EXPERIMENTS_RUN_FOOTPRINT_H
#define EXPERIMENTS_RUN_FOOTPRINT_H
#include "experiments/design/design.h"

/* The memory of one run at its highest, in bytes: what a process that trains its design has in
 * physical memory meanwhile, with as many threads as parallel_threads says. Known before anything
 * is allocated, and right to 5 % (tests/unit/test_footprint.c). */
struct footprint {
    uint64_t step;    /* weights, gradients, optimiser, activations: the point's bytes */
    uint64_t batches; /* made ready for training and for evaluation */
    uint64_t images;  /* that the data sets keep in memory which are open then */
    uint64_t threads; /* scratch memory of those that compute, buffers of those that load */
    uint64_t program; /* code, libraries, the heap */
};

struct footprint footprint_of(const struct design_point *p);
uint64_t footprint_total(const struct footprint *f);

/* The same for the point with another batch size; false where the network cannot be built. */
bool footprint_at(const struct design_point *p, int batch, struct footprint *out);

/* Bytes that a batch of so many images needs; 0: there is no such network. */
struct batch_need {
    uint64_t (*bytes)(const void *ctx, int batch);
    const void *ctx;
};
/* The largest batch below `below` that needs no more than room; 0: not even one image does. */
int batch_largest(int below, const struct batch_need *need, uint64_t room);

/* Refuses a run that does not fit. The message names the largest train.batch_size that does. The
 * data set is open: what it has read counts as memory that is gone already. jobs: that many runs at
 * a time, each in a process of its own, none of which needs more than this one. */
struct headroom;
bool footprint_fits(const struct design_point *p, int jobs, const struct headroom *h,
                    struct err *e);
#endif
