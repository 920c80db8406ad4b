#ifndef TESTS_UNIT_DATA_FILES_H
#define TESTS_UNIT_DATA_FILES_H
#include "core/base/file.h"
#include "core/data/data.h"
#include "tests/unit/settings.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <jpeglib.h>

/* Data sets written on the fly into a folder of their own. */

static inline char *folder_create(void)
{
    char name[] = "/tmp/senet-data-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(name));
    return mem_text(name);
}

static inline int folder_entry_remove(const char *path, const struct stat *st, int type,
                                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void folder_remove(char *folder)
{
    nftw(folder, folder_entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

static inline const char *path_in(const char *folder, const char *name)
{
    static char path[2][512];
    static int turn;
    turn = !turn;
    int len = snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    ck_assert_int_lt(len, (int)sizeof path[turn]);
    return path[turn];
}

static inline void put(const char *folder, const char *name, const void *bytes, size_t len)
{
    FILE *f = fopen(path_in(folder, name), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static inline void put_gz(const char *folder, const char *name, const void *bytes, size_t len)
{
    gzFile f = gzopen(path_in(folder, name), "wb9");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(gzwrite(f, bytes, (unsigned)len), (int)len);
    gzclose(f);
}

typedef void put_function(const char *folder, const char *name, const void *bytes, size_t len);

/* An IDX set of 4 and 3 images of 6 x 6: pixel i of image k is 37 k + 5 i mod 256. */
enum { IDX_SIDE = 6, IDX_AREA = 36 };
static const uint8_t idx_train_labels[4] = { 0, 1, 2, 1 }, idx_test_labels[3] = { 2, 0, 1 };

static inline void idx_put_part(put_function *write, const char *folder, const char *const names[2],
                                const uint8_t *labels, uint8_t n)
{
    uint8_t images[16 + 4 * IDX_AREA] = { 0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 6, 0, 0, 0, 6 };
    uint8_t numbers[8 + 4] = { 0, 0, 8, 1, 0, 0, 0, n };
    for (int i = 0; i < n * IDX_AREA; i++)
        images[16 + i] = (uint8_t)(37 * (i / IDX_AREA) + 5 * (i % IDX_AREA));
    memcpy(numbers + 8, labels, n);
    write(folder, names[0], images, 16u + n * IDX_AREA);
    write(folder, names[1], numbers, 8u + n);
}

static inline void idx_put(const char *folder)
{
    static const char *const train[] = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte" };
    static const char *const test[] = { "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" };
    idx_put_part(put, folder, train, idx_train_labels, 4);
    idx_put_part(put, folder, test, idx_test_labels, 3);
}

/* The same, gzipped, with the dots of MNIST's other names. */
static inline void idx_put_gz(const char *folder)
{
    static const char *const train[] = { "train-images.idx3-ubyte.gz",
                                         "train-labels.idx1-ubyte.gz" };
    static const char *const test[] = { "t10k-images.idx3-ubyte.gz", "t10k-labels.idx1-ubyte.gz" };
    idx_put_part(put_gz, folder, train, idx_train_labels, 4);
    idx_put_part(put_gz, folder, test, idx_test_labels, 3);
}

/* CIFAR records: label bytes, then byte i of record k is 11 k + i mod 251. */
static inline void cifar_put_file(const char *folder, const char *name, int records, int labels)
{
    size_t record = (size_t)labels + 3072;
    uint8_t *bytes = mem_new((size_t)records, record);
    for (int k = 0; k < records; k++) {
        uint8_t *at = bytes + (size_t)k * record;
        at[0] = (uint8_t)(k + 3);
        if (labels == 2) at[1] = (uint8_t)(90 + k);
        for (int i = 0; i < 3072; i++) at[labels + i] = (uint8_t)((11 * k + i) % 251);
    }
    put(folder, name, bytes, (size_t)records * record);
    free(bytes);
}

static inline void cifar10_put(const char *folder)
{
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        cifar_put_file(folder, name, i, 1);
    }
    cifar_put_file(folder, "test_batch.bin", 2, 1);
}

static inline void cifar100_put(const char *folder)
{
    cifar_put_file(folder, "train.bin", 5, 2);
    cifar_put_file(folder, "test.bin", 3, 2);
}

/* A JPEG picture: components 1 (grey), 3 (RGB), 4 (CMYK, as Adobe's complement). value gives what a
 * component is at (y, x). */
struct picture {
    int width, height, components;
    int (*value)(int y, int x, int component);
    enum {
        USUAL,
        PROGRESSIVE,
        YCCK,
        NO_ADOBE
    } kind; /* NO_ADOBE: CMYK without its mark, so plain ink */
};

static inline void jpeg_put(const char *path, const struct picture *p)
{
    static const J_COLOR_SPACE spaces[] = { JCS_UNKNOWN, JCS_GRAYSCALE, JCS_UNKNOWN, JCS_RGB,
                                            JCS_CMYK };
    struct jpeg_compress_struct c = { 0 };
    struct jpeg_error_mgr errors;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    jpeg_stdio_dest(&c, f);
    c.image_width = (JDIMENSION)p->width;
    c.image_height = (JDIMENSION)p->height;
    c.input_components = p->components;
    c.in_color_space = spaces[p->components];
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, 98, TRUE);
    c.comp_info[0].h_samp_factor = c.comp_info[0].v_samp_factor = 1; /* colour as fine as light */
    if (p->kind == PROGRESSIVE) jpeg_simple_progression(&c);
    if (p->kind == YCCK) jpeg_set_colorspace(&c, JCS_YCCK);
    if (p->kind == NO_ADOBE) c.write_Adobe_marker = FALSE;
    jpeg_start_compress(&c, TRUE);
    uint8_t *line = mem_new((size_t)p->width, (size_t)p->components);
    for (int y = 0; y < p->height; y++) {
        for (int i = 0; i < p->width * p->components; i++)
            line[i] = (uint8_t)p->value(y, i / p->components, i % p->components);
        JSAMPROW row = line;
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    fclose(f);
    free(line);
}

/* Smooth: red grows with x, green with y, blue is constant. In CMYK's complement the same with
 * black at none. */
static inline int gradient(int y, int x, int c)
{
    return c == 0 ? 40 + 2 * x : c == 1 ? 30 + 3 * y : c == 2 ? 100 : 255;
}
static inline int gradient_ink(int y, int x, int c) { return 255 - gradient(y, x, c); }

static inline void class_folders_put(const char *folder, const char *const *parts)
{
    static const char *const classes[] = { "cat", "dog", NULL };
    struct err e;
    for (; *parts; parts++)
        for (const char *const *c = classes; *c; c++) {
            char path[512];
            snprintf(path, sizeof path, "%s/%s/%s", folder, *parts, *c);
            ck_assert(dir_make(path, &e));
            struct picture p = { 16, 16, 3, gradient, USUAL };
            jpeg_put(path_in(path, "a.jpg"), &p);
            if (!strcmp(*parts, "train")) jpeg_put(path_in(path, "b.JPEG"), &p);
        }
}

static inline void images_put(const char *folder)
{
    class_folders_put(folder, (const char *const[]){ "train", "test", NULL });
}

/* A format's settings at their defaults, then KEY VALUE pairs; free it. */
static inline void *format_settings(const struct data_format *f, const char *const *pairs)
{
    void *s = mem_new(1, f->settings_size);
    fields_default(f->fields, s);
    for (; pairs && *pairs; pairs += 2) setting(f->fields, s, pairs[0], pairs[1]);
    return s;
}
#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline void data_open_noted(struct dataset *d, const char *format, const char *path,
                                   int size, const char *const *pairs,
                                   const struct data_notes *notes)
{
    const struct data_format *f = format_named(format);
    void *s = format_settings(f, pairs);
    struct err e;
    ck_assert_msg(dataset_open(d, &(struct data_source){ f, path, s, size, notes }, &e), "%s",
                  e.text);
    struct data_shape shape;
    ck_assert_msg(f->shape(path ? path : f->default_path, s, size, &shape, &e), "%s", e.text);
    ck_assert_int_eq(shape.size, d->size);
    ck_assert_int_eq(shape.channels, d->channels);
    ck_assert_int_eq(shape.classes, d->classes);
    free(s);
}

static inline void data_open(struct dataset *d, const char *format, const char *path, int size,
                             const char *const *pairs)
{
    data_open_noted(d, format, path, size, pairs, NULL);
}

static inline void data_read(const struct dataset *d, enum data_part part, uint32_t index,
                             const struct data_crop *crop, uint8_t *pixels)
{
    struct err e;
    ck_assert_msg(d->format->read(d, part, index, crop, pixels, &e), "%s", e.text);
}
#endif
