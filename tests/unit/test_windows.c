/* Random windows of photographs: how their area, aspect and place are distributed, and which pixels
 * of a JPEG file a window holds. */
#include "core/data/augment.h"
#include "core/data/picture.h"
#include "core/data/resample.h"
#include "tests/unit/data_files.h"
#include <math.h>

enum { SAMPLES = 300, DRAWS = SAMPLES * CROP_TRIES };

static struct data_crop asked; /* what the format below was last asked to cut out */

static bool ask(const struct dataset *d, enum data_part part, uint32_t index,
                const struct data_crop *crop, uint8_t *pixels, struct err *e)
{
    (void)d, (void)part, (void)index, (void)e;
    asked = *crop;
    *pixels = 0;
    return true;
}

/* Photographs of one pixel. */
static const struct data_format asking = { .name = "asking", .read = ask };

struct draws {
    double area[DRAWS], aspect[DRAWS], y[DRAWS], x[DRAWS];
};

static void draw_windows(struct draws *all, double area_min)
{
    const struct dataset d = { .format = &asking, .size = 1, .channels = 1 };
    const float mean[4] = { 0 }, sd[4] = { 1 };
    struct augment_settings a;
    struct err e;
    float out;
    fields_default(augment_fields, &a);
    a.random_resized_crop = true;
    a.area_min = area_min;
    for (int i = 0; i < DRAWS; i++) {
        struct rng r = rng_stream(1, RNG_AUGMENT, (uint64_t)(i / CROP_TRIES), 0);
        if (i % CROP_TRIES == 0)
            ck_assert(augment_sample(&out, &d, DATA_TRAIN, 0, &a, mean, sd, &r, &e));
        const struct crop_window *w = &asked.tries[i % CROP_TRIES];
        all->area[i] = w->area, all->aspect[i] = log(w->aspect), all->y[i] = w->y, all->x[i] = w->x;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov's test of the uniform distribution on low .. high; sorts v. One sample in 100,000 goes
 * beyond 2.47. */
static void uniform_check(double v[DRAWS], double low, double high, const char *what)
{
    double far = 0;
    qsort(v, DRAWS, sizeof *v, by_size);
    for (int i = 0; i < DRAWS; i++) {
        const double share = (v[i] - low) / (high - low);
        ck_assert_msg(share >= 0 && share <= 1, "%s: %g", what, v[i]);
        far = fmax(far, fmax(share - (double)i / DRAWS, (double)(i + 1) / DRAWS - share));
    }
    ck_assert_msg(far * sqrt(DRAWS) < 2.47, "%s: %g from uniform", what, far);
}

static double correlation(const double a[DRAWS], const double b[DRAWS])
{
    double sums[5] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        const double x = a[i], y = b[i], all[5] = { x, y, x * x, y * y, x * y };
        for (int k = 0; k < 5; k++) sums[k] += all[k] / DRAWS;
    }
    return (sums[4] - sums[0] * sums[1]) /
           sqrt((sums[2] - sums[0] * sums[0]) * (sums[3] - sums[1] * sums[1]));
}

/* Area, logarithm of the aspect, and both places: uniform, and none tells of another. */
START_TEST(windows_are_drawn_evenly)
{
    static const double smallest[] = { 0.08, 0.5 };
    static struct draws all;
    for (int i = 0; i < 2; i++) {
        draw_windows(&all, smallest[i]);
        const double *const v[] = { all.area, all.aspect, all.y, all.x };
        for (int a = 0; a < 4; a++)
            for (int b = 0; b < a; b++)
                ck_assert_double_lt(fabs(correlation(v[a], v[b])), 4.5 / sqrt(DRAWS));
        uniform_check(all.area, smallest[i], 1, "area");
        uniform_check(all.aspect, log(3.0 / 4), log(4.0 / 3), "log aspect");
        uniform_check(all.y, 0, 1, "y");
        uniform_check(all.x, 0, 1, "x");
    }
    ck_assert_double_eq(asked.aspect_min, 3.0 / 4);
    ck_assert_double_eq(asked.aspect_max, 4.0 / 3);
}
END_TEST

/* Patches of a few pixels, different in both directions: a file that is decoded at half its size
 * shows others. */
static int patches(int y, int x, int c) { return 30 + (x / 3 * 50 + y / 2 * 70 + c * 40) % 180; }

/* None of the drawn windows fits: the largest centred one of an allowed aspect is cut out. Its rows
 * tell how high it is: green grows by 3 a row. */
START_TEST(a_long_picture_has_its_middle_cut_out)
{
    static const struct {
        int width, height;
        double window; /* its height */
    } shapes[] = { { 24, 60, 32 }, { 60, 24, 24 }, { 24, 30, 30 } };
    struct data_crop none = { .aspect_min = 0.75, .aspect_max = 4 / 3.0 };
    for (int i = 0; i < CROP_TRIES; i++) none.tries[i] = (struct crop_window){ 4, 1, 0, 0 };
    char *folder = folder_create();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct picture p = { shapes[i].width, shapes[i].height, 3, gradient, USUAL };
        struct bytes b;
        struct err e;
        uint8_t rgb[8 * 8 * 3];
        jpeg_put(path_in(folder, "a.jpg"), &p);
        ck_assert(file_read(path_in(folder, "a.jpg"), &b, &e));
        ck_assert(picture_decode(&(struct picture_request){ &b, "a.jpg", 8, &none }, rgb, &e));
        for (int y = 1; y < 7; y++) {
            const double row = p.height / 2.0 + (y + 0.5 - 4) * shapes[i].window / 8 - 0.5;
            ck_assert_double_eq_tol(rgb[(y * 8 + 4) * 3 + 1], 30 + 3 * row, 3);
        }
        free(b.data);
    }
    folder_remove(folder);
}
END_TEST

enum { SIDE = 48 };
static uint8_t whole[SIDE * SIDE * 3]; /* as it is */
static struct bytes file;

static void file_setup(void)
{
    const struct picture p = { SIDE, SIDE, 3, patches, USUAL };
    struct err e;
    char *folder = folder_create();
    jpeg_put(path_in(folder, "a.jpg"), &p);
    ck_assert(file_read(path_in(folder, "a.jpg"), &file, &e));
    ck_assert(picture_decode(&(struct picture_request){ &file, "a.jpg", SIDE, NULL }, whole, &e));
    folder_remove(folder);
}

static void file_teardown(void) { free(file.data); }

/* The decoder's window t is w of the whole picture, to the byte. */
static void window_is(struct crop_window t, struct image_part w, int size)
{
    struct data_crop crop = { .aspect_min = 0.75, .aspect_max = 4 / 3.0, .tries = { t } };
    uint8_t got[SIDE * SIDE * 3], want[SIDE * SIDE * 3];
    struct err e;
    ck_assert_msg(picture_decode(&(struct picture_request){ &file, "a.jpg", size, &crop }, got, &e),
                  "%s", e.text);
    struct resample *r = resample_create(SIDE, SIDE, &w, size);
    for (int y = 0; y < SIDE; y++) resample_row(r, y, whole + y * SIDE * 3);
    resample_end(r, want);
    resample_destroy(r);
    ck_assert_msg(memcmp(got, want, (size_t)(size * size * 3)) == 0,
                  "a window of %g x %g at (%g, %g)", w.height, w.width, w.y, w.x);
}

START_TEST(a_window_is_where_it_was_drawn)
{
    const double square = 16 * 16 / 2304.0, wide = 32 * 16 / 2304.0;
    window_is((struct crop_window){ square, 1, 0, 0 }, (struct image_part){ 0, 0, 16, 16 }, 16);
    window_is((struct crop_window){ square, 1, 0.999, 0 }, (struct image_part){ 32, 0, 16, 16 },
              16);
    window_is((struct crop_window){ square, 1, 0, 0.999 }, (struct image_part){ 0, 32, 16, 16 },
              16);
    window_is((struct crop_window){ square, 1, 0.25, 0.75 }, (struct image_part){ 8, 24, 16, 16 },
              16);
    window_is((struct crop_window){ wide, 2, 0.5, 0.5 }, (struct image_part){ 16, 8, 16, 32 }, 16);
    window_is((struct crop_window){ wide, 0.5, 0.5, 0.5 }, (struct image_part){ 8, 16, 32, 16 },
              16);
}
END_TEST

/* A window that is less than twice as large as the input is decoded at its own size. */
START_TEST(no_detail_is_lost_on_the_way)
{
    window_is((struct crop_window){ 1, 1, 0, 0 }, (struct image_part){ 0, 0, 48, 48 }, 25);
    window_is((struct crop_window){ 1, 1, 0, 0 }, (struct image_part){ 0, 0, 48, 48 }, 47);
    window_is((struct crop_window){ 0.25, 1, 0, 0 }, (struct image_part){ 0, 0, 24, 24 }, 16);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("windows");
    unit_case(s, "drawn", 20,
              UNIT_TESTS(windows_are_drawn_evenly, a_long_picture_has_its_middle_cut_out));
    TCase *c = tcase_create("cut");
    tcase_add_checked_fixture(c, file_setup, file_teardown);
    tcase_add_test(c, a_window_is_where_it_was_drawn);
    tcase_add_test(c, no_detail_is_lost_on_the_way);
    suite_add_tcase(s, c);
    return s;
}
