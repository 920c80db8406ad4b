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
    bool drop_last; /* of training: an incomplete last batch is left out */
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
    int count; /* samples that are real: the last batch of an epoch may hold fewer, the rest of it
                * is zero */
};

/* The next batch, valid until the next call; count 0 at the end of the epoch. False with e filled
 * where a sample could not be read. */
bool loader_next(struct loader *l, struct batch *b, struct err *e);

/* The size of the incomplete last batch that an epoch of training ends with, 0 where it has none. A
 * single image that is left over is left out: one image has no batch statistics. */
int loader_short(uint32_t images, int batch_size, bool drop_last);

/* Bytes of the batches that one loader keeps ready. */
size_t loader_bytes(const struct data_shape *s, int batch_size);
size_t loader_batches(const struct loader *l); /* in an epoch */
#endif
