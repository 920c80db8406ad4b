/* CIFAR-10 and CIFAR-100, binary version (data_batch_1..5.bin, test_batch.bin: a label and 3,072
 * bytes a record; train.bin, test.bin: coarse label, fine label, 3,072 bytes) and python version,
 * whose pickles (data_batch_1..5, test_batch; train, test) become such records when they are read,
 * so that both have one digest. The bytes of an image are its red, green and blue planes; they are
 * interleaved on reading. */
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/data/cifar_file.h"
#include "core/data/class_names.h"
#include "core/data/store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CIFAR_SIDE = 32,
    CIFAR_PLANE = CIFAR_SIDE * CIFAR_SIDE,
    CIFAR_FILES = 5,
    CIFAR_IMAGES = 60000
};
enum cifar_labels { CIFAR_FINE, CIFAR_COARSE };

struct cifar_settings {
    int classes;
    int labels;
};
static const char *const label_names[] = { "fine", "coarse", NULL };
static const struct field cifar_fields[] = {
    INT(cifar_settings, classes, 0, 0, 100,
        "10, 100, or 20 with coarse labels; auto: as the files have it", .zero = "auto"),
    CHOICE(cifar_settings, labels, label_names, CIFAR_FINE,
           "of CIFAR-100: its 100 classes, or their 20 superclasses"),
    FIELDS_END,
};

/* What there is: where the label stands in a record, and in which files. */
struct cifar_layout {
    const char *title;
    int labels, at, classes; /* label bytes; which of them counts; its range */
    const char *files[DATA_PARTS][CIFAR_FILES + 1];
    const char *keys[3];    /* of the labels, in the python version; NULL past the last */
    const char *names_file; /* of the classes, where it is there; otherwise `names` */
    const char *names_key;  /* in the python version */
    const char *const *names;
};
enum cifar_version { CIFAR_BINARY, CIFAR_PYTHON, CIFAR_VERSIONS };
enum cifar_kind { CIFAR_10, CIFAR_100, CIFAR_20, CIFAR_KINDS }; /* CIFAR_20: coarse labels */

static const struct cifar_layout layouts[CIFAR_VERSIONS][CIFAR_KINDS] = {
    {
        { "CIFAR-10, binary version",
          1,
          0,
          10,
          { { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
              "data_batch_5.bin" },
            { "test_batch.bin" } },
          { NULL },
          "batches.meta.txt",
          NULL,
          class_names_cifar10 },
        { "CIFAR-100, binary version",
          2,
          1,
          100,
          { { "train.bin" }, { "test.bin" } },
          { NULL },
          "fine_label_names.txt",
          NULL,
          class_names_cifar100 },
        { "CIFAR-100, binary version",
          2,
          0,
          20,
          { { "train.bin" }, { "test.bin" } },
          { NULL },
          "coarse_label_names.txt",
          NULL,
          class_names_cifar20 },
    },
    {
        { "CIFAR-10, python version",
          1,
          0,
          10,
          { { "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5" },
            { "test_batch" } },
          { "labels" },
          "batches.meta",
          "label_names",
          class_names_cifar10 },
        { "CIFAR-100, python version",
          2,
          1,
          100,
          { { "train" }, { "test" } },
          { "coarse_labels", "fine_labels" },
          "meta",
          "fine_label_names",
          class_names_cifar100 },
        { "CIFAR-100, python version",
          2,
          0,
          20,
          { { "train" }, { "test" } },
          { "coarse_labels", "fine_labels" },
          "meta",
          "coarse_label_names",
          class_names_cifar20 },
    },
};

static bool cifar_has(const char *folder, const char *name)
{
    char path[4096];
    struct stat st;
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* The one set that the folder holds; NULL with e filled where there is none, or another. */
static const struct cifar_layout *cifar_in_folder(const char *path, struct err *e)
{
    const struct cifar_layout *found = NULL;
    for (int v = 0; v < CIFAR_VERSIONS; v++)
        for (int k = CIFAR_10; k <= CIFAR_100; k++) {
            const struct cifar_layout *l = &layouts[v][k];
            const char *first = l->files[DATA_TRAIN][0];
            if (!cifar_has(path, first)) continue;
            if (found) {
                err_set(e, "%s: holds both %s (%s) and %s (%s); keep one set in a folder", path,
                        found->files[DATA_TRAIN][0], found->title, first, l->title);
                return NULL;
            }
            found = l;
        }
    if (!found)
        err_set(e,
                "%s: holds neither data_batch_1.bin nor data_batch_1 (CIFAR-10, binary and python "
                "version), nor train.bin nor train (CIFAR-100); to get them: %s",
                path, format_cifar.source);
    return found;
}

static const struct cifar_layout *cifar_by_files(const char *path, const struct cifar_settings *s,
                                                 struct err *e)
{
    const struct cifar_layout *l = cifar_in_folder(path, e);
    if (!l || s->labels == CIFAR_FINE) return l;
    if (l->labels > 1) return l + 1; /* of the same files */
    err_set(e, "%s: CIFAR-10 has no coarse labels; dataset.labels must be fine", path);
    return NULL;
}

/* By the files where the folder is there, otherwise by the settings. */
static const struct cifar_layout *cifar_layout_find(const char *path,
                                                    const struct cifar_settings *s, struct err *e)
{
    const struct cifar_layout *l = &layouts[CIFAR_BINARY][s->labels == CIFAR_COARSE ? CIFAR_20
                                                          : s->classes == 10        ? CIFAR_10
                                                                                    : CIFAR_100];
    if (path && file_exists(path)) {
        l = cifar_by_files(path, s, e);
        if (!l) return NULL;
    } else if (!s->classes && s->labels == CIFAR_FINE) {
        data_absent(&format_cifar, path, "; to plan without it, give dataset.classes (10 or 100)",
                    e);
        return NULL;
    }
    if (s->classes && s->classes != l->classes) {
        err_set(e, "dataset.classes: %d, but %s has %d classes with %s labels", s->classes,
                path ? path : "CIFAR", l->classes, label_names[s->labels]);
        return NULL;
    }
    return l;
}

static size_t cifar_record(const struct cifar_layout *l)
{
    return (size_t)l->labels + CIFAR_PIXELS;
}

/* Where a part's records go. */
struct cifar_part {
    struct dataset *data;
    enum data_part part;
    const struct cifar_layout *layout;
    struct digest *digest;
    uint32_t filled;
};

static void cifar_unpack(const struct cifar_part *p, const uint8_t *record)
{
    struct store *s = store_of(p->data);
    const uint8_t *planes = record + p->layout->labels;
    uint8_t *pixels = s->pixels[p->part] + (size_t)p->filled * CIFAR_PIXELS;
    s->labels[p->part][p->filled] = record[p->layout->at];
    for (int i = 0; i < CIFAR_PLANE; i++)
        for (int c = 0; c < 3; c++) pixels[3 * i + c] = planes[c * CIFAR_PLANE + i];
}

static bool cifar_file_read(struct cifar_part *p, struct cifar_file *f, const char *path,
                            struct err *e)
{
    const struct cifar_layout *l = p->layout;
    const uint32_t records = cifar_file_records(f);
    const size_t len = cifar_record(l);
    uint8_t record[CIFAR_RECORD];
    if (records > p->data->count[p->part] - p->filled)
        return err_set(e, "%s: the file changed while it was read", path);
    for (uint32_t i = 0; i < records; i++, p->filled++) {
        if (!cifar_file_next(f, record, e)) return false;
        digest_add(p->digest, record, len);
        if (record[l->at] >= l->classes)
            return err_set(e, "%s: label %d %s %zu is out of range; there are %d classes", path,
                           record[l->at], l->keys[0] ? "of image" : "at byte",
                           l->keys[0] ? i : i * len + (size_t)l->at, l->classes);
        cifar_unpack(p, record);
    }
    return true;
}

/* Counts a file's records, or reads them where there is room for those of all files. */
static bool cifar_file_take(struct cifar_part *p, const char *path, bool read, struct err *e)
{
    const struct cifar_file_request r = { path, p->layout->labels, p->layout->keys };
    struct cifar_file *f = cifar_file_open(&r, e);
    bool good = f;
    if (good && read)
        good = cifar_file_read(p, f, path, e);
    else if (good)
        p->data->count[p->part] += cifar_file_records(f);
    cifar_file_close(f);
    return good;
}

/* One after another, so that no two stand in memory. */
static bool cifar_files(struct cifar_part *p, const char *folder, bool read, struct err *e)
{
    const char *const *names = p->layout->files[p->part];
    struct pool paths = { NULL };
    bool good = true;
    for (int i = 0; good && names[i]; i++)
        good = cifar_file_take(p, pool_textf(&paths, "%s/%s", folder, names[i]), read, e);
    pool_clear(&paths);
    if (good && read && p->filled < p->data->count[p->part])
        good = err_set(e, "%s: the files changed while they were read", folder);
    return good;
}

static bool cifar_part_open(struct cifar_part p, const char *path, struct err *e)
{
    return cifar_files(&p, path, false, e) && store_reserve(p.data, p.part, path, e) &&
           cifar_files(&p, path, true, e);
}

static bool cifar_names(struct dataset *d, const char *folder, const struct cifar_layout *l,
                        struct err *e)
{
    struct pool *p = &store_of(d)->names;
    const char *path = pool_textf(p, "%s/%s", folder, l->names_file);
    if (!cifar_has(folder, l->names_file))
        d->class_names = l->names;
    else if (l->names_key)
        d->class_names = cifar_python_names(p, path, l->names_key, l->classes, e);
    else
        d->class_names = class_names_read(p, path, l->classes, e);
    return d->class_names;
}

static bool cifar_size_check(int size, struct err *e)
{
    return !size || size == CIFAR_SIDE ||
           err_set(e, "CIFAR's images are 32 x 32 pixels; %d x %d is asked for", size, size);
}

static bool cifar_open(struct dataset *d, const char *path, const void *settings, int size,
                       struct err *e)
{
    if (!cifar_size_check(size, e)) return false;
    const struct cifar_layout *l = cifar_layout_find(path, settings, e);
    if (!l) return false;
    d->size = CIFAR_SIDE;
    d->channels = 3;
    d->classes = l->classes;
    struct digest *digest = digest_create();
    digest_add(digest, &l->at, sizeof l->at);
    bool good = cifar_part_open((struct cifar_part){ d, DATA_TRAIN, l, digest, 0 }, path, e) &&
                cifar_part_open((struct cifar_part){ d, DATA_TEST, l, digest, 0 }, path, e) &&
                cifar_names(d, path, l, e);
    d->digest = digest_end(digest);
    return good;
}

static bool cifar_shape(const char *path, const void *settings, int size, struct data_shape *out,
                        struct err *e)
{
    const struct cifar_layout *l = cifar_layout_find(path, settings, e);
    if (!l || !cifar_size_check(size, e)) return false;
    *out = (struct data_shape){ .size = CIFAR_SIDE, .channels = 3, .classes = l->classes };
    return true;
}

/* By the sizes of the files, NULL where they are not at hand. A pickle is larger than the records
 * in it: of the python version the counts are a bound. */
static const struct cifar_layout *cifar_sizes(const char *path, const void *settings,
                                              uint64_t count[DATA_PARTS])
{
    struct err e;
    struct stat st;
    char file[4096];
    if (!path || !file_exists(path)) return NULL;
    const struct cifar_layout *l = cifar_layout_find(path, settings, &e);
    count[DATA_TRAIN] = count[DATA_TEST] = 0;
    for (int part = 0; l && part < DATA_PARTS; part++)
        for (int i = 0; l->files[part][i]; i++) {
            if (snprintf(file, sizeof file, "%s/%s", path, l->files[part][i]) >= (int)sizeof file ||
                stat(file, &st) != 0)
                continue;
            if (!S_ISREG(st.st_mode)) return NULL; /* opening it says so */
            count[part] += (uint64_t)st.st_size / cifar_record(l);
        }
    return l;
}

static bool cifar_count(const char *path, const void *settings, uint64_t count[DATA_PARTS])
{
    const struct cifar_layout *l = cifar_sizes(path, settings, count);
    return l && !l->keys[0];
}

/* As the published sets where the files are not at hand, and at most those where they are pickles.
 */
static uint64_t cifar_kept(const char *path, const void *settings, const struct data_settings *data,
                           const struct data_shape *shape)
{
    uint64_t n[DATA_PARTS];
    (void)data;
    const struct cifar_layout *l = cifar_sizes(path, settings, n);
    uint64_t images = l ? n[DATA_TRAIN] + n[DATA_TEST] : CIFAR_IMAGES;
    if (l && l->keys[0] && images > CIFAR_IMAGES) images = CIFAR_IMAGES;
    return images * data_image_bytes(shape);
}

const struct data_format format_cifar = {
    .name = "cifar",
    .meaning = "CIFAR-10 or CIFAR-100, binary or python version",
    .source = "cifar-10-binary.tar.gz or cifar-10-python.tar.gz (cifar-100-...) from "
              "https://www.cs.toronto.edu/~kriz/cifar.html, unpacked with tar xzf FILE -C data; "
              "dataset.path names the folder that comes out: data/cifar-10-batches-bin or -py, "
              "data/cifar-100-binary or -python",
    .fields = cifar_fields,
    .settings_size = sizeof(struct cifar_settings),
    .natural_size = CIFAR_SIDE,
    .shape = cifar_shape,
    .open = cifar_open,
    .read = store_read,
    .close = store_close,
    .count = cifar_count,
    .kept = cifar_kept,
};
