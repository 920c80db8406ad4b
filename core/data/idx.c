/* IDX files, the layout of MNIST and of the many sets made in its likeness, plain or gzipped:
 *   images: 0x00000803, count, rows, columns (big-endian), then a byte a pixel;
 *   labels: 0x00000801, count, then a byte a label.
 * A header is believed only as far as the file's own length allows, so that no file can ask for
 * more memory than it could fill. */
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/data/class_counts.h"
#include "core/data/class_names.h"
#include "core/data/store.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* The digest of Fashion-MNIST: its files say nothing of what they are, and many sets look alike. */
#define IDX_FASHION UINT64_C(0x71f9eff7a87e5afe)
enum { IDX_SIDE_MAX = 4096, IDX_LABELS = 0x801, IDX_IMAGES = 0x803, IDX_USUAL = 70000 };

struct idx_settings {
    int classes;
};
static const struct field idx_fields[] = {
    INT(idx_settings, classes, 0, 0, 256, "number of classes; auto: the largest label + 1",
        .zero = "auto"),
    FIELDS_END,
};

struct idx_file {
    gzFile gz;
    char path[4096];
    uint64_t length;       /* of the file on disk */
    uint32_t dims[3];      /* count, rows, columns */
    struct digest *digest; /* takes every byte that is read, decompressed; or NULL */
};

/* Why a read gave less than it should. zlib's text begins with a name of its own for the file. */
static bool idx_fail(const struct idx_file *f, size_t wanted, struct err *e)
{
    int code;
    const char *why = gzerror(f->gz, &code), *reason = strstr(why, ": ");
    long long at = (long long)gztell(f->gz);
    if (code == Z_ERRNO) return err_set(e, "%s: %s", f->path, strerror(errno));
    if (code == Z_BUF_ERROR)
        return err_set(
            e,
            "%s: the compressed file is truncated: it is %llu bytes long and stops after "
            "%lld bytes of data",
            f->path, (unsigned long long)f->length, at);
    if (code != Z_OK && code != Z_STREAM_END)
        return err_set(e, "%s: corrupt compressed data (%s), after %lld sound bytes of data",
                       f->path, reason ? reason + 2 : why, at);
    return err_set(e, "%s: ends at byte %lld, where %zu more are expected", f->path, at, wanted);
}

static bool idx_read(struct idx_file *f, void *into, size_t len, struct err *e)
{
    unsigned char *at = into;
    for (size_t left = len; left;) {
        int n = gzread(f->gz, at, left < 1 << 20 ? (unsigned)left : 1 << 20);
        if (n <= 0) return idx_fail(f, left, e);
        if (f->digest) digest_add(f->digest, at, (size_t)n);
        at += n;
        left -= (size_t)n;
    }
    return true;
}

/* The file must end here, with its checksum in order. */
static bool idx_end(struct idx_file *f, uint64_t expected, struct err *e)
{
    char more;
    int n = gzread(f->gz, &more, 1), code;
    gzerror(f->gz, &code);
    if (n > 0)
        return err_set(e, "%s: goes on after byte %llu, where its header lets it end", f->path,
                       (unsigned long long)expected);
    return n == 0 && (code == Z_OK || code == Z_STREAM_END) ? true : idx_fail(f, 0, e);
}

/* kind: "images-idx3-ubyte"; MNIST's files are also met as "images.idx3-ubyte". */
static bool idx_find(const char *folder, const char *part, const char *kind, struct idx_file *f,
                     struct err *e)
{
    int word = (int)strcspn(kind, "-");
    for (int i = 0; i < 4; i++) {
        int n = snprintf(f->path, sizeof f->path, "%s/%s-%.*s%c%s%s", folder, part, word, kind,
                         i < 2 ? '-' : '.', kind + word + 1, i & 1 ? ".gz" : "");
        if (n >= (int)sizeof f->path) return err_set(e, "%s: the path is too long", folder);
        if (file_exists(f->path)) return true;
    }
    return err_set(e, "%s: holds no %s-%s or %s-%s.gz", folder, part, kind, part, kind);
}

static bool idx_open_stream(struct idx_file *f, struct err *e)
{
    off_t size;
    int fd = file_open(f->path, &size, e);
    if (fd < 0) return false;
    f->gz = gzdopen(fd, "rb");
    f->length = (uint64_t)size;
    if (f->gz) return true;
    close(fd);
    return err_set(e, "%s: cannot be read as a compressed file", f->path);
}

static bool idx_header(struct idx_file *f, uint32_t magic, struct err *e)
{
    unsigned char raw[16];
    uint32_t words[4] = { 0 };
    size_t n = magic == IDX_IMAGES ? 4 : 2;
    if (!idx_read(f, raw, 4, e)) return false;
    for (size_t i = 0; i < n; i++) {
        if (i == 1 && !idx_read(f, raw + 4, 4 * n - 4, e)) return false;
        const unsigned char *b = raw + 4 * i;
        words[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        if (i == 0 && words[0] != magic)
            return err_set(
                e, "%s: magic number 0x%08x at byte 0; an IDX file of %s begins with 0x%08x",
                f->path, words[0], magic == IDX_IMAGES ? "images" : "labels", magic);
    }
    memcpy(f->dims, words + 1, sizeof f->dims);
    return true;
}

/* Holds the header against the file's length: exactly for a plain file; deflate packs at most
 * 1032 bytes into one (zlib's technical details). */
static bool idx_plausible(const struct idx_file *f, bool images, struct err *e)
{
    uint64_t bytes = images ? 16 : 8;
    if (!f->dims[0])
        return err_set(e, "%s: its header (byte 4) says that it holds nothing", f->path);
    if (images) {
        if (f->dims[1] != f->dims[2] || !f->dims[1] || f->dims[1] > IDX_SIDE_MAX)
            return err_set(e,
                           "%s: images of %u x %u pixels (byte 8); valid: square, 1 to %d a side",
                           f->path, f->dims[1], f->dims[2], IDX_SIDE_MAX);
        bytes += (uint64_t)f->dims[0] * f->dims[1] * f->dims[2];
    } else {
        bytes += f->dims[0];
    }
    if (gzdirect(f->gz) && f->length != bytes)
        return err_set(e, "%s: is %llu bytes long, %s than the %llu its header asks for", f->path,
                       (unsigned long long)f->length, f->length < bytes ? "shorter" : "longer",
                       (unsigned long long)bytes);
    if (bytes > 1032 * (f->length + 16))
        return err_set(e,
                       "%s: its header asks for %llu bytes; a compressed file of %llu bytes cannot "
                       "hold them",
                       f->path, (unsigned long long)bytes, (unsigned long long)f->length);
    return true;
}

static void idx_close_file(struct idx_file *f)
{
    if (f->gz) gzclose(f->gz);
    f->gz = NULL;
}

static const char *const idx_part[DATA_PARTS] = { "train", "t10k" };

/* Opens a file of a part and reads its header. After a refusal it is closed. */
static bool idx_begin(struct idx_file *f, const char *folder, enum data_part part, bool images,
                      struct err *e)
{
    if (idx_find(folder, idx_part[part], images ? "images-idx3-ubyte" : "labels-idx1-ubyte", f,
                 e) &&
        idx_open_stream(f, e) && idx_header(f, images ? IDX_IMAGES : IDX_LABELS, e) &&
        idx_plausible(f, images, e))
        return true;
    idx_close_file(f);
    return false;
}

struct idx_labels {
    uint8_t *raw;
    uint32_t count;
    char path[4096];
};

/* classes: as the setting has it, or 0, for the training part, which tells how many there are. */
static bool idx_labels_check(const struct idx_labels *l, enum data_part part, int *classes,
                             struct err *e)
{
    uint32_t top = 0; /* the first of the largest */
    for (uint32_t i = 0; i < l->count; i++)
        if (l->raw[i] > l->raw[top]) top = i;
    const int there = l->raw[top] + 1;
    if (part == DATA_TRAIN && !*classes) *classes = there;
    if (part == DATA_TRAIN && *classes != there)
        return err_set(e, "dataset.classes: %d, but the labels of %s are 0..%d", *classes, l->path,
                       there - 1);
    return there <= *classes ||
           err_set(e, "%s: label %d at byte %u is out of range; there are %d classes", l->path,
                   there - 1, 8 + top, *classes);
}

/* Fills l; free(l->raw) whatever comes back. */
static bool idx_labels_read(struct idx_labels *l, const char *folder, enum data_part part,
                            struct digest *digest, struct err *e)
{
    struct idx_file f = { .digest = digest };
    if (!idx_begin(&f, folder, part, false, e)) return false;
    memcpy(l->path, f.path, sizeof l->path);
    l->count = f.dims[0];
    l->raw = mem_new(l->count, 1);
    bool good = idx_read(&f, l->raw, l->count, e) && idx_end(&f, 8 + (uint64_t)l->count, e);
    idx_close_file(&f);
    return good;
}

static bool idx_pixels_read(struct dataset *d, enum data_part part, struct idx_file *f,
                            struct err *e)
{
    if (!d->size) d->size = (int)f->dims[1];
    if ((int)f->dims[1] != d->size)
        return err_set(e, "%s: images of %u x %u pixels; %d x %d is asked for", f->path, f->dims[1],
                       f->dims[1], d->size, d->size);
    d->count[part] = f->dims[0];
    if (!store_reserve(d, part, f->path, e)) return false;
    size_t bytes = (size_t)f->dims[0] * f->dims[1] * f->dims[2];
    return idx_read(f, store_of(d)->pixels[part], bytes, e) && idx_end(f, 16 + bytes, e);
}

static bool idx_part_open(struct dataset *d, enum data_part part, const char *folder,
                          struct digest *digest, struct err *e)
{
    struct idx_file f = { .digest = digest };
    if (!idx_begin(&f, folder, part, true, e)) return false;
    bool good = idx_pixels_read(d, part, &f, e);
    idx_close_file(&f);
    if (!good) return false;

    struct idx_labels l = { .raw = NULL };
    good = idx_labels_read(&l, folder, part, digest, e);
    if (good && l.count != d->count[part])
        good = err_set(e, "%s: %u labels, but %s has %u images", l.path, l.count, f.path,
                       d->count[part]);
    good = good && idx_labels_check(&l, part, &d->classes, e);
    for (uint32_t i = 0; good && i < l.count; i++) store_of(d)->labels[part][i] = l.raw[i];
    free(l.raw);
    return good;
}

static bool idx_folder_check(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st)) return err_set(e, "%s: %s", path, strerror(errno));
    return S_ISDIR(st.st_mode) || err_set(e, "%s: not a folder", path);
}

static bool idx_open(struct dataset *d, const char *path, const void *settings, int size,
                     struct err *e)
{
    const struct idx_settings *s = settings;
    if (!idx_folder_check(path, e)) return false;
    d->size = size;
    d->channels = 1;
    d->classes = s->classes;
    struct digest *digest = digest_create();
    bool good = idx_part_open(d, DATA_TRAIN, path, digest, e) &&
                idx_part_open(d, DATA_TEST, path, digest, e) && labels_agree(d, path, e);
    d->digest = digest_end(digest);
    if (good && d->digest == IDX_FASHION) d->class_names = class_names_fashion;
    return good;
}

static uint32_t *idx_seen(const struct idx_labels *l, int classes)
{
    uint32_t *seen = mem_new((size_t)classes, sizeof *seen);
    for (uint32_t i = 0; i < l->count; i++) seen[l->raw[i]]++;
    return seen;
}

/* Range of the labels of both parts, and whether these have the same classes. */
static bool idx_labels_of_files(const char *path, int *classes, struct err *e)
{
    struct idx_labels l[DATA_PARTS] = { { .raw = NULL }, { .raw = NULL } };
    bool good = true;
    for (int part = 0; good && part < DATA_PARTS; part++)
        good = idx_labels_read(&l[part], path, (enum data_part)part, NULL, e) &&
               idx_labels_check(&l[part], (enum data_part)part, classes, e);
    if (good) {
        uint32_t *train = idx_seen(&l[DATA_TRAIN], *classes),
                 *test = idx_seen(&l[DATA_TEST], *classes);
        const struct class_counts c = { { train, test }, *classes, NULL };
        good = classes_agree(&c, path, e);
        free(train);
        free(test);
    }
    free(l[DATA_TRAIN].raw);
    free(l[DATA_TEST].raw);
    return good;
}

/* From the training part's header and all labels. */
static bool idx_shape_of_files(const char *path, struct data_shape *out, struct err *e)
{
    struct idx_file f = { .digest = NULL };
    if (!idx_begin(&f, path, DATA_TRAIN, true, e)) return false;
    idx_close_file(&f);
    out->size = (int)f.dims[1];
    return idx_labels_of_files(path, &out->classes, e);
}

/* Where the files are not at hand they are taken to be MNIST's like: 28 x 28, ten classes. */
static bool idx_shape(const char *path, const void *settings, int size, struct data_shape *out,
                      struct err *e)
{
    const struct idx_settings *s = settings;
    *out = (struct data_shape){ .size = 28, .channels = 1, .classes = s->classes };
    if (file_exists(path)) {
        if (!idx_shape_of_files(path, out, e)) return false;
    } else if (!out->classes) {
        out->classes = 10;
    }
    if (size && size != out->size)
        return err_set(e, "the images of %s are %d x %d pixels; %d x %d is asked for", path,
                       out->size, out->size, size, size);
    return true;
}

/* By the headers of the files. */
static bool idx_count(const char *path, const void *settings, uint64_t count[DATA_PARTS])
{
    (void)settings;
    for (int part = 0; part < DATA_PARTS; part++) {
        struct idx_file f = { .digest = NULL };
        struct err e;
        if (!idx_begin(&f, path, (enum data_part)part, true, &e)) return false;
        idx_close_file(&f);
        count[part] = f.dims[0];
    }
    return true;
}

/* As MNIST where the files are not at hand. */
static uint64_t idx_kept(const char *path, const void *settings, const struct data_settings *data,
                         const struct data_shape *shape)
{
    uint64_t n[DATA_PARTS];
    (void)data;
    if (!idx_count(path, settings, n)) return IDX_USUAL * data_image_bytes(shape);
    return (n[DATA_TRAIN] + n[DATA_TEST]) * data_image_bytes(shape);
}

const struct data_format format_idx = {
    .name = "idx",
    .meaning =
        "IDX files as of MNIST, plain or gzipped: {train,t10k}-{images-idx3,labels-idx1}-ubyte",
    .source = "Fashion-MNIST: apt-get install dataset-fashion-mnist, which puts it into "
              "/usr/share/datasets/fashion-mnist; MNIST and its like: the four files as they are "
              "published, in a folder of their own, and dataset.path names it",
    .default_path = "/usr/share/datasets/fashion-mnist",
    .fields = idx_fields,
    .settings_size = sizeof(struct idx_settings),
    .natural_size = 28,
    .shape = idx_shape,
    .open = idx_open,
    .read = store_read,
    .close = store_close,
    .count = idx_count,
    .kept = idx_kept,
};
