/* Augmentation against its definition, pixel by pixel, and its draws: one stream a sample, in one
 * order, whatever is turned on. */
#include "core/data/augment.h"
#include "tests/unit/data_files.h"
#include <math.h>

enum { SIDE = 6, TRIES = 400 };
static const float mean[4] = { 0.25f }, sd[4] = { 0.5f };

/* The IDX set of data_files.h: image 0 has pixel 5 (6 y + x), all different. */
static struct dataset data;
static char *folder;

static void data_setup(void)
{
    folder = folder_create();
    idx_put(folder);
    data_open(&data, "idx", folder, 0, NULL);
}

static void data_teardown(void)
{
    dataset_close(&data);
    folder_remove(folder);
}

static float input_at(int y, int x)
{
    return ((float)(5 * (SIDE * y + x)) / 255 - mean[0]) / sd[0];
}

static void augmented(float out[IDX_AREA], const struct augment_settings *a, uint64_t seed)
{
    struct rng r = rng_stream(seed, RNG_AUGMENT, 0, 0);
    struct err e;
    ck_assert_msg(augment_sample(out, &data, DATA_TRAIN, 0, a, mean, sd, &r, &e), "%s", e.text);
}

static struct augment_settings settings_of(const char *const *pairs)
{
    struct augment_settings a;
    fields_default(augment_fields, &a);
    for (; *pairs; pairs += 2) setting(augment_fields, &a, pairs[0], pairs[1]);
    return a;
}

/* What an input shows, in a form that tests can look for: shift, mirror, fill. */
static bool shows(const float *out, int dy, int dx, bool flip, bool reflect)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int sy = y + dy, sx = (flip ? SIDE - 1 - x : x) + dx;
            if (reflect) {
                sy = SIDE - 1 - abs(SIDE - 1 - abs(sy));
                sx = SIDE - 1 - abs(SIDE - 1 - abs(sx));
            }
            bool outside = sy < 0 || sy >= SIDE || sx < 0 || sx >= SIDE;
            if (out[y * SIDE + x] != (outside ? 0 : input_at(sy, sx))) return false;
        }
    return true;
}

START_TEST(nothing_asked_is_the_plain_sample)
{
    struct augment_settings a = settings_of(PAIRS("area_min", "0.5"));
    float out[IDX_AREA], plain[IDX_AREA];
    struct err e;
    ck_assert(plain_sample(plain, &data, DATA_TRAIN, 0, mean, sd, &e));
    ck_assert(shows(plain, 0, 0, false, false));
    for (uint64_t seed = 0; seed < 20; seed++) {
        augmented(out, &a, seed);
        ck_assert_mem_eq(out, plain, sizeof out);
    }
}
END_TEST

START_TEST(flip_is_half_of_the_time)
{
    struct augment_settings a = settings_of(PAIRS("flip", "true"));
    float out[IDX_AREA];
    int flips = 0;
    for (uint64_t seed = 0; seed < 10 * TRIES; seed++) {
        augmented(out, &a, seed);
        bool flip = shows(out, 0, 0, true, false);
        ck_assert(flip || shows(out, 0, 0, false, false));
        flips += flip;
    }
    ck_assert_int_gt(flips, 5 * TRIES - 130); /* sd: 32 */
    ck_assert_int_lt(flips, 5 * TRIES + 130);
}
END_TEST

/* Every shift of -2 .. 2 in both directions is met, and nothing else. */
static void crop_check(const char *fill, bool reflect)
{
    struct augment_settings a = settings_of(PAIRS("crop_padding", "2", "crop_fill", fill));
    float out[IDX_AREA];
    int met[5][5] = { { 0 } };
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        int found = 0;
        augmented(out, &a, seed);
        for (int dy = -2; dy <= 2; dy++)
            for (int dx = -2; dx <= 2; dx++)
                if (shows(out, dy, dx, false, reflect)) {
                    met[dy + 2][dx + 2]++;
                    found++;
                }
        ck_assert_int_eq(found, 1);
    }
    for (int i = 0; i < 25; i++) ck_assert_int_gt(met[i / 5][i % 5], 2);
}

START_TEST(crop_moves_and_fills)
{
    crop_check("zero", false);
    crop_check("reflect", true);
}
END_TEST

START_TEST(cutout_is_a_square_clipped_at_the_border)
{
    struct augment_settings a = settings_of(PAIRS("cutout", "3"));
    int met[IDX_AREA] = { 0 };
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        float out[IDX_AREA];
        int top = SIDE, left = SIDE, bottom = -1, right = -1, zeros = 0;
        augmented(out, &a, seed);
        for (int i = 0; i < IDX_AREA; i++) {
            if (out[i] != 0) {
                ck_assert_float_eq(out[i], input_at(i / SIDE, i % SIDE));
                continue;
            }
            met[i]++;
            zeros++;
            if (i / SIDE < top) top = i / SIDE;
            if (i / SIDE > bottom) bottom = i / SIDE;
            if (i % SIDE < left) left = i % SIDE;
            if (i % SIDE > right) right = i % SIDE;
        }
        int h = bottom - top + 1, w = right - left + 1;
        ck_assert_int_eq(zeros, h * w);
        ck_assert(h == 3 || top == 0 || bottom == SIDE - 1);
        ck_assert(w == 3 || left == 0 || right == SIDE - 1);
        ck_assert(h <= 3 && w <= 3 && h >= 2 && w >= 2);
    }
    for (int i = 0; i < IDX_AREA; i++) ck_assert_int_gt(met[i], 0);
}
END_TEST

START_TEST(an_option_moves_no_draw_of_another)
{
    struct augment_settings crop = settings_of(PAIRS("crop_padding", "2"));
    struct augment_settings both = settings_of(PAIRS("crop_padding", "2", "flip", "true"));
    struct augment_settings all =
        settings_of(PAIRS("crop_padding", "2", "flip", "true", "cutout", "2"));
    struct augment_settings cut = settings_of(PAIRS("cutout", "3"));
    struct augment_settings cut_flip = settings_of(PAIRS("cutout", "3", "flip", "true"));
    for (uint64_t seed = 0; seed < 50; seed++) {
        float a[IDX_AREA], b[IDX_AREA], c[IDX_AREA];
        augmented(a, &crop, seed);
        augmented(b, &both, seed);
        augmented(c, &all, seed);
        for (int dy = -2; dy <= 2; dy++)
            for (int dx = -2; dx <= 2; dx++)
                if (shows(a, dy, dx, false, false))
                    ck_assert(shows(b, dy, dx, false, false) || shows(b, dy, dx, true, false));
        for (int i = 0; i < IDX_AREA; i++) ck_assert(c[i] == b[i] || c[i] == 0);
        augmented(a, &cut, seed);
        augmented(b, &cut_flip, seed);
        for (int i = 0; i < IDX_AREA; i++) ck_assert((a[i] == 0) == (b[i] == 0));
    }
}
END_TEST

START_TEST(window_of_photographs)
{
    char *pictures = folder_create();
    struct dataset d;
    struct augment_settings a = settings_of(PAIRS("random_resized_crop", "true"));
    struct err e;
    images_put(pictures);
    struct picture p = { 96, 64, 3, gradient, USUAL };
    jpeg_put(path_in(pictures, "train/cat/a.jpg"), &p);
    data_open(&d, "images", pictures, 8, NULL);
    const float no_mean[4] = { 0 }, unit[4] = { 1 / 255.f, 1 / 255.f, 1 / 255.f };
    double smallest = 1e9, largest = 0;
    for (uint32_t epoch = 0; epoch < 100; epoch++) {
        float out[8 * 8 * 3], again[8 * 8 * 3];
        struct rng r = rng_stream(1, RNG_AUGMENT, 0, epoch), same = r;
        ck_assert(augment_sample(out, &d, DATA_TRAIN, 0, &a, no_mean, unit, &r, &e));
        ck_assert(augment_sample(again, &d, DATA_TRAIN, 0, &a, no_mean, unit, &same, &e));
        ck_assert_mem_eq(out, again, sizeof out);
        /* inner pixels tell the window: red grows by 2 a column, green by 3 a row */
        double w = (out[6 * 3] - out[1 * 3]) / 5 * 8 / 2;
        double h = (out[6 * 24 + 1] - out[1 * 24 + 1]) / 5 * 8 / 3;
        double aspect = w / h, share = w * h / (96 * 64);
        ck_assert_double_gt(aspect, 0.75 * 0.8);
        ck_assert_double_lt(aspect, 4 / 3.0 * 1.25);
        smallest = fmin(smallest, share);
        largest = fmax(largest, share);
    }
    ck_assert_double_gt(smallest, 0.05);
    ck_assert_double_lt(smallest, 0.2);
    ck_assert_double_gt(largest, 0.7);
    dataset_close(&d);
    folder_remove(pictures);
}
END_TEST

START_TEST(what_cannot_be_done_is_refused)
{
    static const struct {
        const char *key, *text, *message;
    } rows[] = {
        { "random_resized_crop", "true",
          "augment.random_resized_crop: dataset idx has images of a fixed size; it is for "
          "photographs "
          "(dataset.name: images)" },
        { "crop_padding", "6", "augment.crop_padding: 6 is not less than the image's side, 6" },
        { "cutout", "7", "augment.cutout: 7 is more than the image's side, 6" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct augment_settings a = settings_of(PAIRS(rows[i].key, rows[i].text));
        struct rng r = rng_stream(1, RNG_AUGMENT, 0, 0);
        float out[IDX_AREA];
        struct err e;
        ck_assert(!augment_sample(out, &data, DATA_TRAIN, 0, &a, mean, sd, &r, &e));
        ck_assert_str_eq(e.text, rows[i].message);
    }
}
END_TEST

START_TEST(settings_say_when_they_apply)
{
    struct augment_settings a = settings_of(PAIRS("flip", "false"));
    struct text t = { 0 };
    fields_write(augment_fields, &a, &t);
    ck_assert_str_eq(
        t.s, "\"random_resized_crop\":false,\"crop_padding\":0,\"flip\":false,\"cutout\":0");
    text_clear(&t);
    a = settings_of(PAIRS("crop_padding", "4", "random_resized_crop", "true"));
    fields_write(augment_fields, &a, &t);
    ck_assert_str_eq(t.s, "\"random_resized_crop\":true,\"area_min\":0.08,\"crop_padding\":4,"
                          "\"crop_fill\":\"zero\",\"flip\":false,\"cutout\":0");
    text_clear(&t);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("augment");
    TCase *c = tcase_create("samples");
    tcase_add_checked_fixture(c, data_setup, data_teardown);
    tcase_add_test(c, nothing_asked_is_the_plain_sample);
    tcase_add_test(c, flip_is_half_of_the_time);
    tcase_add_test(c, crop_moves_and_fills);
    tcase_add_test(c, cutout_is_a_square_clipped_at_the_border);
    tcase_add_test(c, an_option_moves_no_draw_of_another);
    tcase_add_test(c, what_cannot_be_done_is_refused);
    suite_add_tcase(s, c);
    unit_case(s, "others", 20, UNIT_TESTS(window_of_photographs, settings_say_when_they_apply));
    return s;
}
