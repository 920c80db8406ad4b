/* Formats against files written on the fly, the cuts of a data set, and Debian's Fashion-MNIST. */
#include "core/base/parallel.h"
#include "core/data/split.h"
#include "tests/unit/data_files.h"
#include <math.h>

static void idx_expect(const struct dataset *d)
{
    ck_assert_int_eq(d->size, IDX_SIDE);
    ck_assert_int_eq(d->channels, 1);
    ck_assert_int_eq(d->classes, 3);
    ck_assert_uint_eq(d->count[DATA_TRAIN], 4);
    ck_assert_uint_eq(d->count[DATA_TEST], 3);
    ck_assert_ptr_null(d->class_names);
    for (int i = 0; i < 4; i++) ck_assert_uint_eq(d->labels[DATA_TRAIN][i], idx_train_labels[i]);
    for (int i = 0; i < 3; i++) ck_assert_uint_eq(d->labels[DATA_TEST][i], idx_test_labels[i]);
    for (uint32_t k = 0; k < 4; k++) {
        uint8_t pixels[IDX_AREA];
        data_read(d, DATA_TRAIN, k, NULL, pixels);
        for (uint32_t i = 0; i < IDX_AREA; i++)
            ck_assert_uint_eq(pixels[i], (37 * k + 5 * i) % 256);
    }
}

START_TEST(idx_plain_and_gzipped_are_the_same)
{
    uint64_t digests[2];
    for (int gz = 0; gz < 2; gz++) {
        char *folder = folder_create();
        struct dataset d;
        if (gz)
            idx_put_gz(folder);
        else
            idx_put(folder);
        data_open(&d, "idx", folder, gz ? IDX_SIDE : 0, gz ? PAIRS("classes", "3") : NULL);
        idx_expect(&d);
        digests[gz] = d.digest;
        dataset_close(&d);
        dataset_close(&d);
        folder_remove(folder);
    }
    ck_assert_uint_eq(digests[0], digests[1]);
}
END_TEST

static void cifar_expect(const struct dataset *d, enum data_part part, uint32_t index, int record)
{
    uint8_t pixels[3072];
    data_read(d, part, index, NULL, pixels);
    for (int p = 0; p < 1024; p++)
        for (int c = 0; c < 3; c++)
            ck_assert_int_eq(pixels[3 * p + c], (11 * record + 1024 * c + p) % 251);
}

START_TEST(cifar10_binary)
{
    char *folder = folder_create();
    struct dataset d;
    cifar10_put(folder);
    data_open(&d, "cifar", folder, 32, NULL);
    ck_assert_int_eq(d.classes, 10);
    ck_assert_int_eq(d.channels, 3);
    ck_assert_uint_eq(d.count[DATA_TRAIN], 15);
    ck_assert_uint_eq(d.count[DATA_TEST], 2);
    for (int file = 1, at = 0; file <= 5; file++)
        for (int k = 0; k < file; k++, at++) {
            ck_assert_uint_eq(d.labels[DATA_TRAIN][at], (unsigned)k + 3);
            cifar_expect(&d, DATA_TRAIN, (uint32_t)at, k);
        }
    cifar_expect(&d, DATA_TEST, 1, 1);
    dataset_close(&d);
    folder_remove(folder);
}
END_TEST

START_TEST(cifar100_binary_fine_and_coarse)
{
    char *folder = folder_create();
    struct dataset fine, coarse;
    cifar100_put(folder);
    data_open(&fine, "cifar", folder, 0, PAIRS("classes", "100"));
    data_open(&coarse, "cifar", folder, 0, PAIRS("labels", "coarse"));
    ck_assert_int_eq(fine.classes, 100);
    ck_assert_int_eq(coarse.classes, 20);
    ck_assert_uint_eq(fine.count[DATA_TRAIN], 5);
    ck_assert_uint_eq(fine.count[DATA_TEST], 3);
    ck_assert_uint_ne(fine.digest, coarse.digest);
    for (uint32_t k = 0; k < 5; k++) {
        ck_assert_uint_eq(fine.labels[DATA_TRAIN][k], 90 + k);
        ck_assert_uint_eq(coarse.labels[DATA_TRAIN][k], 3 + k);
        cifar_expect(&fine, DATA_TRAIN, k, (int)k);
    }
    dataset_close(&fine);
    dataset_close(&coarse);
    folder_remove(folder);
}
END_TEST

static void names_open(const char *folder, const char *labels, struct dataset *d)
{
    data_open(d, "cifar", folder, 0, labels ? PAIRS("labels", labels) : NULL);
    ck_assert_ptr_nonnull(d->class_names);
    ck_assert_ptr_null(d->file_names[DATA_TEST]);
}

/* Published names where the folder has no file of them. */
START_TEST(cifar_classes_have_names)
{
    char *ten = folder_create(), *hundred = folder_create();
    struct dataset d;
    cifar10_put(ten);
    cifar100_put(hundred);
    names_open(ten, NULL, &d);
    ck_assert_str_eq(d.class_names[0], "airplane");
    ck_assert_str_eq(d.class_names[9], "truck");
    dataset_close(&d);
    names_open(hundred, "fine", &d);
    for (int i = 1; i < 100; i++)
        ck_assert_int_lt(strcmp(d.class_names[i - 1], d.class_names[i]), 0);
    ck_assert_str_eq(d.class_names[53], "orange");
    dataset_close(&d);
    names_open(hundred, "coarse", &d);
    for (int i = 1; i < 20; i++)
        ck_assert_int_lt(strcmp(d.class_names[i - 1], d.class_names[i]), 0);
    ck_assert_str_eq(d.class_names[10], "large_natural_outdoor_scenes");
    dataset_close(&d);
    static const char own[] = "a\r\nb b\nc\nd\ne\nf\ng\nh\ni\nj\n\n";
    put(ten, "batches.meta.txt", own, sizeof own - 1);
    names_open(ten, NULL, &d);
    ck_assert_str_eq(d.class_names[0], "a");
    ck_assert_str_eq(d.class_names[1], "b b");
    ck_assert_str_eq(d.class_names[9], "j");
    dataset_close(&d);
    folder_remove(ten);
    folder_remove(hundred);
}
END_TEST

START_TEST(images_of_class_folders)
{
    char *folder = folder_create();
    struct dataset d;
    class_folders_put(folder, PAIRS("train", "val"));
    data_open(&d, "images", folder, 16, NULL);
    ck_assert_int_eq(d.classes, 2);
    ck_assert_str_eq(d.class_names[0], "cat");
    ck_assert_str_eq(d.class_names[1], "dog");
    ck_assert_uint_eq(d.count[DATA_TRAIN], 4);
    ck_assert_uint_eq(d.count[DATA_TEST], 2);
    for (unsigned i = 0; i < 4; i++) ck_assert_uint_eq(d.labels[DATA_TRAIN][i], i / 2);
    ck_assert_str_eq(d.file_names[DATA_TRAIN][1], "train/cat/b.JPEG");
    ck_assert_str_eq(d.file_names[DATA_TEST][1], "val/dog/a.jpg");
    dataset_close(&d);
    class_folders_put(folder, PAIRS("test"));
    data_open(&d, "images", folder, 16, PAIRS("test_folder", "test"));
    dataset_close(&d);
    folder_remove(folder);
}
END_TEST

/* One picture of its own class beside the usual ones, read back at a size. */
static void picture_read(const struct picture *p, int size, const struct data_crop *crop,
                         uint8_t *pixels)
{
    char *folder = folder_create();
    struct dataset d;
    struct err e;
    images_put(folder);
    ck_assert(dir_make(path_in(folder, "train/bird"), &e));
    ck_assert(dir_make(path_in(folder, "test/bird"), &e));
    jpeg_put(path_in(folder, "train/bird/x.jpg"), p);
    jpeg_put(path_in(folder, "test/bird/x.jpg"), p);
    uint8_t *again = mem_new((size_t)size * (size_t)size, 3);
    for (int cached = 0; cached < 2; cached++) {
        data_open(&d, "images", folder, size, cached ? NULL : PAIRS("cache_mb", "0"));
        data_read(&d, DATA_TRAIN, 0, crop, pixels);
        data_read(&d, DATA_TRAIN, 0, crop, again);
        ck_assert_mem_eq(pixels, again, (size_t)size * (size_t)size * 3);
        dataset_close(&d);
    }
    free(again);
    folder_remove(folder);
}

#define NEAR(got, want, tolerance)                                                       \
    ck_assert_msg(fabs((double)(got) - (want)) <= (tolerance), "%s is %g, not %g", #got, \
                  (double)(got), (double)(want))

/* Pixels against the gradient, at a window of the picture that begins at (y0, x0). */
static void gradient_expect(const uint8_t *pixels, int size, const double place[2],
                            const double step[2])
{
    for (int y = 1; y < size - 1; y++)
        for (int x = 1; x < size - 1; x++) {
            const uint8_t *p = pixels + (y * size + x) * 3;
            NEAR(p[0], 40 + 2 * (place[1] + (x + 0.5) * step[1] - 0.5), 3);
            NEAR(p[1], 30 + 3 * (place[0] + (y + 0.5) * step[0] - 0.5), 3);
            NEAR(p[2], 100, 3);
        }
}

START_TEST(images_as_they_are)
{
    uint8_t pixels[32 * 32 * 3];
    struct picture p = { 32, 32, 3, gradient, USUAL };
    picture_read(&p, 32, NULL, pixels);
    gradient_expect(pixels, 32, (double[]){ 0, 0 }, (double[]){ 1, 1 });
}
END_TEST

START_TEST(images_of_every_colour_space)
{
    uint8_t pixels[32 * 32 * 3];
    const struct picture grey = { 32, 32, 1, gradient, USUAL };
    const struct picture coloured[] = {
        { 32, 32, 3, gradient, PROGRESSIVE },
        { 32, 32, 4, gradient, USUAL },
        { 32, 32, 4, gradient, YCCK },
        { 32, 32, 4, gradient_ink, NO_ADOBE },
    };
    picture_read(&grey, 32, NULL, pixels);
    for (int i = 0; i < 32 * 32; i++) {
        NEAR(pixels[3 * i], 40 + 2 * (i % 32), 3);
        ck_assert_uint_eq(pixels[3 * i], pixels[3 * i + 1]);
        ck_assert_uint_eq(pixels[3 * i], pixels[3 * i + 2]);
    }
    for (int i = 0; i < 4; i++) {
        picture_read(&coloured[i], 32, NULL, pixels);
        gradient_expect(pixels, 32, (double[]){ 0, 0 }, (double[]){ 1, 1 });
    }
}
END_TEST

/* Every byte and every name counts. */
START_TEST(images_digest_sees_names_and_contents)
{
    char *folder = folder_create();
    uint64_t digests[4];
    struct dataset d;
    images_put(folder);
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            ck_assert_int_eq(
                rename(path_in(folder, "train/cat/a.jpg"), path_in(folder, "train/cat/c.jpg")), 0);
        if (i == 3) {
            FILE *f = fopen(path_in(folder, "test/dog/a.jpg"), "r+b");
            fseek(f, 13, SEEK_SET); /* the density, which no pixel depends on */
            fputc(7, f);
            fclose(f);
        }
        data_open(&d, "images", folder, i == 1 ? 8 : 16, NULL);
        digests[i] = d.digest;
        dataset_close(&d);
    }
    ck_assert_uint_eq(digests[0], digests[1]);
    ck_assert_uint_ne(digests[1], digests[2]);
    ck_assert_uint_ne(digests[2], digests[3]);
    folder_remove(folder);
}
END_TEST

/* 96 x 64 at 28: the shorter side becomes 32, so that the centre is 56 pixels of the file wide. */
START_TEST(images_resized_and_cut)
{
    uint8_t pixels[28 * 28 * 3];
    struct picture wide = { 96, 64, 3, gradient, USUAL }, small = { 20, 24, 3, gradient, USUAL };
    picture_read(&wide, 28, NULL, pixels);
    gradient_expect(pixels, 28, (double[]){ 4, 20 }, (double[]){ 2, 2 });
    /* not larger than the input: all of the shorter side */
    picture_read(&small, 28, NULL, pixels);
    gradient_expect(pixels, 28, (double[]){ 2, 0 }, (double[]){ 20 / 28.0, 20 / 28.0 });
}
END_TEST

START_TEST(images_window_is_the_first_that_fits)
{
    uint8_t pixels[16 * 16 * 3];
    struct picture wide = { 96, 64, 3, gradient, USUAL };
    struct data_crop crop = { .aspect_min = 0.75, .aspect_max = 4 / 3.0 };
    for (int i = 0; i < CROP_TRIES; i++) crop.tries[i] = (struct crop_window){ 1, 1, 0, 0 };
    /* 96 * 64 / 6 pixels, square: 32 x 32 */
    crop.tries[4] = (struct crop_window){ 1 / 6.0, 1, 0.999, 0.5 };
    picture_read(&wide, 16, &crop, pixels);
    gradient_expect(pixels, 16, (double[]){ 32, 32 }, (double[]){ 2, 2 });
    /* none fits: the centre, as wide as 4/3 allows (85) */
    crop.tries[4] = crop.tries[0];
    picture_read(&wide, 16, &crop, pixels);
    gradient_expect(pixels, 16, (double[]){ 0, 5 }, (double[]){ 4, 85 / 16.0 });
}
END_TEST

START_TEST(images_shape_without_files)
{
    const struct data_format *f = format_named("images");
    struct data_shape shape;
    struct err e;
    void *s = format_settings(f, PAIRS("classes", "1000"));
    ck_assert(f->shape("/nowhere", s, 224, &shape, &e));
    ck_assert_int_eq(shape.classes, 1000);
    ck_assert_int_eq(shape.size, 224);
    free(s);
    f = format_named("idx");
    s = format_settings(f, NULL);
    ck_assert(f->shape("/nowhere", s, 0, &shape, &e));
    ck_assert_int_eq(shape.classes, 10);
    ck_assert_int_eq(shape.size, 28);
    ck_assert_int_eq(shape.channels, 1);
    free(s);
}
END_TEST

/* A task can be learned when the mean image of a class tells it from the others. */
static double nearest_mean_error(const struct dataset *d)
{
    size_t n = (size_t)d->size * (size_t)d->size * (size_t)d->channels;
    double *mean = mem_new((size_t)d->classes * n, sizeof *mean);
    uint8_t *pixels = mem_new(n, 1);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < d->count[DATA_TRAIN]; i++) {
        data_read(d, DATA_TRAIN, i, NULL, pixels);
        for (size_t k = 0; k < n; k++)
            mean[d->labels[DATA_TRAIN][i] * n + k] +=
                pixels[k] * (double)d->classes / d->count[DATA_TRAIN];
    }
    for (uint32_t i = 0; i < d->count[DATA_TEST]; i++) {
        double best = INFINITY;
        int guess = -1;
        data_read(d, DATA_TEST, i, NULL, pixels);
        for (int c = 0; c < d->classes; c++) {
            double distance = 0;
            for (size_t k = 0; k < n; k++)
                distance +=
                    (pixels[k] - mean[(size_t)c * n + k]) * (pixels[k] - mean[(size_t)c * n + k]);
            if (distance < best) best = distance, guess = c;
        }
        wrong += guess != d->labels[DATA_TEST][i];
    }
    free(mean);
    free(pixels);
    return wrong / (double)d->count[DATA_TEST];
}

START_TEST(synthetic_is_learnable_and_a_function_of_its_settings)
{
    const char *const *small = PAIRS("size", "12", "train", "400", "test", "100", "classes", "5");
    struct dataset d, again, other;
    parallel_use(1);
    data_open(&d, "synthetic", NULL, 12, small);
    parallel_use(3);
    data_open(&again, "synthetic", NULL, 0, small);
    data_open(&other, "synthetic", NULL, 0,
              PAIRS("size", "12", "train", "400", "test", "100", "classes", "5", "seed", "1"));
    ck_assert_uint_eq(d.digest, again.digest);
    ck_assert_uint_ne(d.digest, other.digest);
    uint8_t a[12 * 12 * 3], b[12 * 12 * 3];
    for (uint32_t i = 0; i < 400; i++) {
        data_read(&d, DATA_TRAIN, i, NULL, a);
        data_read(&again, DATA_TRAIN, i, NULL, b);
        ck_assert_mem_eq(a, b, sizeof a);
        ck_assert_uint_eq(d.labels[DATA_TRAIN][i], i % 5);
    }
    data_read(&other, DATA_TRAIN, 399, NULL, b);
    ck_assert_mem_ne(a, b, sizeof a);
    ck_assert_double_lt(nearest_mean_error(&d), 0.4);
    dataset_close(&d);
    dataset_close(&again);
    dataset_close(&other);
}
END_TEST

static void split_open(struct dataset *d, struct data_split *s, const char *const *pairs)
{
    struct data_settings settings;
    struct err e;
    fields_default(data_fields, &settings);
    for (; pairs && *pairs; pairs += 2) setting(data_fields, &settings, pairs[0], pairs[1]);
    ck_assert_msg(data_split(s, d, &settings, &e), "%s", e.text);
}

static bool view_has(const struct data_view *v, uint32_t number)
{
    for (uint32_t i = 0; i < v->count; i++)
        if (v->index[i] == number) return true;
    return false;
}

START_TEST(split_cuts_by_seed_and_balances)
{
    struct dataset d;
    struct data_split all, cut, fewer, other;
    data_open(&d, "synthetic", NULL, 0,
              PAIRS("size", "4", "train", "100", "test", "50", "classes", "7"));
    split_open(&d, &all, NULL);
    ck_assert_uint_eq(all.train.count, 100);
    ck_assert_uint_eq(all.validation.count, 0);
    ck_assert_uint_eq(all.test.count, 50);
    for (uint32_t i = 0; i < 100; i++) ck_assert_uint_eq(all.train.index[i], i);

    split_open(&d, &cut, PAIRS("validation", "20", "train_limit", "35", "test_limit", "14"));
    ck_assert_uint_eq(cut.train.count, 35);
    ck_assert_uint_eq(cut.validation.count, 20);
    ck_assert_uint_eq(cut.test.count, 14);
    int by_class[2][7] = { { 0 } };
    for (uint32_t i = 0; i < 35; i++) {
        by_class[0][d.labels[DATA_TRAIN][cut.train.index[i]]]++;
        ck_assert(!view_has(&cut.validation, cut.train.index[i]));
        ck_assert(!i || cut.train.index[i] > cut.train.index[i - 1]);
    }
    for (uint32_t i = 0; i < 14; i++) by_class[1][d.labels[DATA_TEST][cut.test.index[i]]]++;
    for (int c = 0; c < 7; c++) {
        ck_assert_int_eq(by_class[0][c], 5);
        ck_assert_int_eq(by_class[1][c], 2);
    }

    split_open(&d, &fewer, PAIRS("validation", "20", "train_limit", "10"));
    ck_assert_mem_eq(fewer.validation.index, cut.validation.index, 20 * sizeof(uint32_t));
    for (uint32_t i = 0; i < 10; i++) ck_assert(view_has(&cut.train, fewer.train.index[i]));
    split_open(&d, &other, PAIRS("validation", "20", "train_limit", "35", "split_seed", "1"));
    ck_assert_mem_ne(other.validation.index, cut.validation.index, 20 * sizeof(uint32_t));
    ck_assert_uint_ne(other.digest, cut.digest);
    ck_assert_uint_ne(fewer.digest, cut.digest);
    data_split_clear(&all);
    data_split_clear(&cut);
    data_split_clear(&fewer);
    data_split_clear(&other);
    dataset_close(&d);
}
END_TEST

START_TEST(split_statistics_are_those_of_the_training_view)
{
    struct dataset d;
    struct data_split s;
    uint64_t digest = 0;
    data_open(&d, "synthetic", NULL, 0,
              PAIRS("size", "8", "train", "90", "test", "9", "channels", "2"));
    for (int threads = 1; threads <= 3; threads++) {
        parallel_use(threads);
        split_open(&d, &s, PAIRS("validation", "30"));
        ck_assert(!digest || digest == s.digest);
        digest = s.digest;
        double sum[2] = { 0 }, squares[2] = { 0 };
        for (uint32_t i = 0; i < s.train.count; i++) {
            uint8_t pixels[8 * 8 * 2];
            data_read(&d, DATA_TRAIN, s.train.index[i], NULL, pixels);
            for (int k = 0; k < 128; k++) {
                sum[k % 2] += pixels[k] / 255.0;
                squares[k % 2] += pixels[k] / 255.0 * pixels[k] / 255.0;
            }
        }
        for (int c = 0; c < 2; c++) {
            double n = 64.0 * s.train.count, mean = sum[c] / n;
            NEAR(s.mean[c], mean, 1e-6);
            NEAR(s.sd[c], sqrt(squares[c] / n - mean * mean), 1e-6);
        }
        data_split_clear(&s);
    }
    dataset_close(&d);
}
END_TEST

/* dataset.mean = [ texts ] */
static bool channels_set(struct data_settings *s, const char *key, const char *const *texts,
                         struct err *e)
{
    struct value list = { .kind = VALUE_LIST }, items[8];
    struct pool p = { NULL };
    struct value **end = &list.first;
    for (int i = 0; texts[i]; i++) {
        items[i] = (struct value){ .kind = VALUE_SCALAR, .text = texts[i] };
        *end = &items[i];
        end = &items[i].next;
    }
    return field_read(field_named(data_fields, key), s, &list, &p, e);
}

START_TEST(split_takes_given_statistics)
{
    struct dataset d;
    struct data_split s;
    struct data_settings settings;
    struct err e;
    struct text json = { 0 };
    data_open(&d, "synthetic", NULL, 0, PAIRS("size", "4", "train", "9", "test", "9"));
    fields_default(data_fields, &settings);
    ck_assert(channels_set(&settings, "mean", PAIRS("0.5", "0.25", "0.125"), &e));
    ck_assert(channels_set(&settings, "sd", PAIRS("0.2", "0.3", "0.4"), &e));
    ck_assert_msg(data_split(&s, &d, &settings, &e), "%s", e.text);
    ck_assert_float_eq(s.mean[2], 0.125f);
    ck_assert_float_eq(s.sd[1], 0.3f);
    field_write(field_named(data_fields, "sd"), &settings, &json);
    ck_assert_str_eq(json.s, "[0.2,0.3,0.4]");
    data_split_clear(&s);
    ck_assert(channels_set(&settings, "mean", PAIRS("0.5"), &e));
    ck_assert(!data_split(&s, &d, &settings, &e));
    ck_assert_str_eq(e.text, "dataset.mean: 1 numbers for images of 3 channels");
    ck_assert(!channels_set(&settings, "sd", PAIRS("0"), &e));
    ck_assert(!channels_set(&settings, "sd", PAIRS("1", "1", "1", "1", "1"), &e));
    ck_assert(!channels_set(&settings, "mean", PAIRS("125"), &e));
    ck_assert(!channels_set(&settings, "mean", PAIRS("0.5x"), &e));
    ck_assert(!channels_set(&settings, "mean", PAIRS("nan"), &e));
    setting(data_fields, &settings, "mean", "auto");
    ck_assert_int_eq(settings.mean.n, 0);
    settings.validation = 9;
    ck_assert(!data_split(&s, &d, &settings, &e));
    ck_assert_str_eq(e.text,
                     "dataset.validation: 9 of the 9 training images leave none to train on");
    text_clear(&json);
    dataset_close(&d);
}
END_TEST

START_TEST(fashion_mnist_of_debian)
{
    const struct data_format *f = format_named("idx");
    if (!file_exists(f->default_path)) {
        printf("skipped: %s is not installed\n", f->default_path);
        return;
    }
    static const uint16_t train[] = { 9, 0, 0, 3, 0, 2, 7, 2, 5, 5 };
    static const uint16_t test[] = { 9, 2, 1, 1, 6, 1, 4, 6, 5, 7 };
    struct dataset d;
    struct data_split s;
    data_open(&d, "idx", NULL, 0, NULL);
    ck_assert_int_eq(d.size, 28);
    ck_assert_int_eq(d.classes, 10);
    ck_assert_uint_eq(d.count[DATA_TRAIN], 60000);
    ck_assert_uint_eq(d.count[DATA_TEST], 10000);
    ck_assert_ptr_nonnull(d.class_names);
    ck_assert_str_eq(d.class_names[9], "Ankle boot");
    ck_assert_mem_eq(d.labels[DATA_TRAIN], train, sizeof train);
    ck_assert_mem_eq(d.labels[DATA_TEST], test, sizeof test);
    split_open(&d, &s, NULL);
    NEAR(s.mean[0], 0.2860, 5e-5); /* as published with the data set's loaders */
    NEAR(s.sd[0], 0.3530, 5e-5);
    data_split_clear(&s);
    dataset_close(&d);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("data");
    unit_case(s, "formats", 30,
              UNIT_TESTS(idx_plain_and_gzipped_are_the_same, cifar10_binary,
                         cifar100_binary_fine_and_coarse, cifar_classes_have_names,
                         images_of_class_folders, images_as_they_are, images_of_every_colour_space,
                         images_digest_sees_names_and_contents, images_resized_and_cut,
                         images_window_is_the_first_that_fits, images_shape_without_files,
                         synthetic_is_learnable_and_a_function_of_its_settings));
    unit_case(s, "split", 30,
              UNIT_TESTS(split_cuts_by_seed_and_balances,
                         split_statistics_are_those_of_the_training_view,
                         split_takes_given_statistics));
    unit_case(s, "real", 60, UNIT_TESTS(fashion_mnist_of_debian));
    return s;
}
