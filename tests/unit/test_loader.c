/* The loader's promises: what is in a batch is a function of (seed, epoch, sample number), whatever
 * the threads and the timing; it ends where it should, at any moment. */
#include "core/base/digest.h"
#include "core/data/loader.h"
#include "tests/unit/data_files.h"
#include <math.h>
#include <time.h>

static struct dataset data;
static struct data_split split;
static struct augment_settings augment;

static void data_setup(void)
{
    struct data_settings s;
    struct err e;
    data_open(&data, "synthetic", NULL, 0, PAIRS("size", "8", "train", "103", "test", "21"));
    fields_default(data_fields, &s);
    s.validation = 10;
    ck_assert(data_split(&split, &data, &s, &e));
    fields_default(augment_fields, &augment);
    augment.flip = true;
    augment.crop_padding = 2;
}

static void data_teardown(void)
{
    data_split_clear(&split);
    dataset_close(&data);
}

static struct loader_plan plan_of(bool train, int threads)
{
    return (struct loader_plan){ .data = &data,
                                 .split = &split,
                                 .view = train ? &split.train : &split.test,
                                 .augment = train ? &augment : NULL,
                                 .batch_size = 10,
                                 .seed = 7,
                                 .threads = threads };
}

static void dawdle(unsigned n)
{
    nanosleep(&(struct timespec){ .tv_nsec = (n * 7919 % 5) * 400000 }, NULL);
}

/* One digest of an epoch's batches: images, labels, numbers. */
static uint64_t epoch_digest(struct loader *l, const struct loader_plan *p, uint32_t epoch,
                             bool slow)
{
    struct digest *g = digest_create();
    struct batch b;
    struct err e;
    size_t batches = 0, sample = 8 * 8 * 3, n = (size_t)p->batch_size;
    loader_begin(l, epoch);
    for (;;) {
        if (slow) dawdle((unsigned)batches);
        ck_assert_msg(loader_next(l, &b, &e), "%s", e.text);
        if (!b.count) break;
        batches++;
        digest_add(g, b.images, n * sample * sizeof *b.images);
        digest_add(g, b.labels, n * sizeof *b.labels);
        digest_add(g, b.index, n * sizeof *b.index);
        digest_add(g, &b.count, sizeof b.count);
    }
    ck_assert_uint_eq(batches, loader_batches(l));
    ck_assert(loader_next(l, &b, &e) && !b.count);
    return digest_end(g);
}

START_TEST(batches_are_the_same_for_any_threads_and_timing)
{
    uint64_t first[3] = { 0 };
    for (int threads = 1; threads <= 8; threads += threads < 3 ? 1 : 5)
        for (int slow = 0; slow < 2; slow++) {
            struct loader_plan p = plan_of(true, threads);
            struct loader *l = loader_create(&p);
            for (uint32_t epoch = 3; epoch--;) { /* in any order of epochs */
                uint64_t digest = epoch_digest(l, &p, epoch, slow);
                if (!first[epoch]) first[epoch] = digest;
                ck_assert_uint_eq(digest, first[epoch]);
            }
            loader_destroy(l);
        }
    ck_assert_uint_ne(first[0], first[1]);
}
END_TEST

START_TEST(an_epoch_of_training_shows_each_image_once)
{
    struct loader_plan p = plan_of(true, 2);
    p.batch_size = 31; /* 93 training images: three whole batches */
    struct loader *l = loader_create(&p);
    struct batch b;
    struct err e;
    uint32_t order[2][93];
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        bool seen[103] = { false };
        uint32_t n = 0;
        loader_begin(l, epoch);
        while (loader_next(l, &b, &e) && b.count)
            for (int i = 0; i < b.count; i++) {
                ck_assert(!seen[b.index[i]]);
                seen[b.index[i]] = true;
                ck_assert_float_eq(b.labels[i], data.labels[DATA_TRAIN][b.index[i]]);
                order[epoch][n++] = b.index[i];
            }
        ck_assert_uint_eq(n, 93);
        for (uint32_t i = 0; i < 10; i++) ck_assert(!seen[split.validation.index[i]]);
    }
    ck_assert_mem_ne(order[0], order[1], sizeof order[0]);
    loader_destroy(l);
}
END_TEST

/* What is drawn for a sample hangs on the seed, the epoch and its number alone, not on where in the
 * epoch it comes; where it comes hangs on seed and epoch. */
START_TEST(a_training_sample_is_drawn_by_seed_epoch_and_number)
{
    uint32_t order[3][90] = { { 0 } };
    for (uint32_t run = 0; run < 3; run++) {
        const uint64_t seed = run == 1 ? 8 : 7;
        const uint32_t epoch = run == 2;
        struct loader_plan p = plan_of(true, 2);
        struct batch b;
        struct err e;
        int n = 0;
        p.seed = seed;
        struct loader *l = loader_create(&p);
        loader_begin(l, epoch);
        while (loader_next(l, &b, &e) && b.count)
            for (int i = 0; i < b.count; i++) {
                float want[8 * 8 * 3];
                struct rng r = rng_stream(seed, RNG_AUGMENT, b.index[i], epoch);
                ck_assert(augment_sample(want, &data, DATA_TRAIN, b.index[i], &augment, split.mean,
                                         split.sd, &r, &e));
                ck_assert_mem_eq(b.images + i * 192, want, sizeof want);
                if (n < 90) order[run][n++] = b.index[i];
            }
        loader_destroy(l);
    }
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < a; b++) ck_assert_mem_ne(order[a], order[b], sizeof order[a]);
}
END_TEST

/* How many images an epoch of the 93 has in batches of that size, and how many batches. */
static void epoch_is(int batch_size, bool drop_last, uint32_t images, size_t batches)
{
    struct loader_plan p = plan_of(true, 2);
    p.batch_size = batch_size;
    p.drop_last = drop_last;
    struct loader *l = loader_create(&p);
    struct batch b;
    struct err e;
    uint32_t n = 0;
    int last = 0;
    loader_begin(l, 0);
    while (loader_next(l, &b, &e) && b.count) {
        n += (uint32_t)b.count;
        last = b.count;
    }
    ck_assert_uint_eq(n, images);
    ck_assert_uint_eq(loader_batches(l), batches);
    const int rest = loader_short(93, batch_size, drop_last);
    ck_assert_int_eq(last, rest ? rest : batch_size);
    epoch_digest(l, &p, 1, false);
    loader_destroy(l);
}

START_TEST(an_incomplete_batch_is_used_or_dropped)
{
    epoch_is(10, false, 93, 10);
    epoch_is(10, true, 90, 9);
    epoch_is(31, false, 93, 3);
    epoch_is(31, true, 93, 3);
    epoch_is(92, false, 92, 1); /* one image left over */
    epoch_is(2, false, 92, 46);
    epoch_is(1, false, 93, 93);
    epoch_is(91, false, 93, 2);
}
END_TEST

START_TEST(evaluation_is_in_order_and_pads_with_zeros)
{
    struct loader_plan p = plan_of(false, 2);
    struct loader *l = loader_create(&p);
    struct batch b;
    struct err e;
    ck_assert_uint_eq(loader_batches(l), 3); /* of 21 images */
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        uint32_t n = 0;
        loader_begin(l, epoch);
        while (loader_next(l, &b, &e) && b.count)
            for (int i = 0; i < p.batch_size; i++) {
                if (i < b.count) {
                    float plain[8 * 8 * 3];
                    ck_assert_uint_eq(b.index[i], n);
                    ck_assert(plain_sample(plain, &data, DATA_TEST, n++, split.mean, split.sd, &e));
                    ck_assert_mem_eq(b.images + i * 192, plain, sizeof plain);
                    continue;
                }
                ck_assert_float_eq(b.labels[i], 0);
                ck_assert_uint_eq(b.index[i], 0);
                for (int k = 0; k < 192; k++) ck_assert_float_eq(b.images[i * 192 + k], 0);
            }
        ck_assert_uint_eq(n, 21);
    }
    loader_destroy(l);
}
END_TEST

START_TEST(it_can_be_left_at_any_time)
{
    struct loader_plan p = plan_of(true, 3);
    struct batch b;
    struct err e;
    uint64_t whole = 0;
    for (int taken = -1; taken < 10; taken++) {
        struct loader *l = loader_create(&p);
        if (taken >= 0) loader_begin(l, 0);
        for (int i = 0; i < taken; i++) ck_assert(loader_next(l, &b, &e));
        if (taken % 2) dawdle((unsigned)taken);
        if (taken > 4) { /* another epoch in the middle of one */
            uint64_t digest = epoch_digest(l, &p, 5, false);
            ck_assert(!whole || digest == whole);
            whole = digest;
        }
        loader_destroy(l);
    }
    loader_destroy(NULL);
}
END_TEST

START_TEST(the_caller_may_keep_a_batch_until_the_next_call)
{
    struct loader_plan p = plan_of(true, 2);
    struct loader *l = loader_create(&p);
    struct batch b;
    struct err e;
    loader_begin(l, 0);
    while (loader_next(l, &b, &e) && b.count) {
        size_t bytes = 10 * 192 * sizeof *b.images;
        uint64_t before = digest_of(b.images, bytes);
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
        ck_assert_uint_eq(before, digest_of(b.images, bytes));
    }
    loader_destroy(l);
}
END_TEST

START_TEST(a_broken_image_is_told_with_its_batch)
{
    char *folder = folder_create();
    struct dataset d;
    struct data_split s = { .sd = { 1, 1, 1 } };
    struct err e;
    struct batch b;
    uint32_t numbers[] = { 0, 1, 2, 3 };
    images_put(folder);
    ck_assert_int_eq(truncate(path_in(folder, "train/dog/a.jpg"), 300), 0);
    data_open(&d, "images", folder, 16, NULL);
    s.train = (struct data_view){ DATA_TRAIN, numbers, 4 };
    struct loader_plan p = { &d, &s, &s.train, NULL, 2, false, 1, 2 };
    struct loader *l = loader_create(&p);
    loader_begin(l, 0);
    ck_assert(loader_next(l, &b, &e));
    ck_assert_int_eq(b.count, 2);
    ck_assert(!loader_next(l, &b, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "/train/dog/a.jpg: not a sound JPEG image"));
    loader_destroy(l);
    dataset_close(&d);
    folder_remove(folder);
}
END_TEST

START_TEST(what_cannot_be_loaded_is_refused)
{
    struct loader_plan p = plan_of(true, 1);
    struct err e;
    struct batch b;
    p.batch_size = 94;
    struct loader *l = loader_create(&p);
    loader_begin(l, 0);
    ck_assert(!loader_next(l, &b, &e));
    ck_assert_str_eq(e.text, "train.batch_size: 94 is more than the 93 training images");
    loader_destroy(l);
    augment.cutout = 9;
    p.batch_size = 10;
    l = loader_create(&p);
    loader_begin(l, 0);
    ck_assert(!loader_next(l, &b, &e));
    ck_assert_str_eq(e.text, "augment.cutout: 9 is more than the image's side, 8");
    loader_destroy(l);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("loader");
    TCase *c = tcase_create("loader");
    tcase_set_timeout(c, 30);
    tcase_add_checked_fixture(c, data_setup, data_teardown);
    tcase_add_test(c, batches_are_the_same_for_any_threads_and_timing);
    tcase_add_test(c, an_epoch_of_training_shows_each_image_once);
    tcase_add_test(c, a_training_sample_is_drawn_by_seed_epoch_and_number);
    tcase_add_test(c, an_incomplete_batch_is_used_or_dropped);
    tcase_add_test(c, evaluation_is_in_order_and_pads_with_zeros);
    tcase_add_test(c, it_can_be_left_at_any_time);
    tcase_add_test(c, the_caller_may_keep_a_batch_until_the_next_call);
    tcase_add_test(c, a_broken_image_is_told_with_its_batch);
    tcase_add_test(c, what_cannot_be_loaded_is_refused);
    suite_add_tcase(s, c);
    return s;
}
