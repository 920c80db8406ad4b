/* Class folders of JPEG and PNG images. Where all of them fit, decoded at the network's size, into
 * `cache_mb`, each is decoded at its first use and kept; a drawn window of a photograph is always
 * cut from the file. Images of the first use may be wanted by two threads at once: then both decode
 * and one of them keeps. */
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/data/class_counts.h"
#include "core/data/folders.h"
#include "core/data/picture.h"
#include "core/data/survey.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Files are read for their digests in silence for so long, s. */
static const double images_patience = 2;

struct images_settings {
    int classes, test_folder, cache_mb;
};
static const char *const test_folders[] = { "auto", "test", "val", NULL };
static const struct field images_fields[] = {
    INT(images_settings, classes, 0, 0, 65535, "number of classes; auto: the folders in train/",
        .zero = "auto"),
    CHOICE(images_settings, test_folder, test_folders, 0,
           "what is tested on: test/ or val/; auto: the one that is there"),
    INT(images_settings, cache_mb, 4096, 0, 16777216,
        "keep decoded images in memory where all of them take no more than this, MB (10^6 bytes)"),
    FIELDS_END,
};

enum cache_state { CACHE_EMPTY, CACHE_BUSY, CACHE_READY };
struct cache {
    uint8_t *pixels; /* count x size x size x 3, or NULL: nothing is kept */
    size_t bytes;
    atomic_uchar *state; /* count */
};
struct images {
    struct folders folders;
    struct cache cache[DATA_PARTS];
};

static size_t image_bytes(const struct dataset *d) { return (size_t)d->size * (size_t)d->size * 3; }

static char *file_path(const struct folders *f, enum data_part part, uint32_t index)
{
    struct text t = { .s = NULL };
    text_addf(&t, "%s/%s", f->root, f->files[part][index]);
    return t.s;
}

static bool images_decode(const struct dataset *d, enum data_part part, uint32_t index,
                          const struct data_crop *crop, uint8_t *pixels, struct err *e)
{
    const struct images *own = d->own;
    char *path = file_path(&own->folders, part, index);
    struct bytes file;
    bool good = file_read(path, &file, e);
    if (good) {
        good = picture_decode(&(struct picture_request){ &file, path, d->size, crop }, pixels, e);
        free(file.data);
    }
    free(path);
    return good;
}

static bool images_read(const struct dataset *d, enum data_part part, uint32_t index,
                        const struct data_crop *crop, uint8_t *pixels, struct err *e)
{
    BUG_IF(index >= d->count[part], "image %u of %u", index, d->count[part]);
    struct images *own = d->own;
    struct cache *c = &own->cache[part];
    if (crop || !c->pixels) return images_decode(d, part, index, crop, pixels, e);
    uint8_t *kept = c->pixels + index * image_bytes(d);
    unsigned char state = CACHE_EMPTY;
    bool first = atomic_compare_exchange_strong(&c->state[index], &state, CACHE_BUSY);
    if (state == CACHE_BUSY) return images_decode(d, part, index, NULL, pixels, e);
    if (first) {
        bool good = images_decode(d, part, index, NULL, kept, e);
        atomic_store(&c->state[index], good ? CACHE_READY : CACHE_EMPTY);
        if (!good) return false;
    }
    memcpy(pixels, kept, image_bytes(d));
    return true;
}

static uint64_t survey_digest(const struct survey *s)
{
    struct digest *g = digest_create();
    for (size_t i = 0; i < s->count; i++) {
        const struct survey_file *f = &s->files[i];
        digest_add(g, f->name, strlen(f->name) + 1);
        digest_add(g, &f->size, sizeof f->size);
        digest_add(g, &f->digest, sizeof f->digest);
    }
    return digest_end(g);
}

static bool images_digest(struct dataset *d, struct err *e)
{
    const struct folders *f = &((const struct images *)d->own)->folders;
    struct survey s = { .root = f->root, .notes = d->notes, .patience = images_patience };
    s.count = d->count[DATA_TRAIN] + (size_t)d->count[DATA_TEST];
    s.files = mem_new(s.count, sizeof *s.files);
    for (size_t part = 0, i = 0; part < DATA_PARTS; part++)
        for (uint32_t k = 0; k < d->count[part]; k++) s.files[i++].name = f->files[part][k];
    bool good = survey_files(&s, e);
    if (good) d->digest = survey_digest(&s);
    free(s.files);
    return good;
}

/* Without memory for it there is no cache; the pixels are the same. */
static void images_cache(struct dataset *d, int cache_mb)
{
    struct images *own = d->own;
    uint64_t all = ((uint64_t)d->count[DATA_TRAIN] + d->count[DATA_TEST]) * image_bytes(d);
    if (all > (uint64_t)cache_mb * 1000000) return;
    for (int part = 0; part < DATA_PARTS; part++) {
        struct cache *c = &own->cache[part];
        c->bytes = d->count[part] * image_bytes(d);
        c->pixels = mem_map(c->bytes);
        c->state = mem_new(d->count[part], sizeof *c->state);
    }
}

static bool images_size_check(int size, struct err *e)
{
    return (size >= 1 && size <= 4096) ||
           err_set(e, "images: %d x %d pixels are asked for; valid: 1 to 4096", size, size);
}

/* The test folder that the settings name, or NULL. */
static const char *images_test(const struct images_settings *s)
{
    return s->test_folder ? test_folders[s->test_folder] : NULL;
}

static bool images_classes_check(const struct images_settings *s, int there, const char *path,
                                 struct err *e)
{
    return !s->classes || s->classes == there ||
           err_set(e, "dataset.classes: %d, but %s/train has %d class folders", s->classes, path,
                   there);
}

static bool images_open(struct dataset *d, const char *path, const void *settings, int size,
                        struct err *e)
{
    const struct images_settings *s = settings;
    if (!images_size_check(size, e)) return false;
    struct images *own = d->own = mem_new(1, sizeof *own);
    struct folders *f = &own->folders;
    if (!folders_read(f, path, images_test(s), e) ||
        !images_classes_check(s, f->n_classes, path, e))
        return false;
    d->size = size;
    d->channels = 3;
    d->classes = f->n_classes;
    d->class_names = f->classes;
    for (int part = 0; part < DATA_PARTS; part++) {
        d->count[part] = f->count[part];
        d->labels[part] = f->labels[part];
        d->file_names[part] = f->files[part];
    }
    if (!labels_agree(d, path, e)) return false;
    images_cache(d, s->cache_mb);
    return images_digest(d, e);
}

static void images_close(struct dataset *d)
{
    struct images *own = d->own;
    if (!own) return;
    for (int part = 0; part < DATA_PARTS; part++) {
        struct cache *c = &own->cache[part];
        if (c->pixels) mem_unmap(c->pixels, c->bytes);
        free(c->state);
    }
    folders_clear(&own->folders);
    free(own);
    d->own = NULL;
}

static bool images_shape(const char *path, const void *settings, int size, struct data_shape *out,
                         struct err *e)
{
    const struct images_settings *s = settings;
    if (!images_size_check(size, e)) return false;
    *out = (struct data_shape){ .size = size, .channels = 3, .classes = s->classes };
    if (path && file_exists(path))
        return folders_classes(path, images_test(s), &out->classes, e) &&
               images_classes_check(s, out->classes, path, e);
    if (s->classes) return true;
    return data_absent(&format_images, path, "; to plan without it, give dataset.classes", e);
}

static bool images_count(const char *path, const void *settings, uint64_t count[DATA_PARTS])
{
    return path && folders_count(path, images_test(settings), UINT64_MAX, count);
}

/* Images that are used at all, if all that there are may be kept. */
static uint64_t images_kept(const char *path, const void *settings,
                            const struct data_settings *data, const struct data_shape *shape)
{
    const struct images_settings *s = settings;
    uint64_t each = data_image_bytes(shape), room = (uint64_t)s->cache_mb * 1000000 / each;
    uint64_t n[DATA_PARTS];
    if (!path || !folders_count(path, images_test(s), room, n)) return 0;
    uint64_t train = (uint64_t)data->train_limit + (uint64_t)data->validation;
    if (data->train_limit && n[DATA_TRAIN] > train) n[DATA_TRAIN] = train;
    if (data->test_limit && n[DATA_TEST] > (uint64_t)data->test_limit)
        n[DATA_TEST] = (uint64_t)data->test_limit;
    return (n[DATA_TRAIN] + n[DATA_TEST]) * each;
}

const struct data_format format_images = {
    .name = "images",
    .meaning = "class folders of JPEG or PNG images: train/CLASS/*.jpg, and test/ or val/",
    .source = "any folder with train/CLASS/*.jpg (.jpeg, .png), and test/CLASS/ or val/CLASS/, "
              "such as data/imagenet; what is transparent in a PNG file is laid on black",
    .fields = images_fields,
    .settings_size = sizeof(struct images_settings),
    .natural_size = 0,
    .shape = images_shape,
    .open = images_open,
    .read = images_read,
    .close = images_close,
    .count = images_count,
    .kept = images_kept,
    .keeps_later = true,
};
