/* Resizing against the filter's definition, summed in double precision over the whole image. */
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/data/resample.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdlib.h>

static double triangle(double source, double center, double width)
{
    double t = 1 - fabs((source + 0.5 - center) / width);
    return t > 0 ? t : 0;
}

/* One output pixel: every source pixel weighed by its triangle, the weights scaled to add up to 1.
 */
static double filtered(const uint8_t *rgb, int height, int width, const double center[2],
                       const double reach[2], int c)
{
    double sum = 0, total = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double w = triangle(y, center[0], reach[0]) * triangle(x, center[1], reach[1]);
            sum += w * rgb[(y * width + x) * 3 + c];
            total += w;
        }
    return sum / total;
}

static void image_check(int height, int width, const struct image_part *w, int size)
{
    uint8_t *rgb = mem_new((size_t)(height * width), 3), *out = mem_new((size_t)(size * size), 3);
    struct rng r = rng_stream(1, RNG_TEST, (uint64_t)(height * width), (uint32_t)size);
    for (int i = 0; i < height * width * 3; i++) rgb[i] = (uint8_t)rng_below(&r, 256);
    struct resample *s = resample_create(height, width, w, size);
    for (int y = 0; y < height; y++) resample_row(s, y, rgb + y * width * 3);
    resample_end(s, out);
    resample_destroy(s);
    double step[2] = { w->height / size, w->width / size };
    double reach[2] = { fmax(1, step[0]), fmax(1, step[1]) };
    for (int i = 0; i < size * size; i++) {
        double center[2] = { w->y + (i / size + 0.5) * step[0], w->x + (i % size + 0.5) * step[1] };
        for (int c = 0; c < 3; c++) {
            double want = filtered(rgb, height, width, center, reach, c);
            ck_assert_msg(fabs(out[3 * i + c] - want) < 0.501,
                          "%d x %d to %d, pixel %d: %d, not %g", height, width, size, i,
                          out[3 * i + c], want);
        }
    }
    free(rgb);
    free(out);
}

START_TEST(every_shape_follows_the_filter)
{
    image_check(20, 30, &(struct image_part){ 0, 0, 20, 30 }, 8);  /* smaller, of another shape */
    image_check(9, 7, &(struct image_part){ 0, 0, 9, 7 }, 16);     /* larger */
    image_check(16, 16, &(struct image_part){ 0, 0, 16, 16 }, 16); /* as it is */
    image_check(40, 33, &(struct image_part){ 4.5, 8.25, 30, 20 }, 9); /* a window between pixels */
    image_check(40, 33, &(struct image_part){ 39, 32, 1, 1 }, 5);      /* one pixel at the corner */
    image_check(1, 50, &(struct image_part){ 0, 0, 1, 50 }, 6);        /* one row */
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("resample");
    unit_case(s, "filter", 10, UNIT_TESTS(every_shape_follows_the_filter));
    return s;
}
