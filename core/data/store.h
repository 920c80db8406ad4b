#ifndef CORE_DATA_STORE_H
#define CORE_DATA_STORE_H
#include "core/data/data.h"

/* Images that are kept in memory as they will be handed out: the formats with small images of a
 * fixed size are a store and a way to fill it. */
struct store {
    uint8_t *pixels[DATA_PARTS];  /* count x size x size x channels */
    uint16_t *labels[DATA_PARTS]; /* count */
    size_t bytes[DATA_PARTS];
    struct pool names; /* of classes, where a file told them */
};

/* Makes room for d->count[part] images of d's size; d->own is the store (created by the first
 * call). Refuses where the memory is not there. */
bool store_reserve(struct dataset *d, enum data_part part, const char *path, struct err *e);
struct store *store_of(const struct dataset *d);

/* A format's read and close. */
bool store_read(const struct dataset *d, enum data_part part, uint32_t index,
                const struct data_crop *crop, uint8_t *pixels, struct err *e);
void store_close(struct dataset *d);
#endif
