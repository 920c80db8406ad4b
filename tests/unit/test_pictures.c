/* Pictures against the pixels that a specification gives them (tests/golden/png.py), found by what
 * is in a file, damaged in every way. The PNG files are the fuzzer's seeds, behind its three bytes.
 */
#include "core/base/rng.h"
#include "core/data/picture.h"
#include "tests/golden/png.h"
#include "tests/unit/data_files.h"
#include <math.h>

enum { SIDE = GOLDEN_PNG_SIDE, HEAD = 3, GOLDEN = sizeof golden_png / sizeof *golden_png };

static struct bytes png_file(const char *name)
{
    char path[128];
    struct bytes b;
    struct err e;
    snprintf(path, sizeof path, "tests/fuzz/seeds/png/%s", name);
    ck_assert_msg(file_read(path, &b, &e), "%s", e.text);
    ck_assert_uint_gt(b.len, HEAD);
    b.len -= HEAD;
    memmove(b.data, b.data + HEAD, b.len + 1);
    return b;
}

static bool decoded(const struct bytes *file, const char *path, int size, uint8_t *rgb,
                    struct err *e)
{
    return picture_decode(&(struct picture_request){ file, path, size, NULL }, rgb, e);
}

START_TEST(png_of_every_kind)
{
    struct bytes file = png_file(golden_png[_i].name);
    uint8_t rgb[SIDE * SIDE * 3];
    struct err e;
    ck_assert_msg(decoded(&file, "a.png", SIDE, rgb, &e), "%s: %s", golden_png[_i].name, e.text);
    for (int i = 0; i < SIDE * SIDE * 3; i++)
        ck_assert_msg(rgb[i] == golden_png[_i].rgb[i], "%s: byte %d is %d, not %d",
                      golden_png[_i].name, i, rgb[i], golden_png[_i].rgb[i]);
    free(file.data);
}
END_TEST

/* The same picture through the resizing: what both kinds of file share. At three times the side
 * each third pixel is in the middle of one of the file's. */
START_TEST(png_is_resized)
{
    struct bytes file = png_file("rgb_8");
    const uint8_t *want = NULL;
    uint8_t rgb[3 * SIDE * 3 * SIDE * 3];
    struct err e;
    for (int i = 0; i < GOLDEN; i++)
        if (!strcmp(golden_png[i].name, "rgb_8")) want = golden_png[i].rgb;
    ck_assert(want && decoded(&file, "a.png", 3 * SIDE, rgb, &e));
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < 3 * SIDE; x++)
            ck_assert_uint_eq(rgb[((3 * y + 1) * 3 * SIDE + 3 * (x / 3) + 1) * 3 + x % 3],
                              want[(y * SIDE + x / 3) * 3 + x % 3]);
    free(file.data);
}
END_TEST

/* By what the file holds, whatever it is called; where it holds nothing known, by its name. */
START_TEST(contents_decide)
{
    struct bytes png = png_file("rgb_8");
    char *folder = folder_create();
    uint8_t a[SIDE * SIDE * 3], b[SIDE * SIDE * 3];
    struct bytes jpeg, none = { (unsigned char *)"GIF89a, longer", 14 };
    struct err e;
    struct picture p = { SIDE, SIDE, 3, gradient, USUAL };
    jpeg_put(path_in(folder, "a.jpg"), &p);
    ck_assert(file_read(path_in(folder, "a.jpg"), &jpeg, &e));
    ck_assert(decoded(&png, "a.png", SIDE, a, &e) && decoded(&png, "b.JPEG", SIDE, b, &e));
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert(decoded(&jpeg, "a.jpg", SIDE, a, &e) && decoded(&jpeg, "b.PNG", SIDE, b, &e));
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert(!decoded(&none, "a.png", SIDE, a, &e));
    ck_assert_str_eq(e.text, "a.png: not a sound PNG image: Not a PNG file (the file is 14 bytes "
                             "long)");
    ck_assert(!decoded(&none, "a.jpg", SIDE, a, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "a.jpg: not a sound JPEG image"));
    ck_assert(picture_named("a.png") && picture_named("b.JPG") && picture_named("c.Jpeg"));
    ck_assert(!picture_named("png") && !picture_named("a.gif") && !picture_named("a.pngx"));
    free(png.data);
    free(jpeg.data);
    folder_remove(folder);
}
END_TEST

/* Cut anywhere it is refused, and a wrong bit in the header is noticed. */
START_TEST(damaged_png_is_refused)
{
    struct bytes file = png_file(_i ? "rgba_16_interlaced" : "palette_8_transparent");
    uint8_t rgb[SIDE * SIDE * 3];
    struct err e;
    const size_t len = file.len;
    for (file.len = 1; file.len < len; file.len++) {
        ck_assert_msg(!decoded(&file, "a.png", SIDE, rgb, &e), "%zu of %zu bytes", file.len, len);
        ck_assert_ptr_nonnull(strstr(e.text, "a.png: not a sound PNG image: "));
    }
    file.len = len;
    struct rng g = rng_stream(3, RNG_TEST, 0, 0);
    for (int k = 0; k < 200; k++) {
        unsigned char *at = &file.data[8 + rng_below(&g, 25)], was = *at; /* the header's chunk */
        *at ^= (unsigned char)(1 << rng_below(&g, 8));
        ck_assert(!decoded(&file, "a.png", SIDE, rgb, &e));
        *at = was;
    }
    free(file.data);
}
END_TEST

static void word_put(unsigned char *at, uint32_t v)
{
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* A header that asks for more than the file can hold, with a checksum that fits. */
START_TEST(absurd_png_is_refused)
{
    static const struct {
        uint32_t width, height;
        const char *why;
    } cases[] = {
        { 65500, 5, "so small a file cannot hold as many pixels as its header says" },
        { 5, 65500, "so small a file cannot hold as many pixels as its header says" },
        { 65500, 65500, PICTURE_TOO_LARGE },
        { 65501, 1, "Invalid IHDR data" },
        { 0, 9, "Invalid IHDR data" },
        { 0x80000000, 9, "PNG unsigned integer out of range" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = png_file("rgb_8");
        uint8_t rgb[SIDE * SIDE * 3];
        struct err e;
        char want[256];
        word_put(file.data + 16, cases[i].width);
        word_put(file.data + 20, cases[i].height);
        word_put(file.data + 29, (uint32_t)crc32(0, file.data + 12, 17));
        ck_assert(!decoded(&file, "a.png", SIDE, rgb, &e));
        snprintf(want, sizeof want, "a.png: not a sound PNG image: %s (", cases[i].why);
        ck_assert_msg(strstr(e.text, want) == e.text, "%s", e.text);
        free(file.data);
    }
}
END_TEST

/* Class folders of both kinds: a data set like any other. */
START_TEST(png_in_class_folders)
{
    char *folder = folder_create();
    struct bytes file = png_file("rgb_8");
    struct dataset d;
    uint8_t pixels[SIDE * SIDE * 3];
    images_put(folder);
    put(folder, "train/cat/0.png", file.data, file.len);
    data_open(&d, "images", folder, SIDE, NULL);
    ck_assert_uint_eq(d.count[DATA_TRAIN], 5);
    ck_assert_str_eq(d.file_names[DATA_TRAIN][0], "train/cat/0.png");
    data_read(&d, DATA_TRAIN, 0, NULL, pixels);
    for (int i = 0; i < GOLDEN; i++)
        if (!strcmp(golden_png[i].name, "rgb_8"))
            ck_assert_mem_eq(pixels, golden_png[i].rgb, sizeof pixels);
    dataset_close(&d);
    free(file.data);
    folder_remove(folder);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("pictures");
    TCase *c = tcase_create("golden");
    tcase_add_loop_test(c, png_of_every_kind, 0, GOLDEN);
    tcase_add_loop_test(c, damaged_png_is_refused, 0, 2);
    suite_add_tcase(s, c);
    unit_case(
        s, "pictures", 20,
        UNIT_TESTS(png_is_resized, contents_decide, absurd_png_is_refused, png_in_class_folders));
    return s;
}
