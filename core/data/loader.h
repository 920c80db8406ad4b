#ifndef CORE_DATA_LOADER_H
#define CORE_DATA_LOADER_H
#include "core/data/augment.h"
#include "core/data/split.h"

/* Hands out batches; the next ones are prepared by threads of its own while the caller works.
 * What is in a batch depends on (seed, epoch, sample number) alone, never on timing. */
struct loader;

struct loader_plan {
    const struct dataset *data;
    const struct data_split *split;
    const struct data_view *view;
    const struct augment_settings
        *augment; /* NULL: none, and samples in their own order (evaluation) */
    int batch_size;
    uint64_t seed;
    int threads; /* that prepare batches, at least 1 */
};

struct loader *loader_create(const struct loader_plan *p);
void loader_destroy(struct loader *l);

/* Begins an epoch: with augmentation in the order drawn for (seed, epoch). */
void loader_begin(struct loader *l, uint32_t epoch);

struct batch {
    const float *images;   /* batch_size x size x size x channels */
    const float *labels;   /* batch_size class numbers */
    const uint32_t *index; /* sample numbers */
    int count; /* samples that are real: the last batch of an evaluation may hold fewer, the
                * rest of it is zero. An epoch of training leaves an incomplete last batch out. */
};

/* The next batch, valid until the next call; count 0 at the end of the epoch. False with e filled
 * where a sample could not be read. */
bool loader_next(struct loader *l, struct batch *b, struct err *e);

/* Bytes of the batches that one loader keeps ready. */
size_t loader_bytes(const struct data_shape *s, int batch_size);
size_t loader_batches(const struct loader *l); /* in an epoch */
#endif
