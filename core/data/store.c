/* Images in memory; see store.h. */
#include "core/data/store.h"
#include <stdlib.h>
#include <string.h>

static size_t image_bytes(const struct dataset *d)
{
    return (size_t)d->size * (size_t)d->size * (size_t)d->channels;
}

struct store *store_of(const struct dataset *d) { return d->own; }

bool store_reserve(struct dataset *d, enum data_part part, const char *path, struct err *e)
{
    if (!d->own) d->own = mem_new(1, sizeof(struct store));
    struct store *s = d->own;
    size_t bytes = d->count[part] * image_bytes(d);
    s->pixels[part] = mem_map(bytes);
    if (!s->pixels[part])
        return err_set(e, "%s: no memory for %u images of %d x %d x %d (%.1f GB)", path,
                       d->count[part], d->size, d->size, d->channels, (double)bytes / 1e9);
    s->bytes[part] = bytes;
    s->labels[part] = mem_new(d->count[part], sizeof(uint16_t));
    d->labels[part] = s->labels[part];
    return true;
}

bool store_read(const struct dataset *d, enum data_part part, uint32_t index,
                const struct data_crop *crop, uint8_t *pixels, struct err *e)
{
    (void)e;
    BUG_IF(crop, "a crop of images that have a fixed size");
    BUG_IF(index >= d->count[part], "image %u of %u", index, d->count[part]);
    memcpy(pixels, store_of(d)->pixels[part] + index * image_bytes(d), image_bytes(d));
    return true;
}

void store_close(struct dataset *d)
{
    struct store *s = d->own;
    if (!s) return;
    for (int part = 0; part < DATA_PARTS; part++) {
        if (s->pixels[part]) mem_unmap(s->pixels[part], s->bytes[part]);
        free(s->labels[part]);
    }
    pool_clear(&s->names);
    free(s);
    d->own = NULL;
}
