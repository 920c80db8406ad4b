/* The products of a linear layer against plain double loops, in every instruction set: sizes around
 * the tiles, the steps of a sum and the tasks; sentinels past the end of every output; the same
 * bits for any number of threads. */
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/kernels/kernels.h"
#include "core/kernels/matmul/matmul.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 40, RANDOM_SIZES = 40, OUTPUTS = 3, PERIOD = 4099 };
static const float mark = -777.25f;

/* A layer's matrices, one float off alignment, and what the outputs held at first. */
struct layer {
    struct matmul q;
    size_t len[OUTPUTS]; /* of y, dx, dw */
    float *out[OUTPUTS], *was[OUTPUTS], *bias;
    size_t work;
};

/* Normal numbers, the same ones again after PERIOD, which is prime. */
static float *numbers(size_t len, struct rng *r)
{
    float *x = (float *)mem_new(len + GUARD + 1, sizeof *x) + 1;
    for (size_t i = 0; i < len; i++) x[i] = i < PERIOD ? (float)rng_normal(r) : x[i - PERIOD];
    for (size_t i = len; i < len + GUARD; i++) x[i] = mark;
    return x;
}

static void layer_reset(struct layer *l)
{
    for (int i = 0; i < OUTPUTS; i++)
        if (l->was[i]) memcpy(l->out[i], l->was[i], l->len[i] * sizeof(float));
}

/* one_matrix: w and dw, which are not needed at once, share their memory, and dw has no was. */
static struct layer layer_create(int m, int k, int n, bool one_matrix)
{
    struct layer l = { .q = { .m = m, .k = k, .n = n } };
    struct rng r = rng_stream(4, RNG_TEST, (uint64_t)m, (uint32_t)(k + 1000 * n));
    const size_t rows = (size_t)m, ins = (size_t)k, outs = (size_t)n;
    l.len[0] = rows * outs, l.len[1] = rows * ins, l.len[2] = ins * outs;
    for (int i = 0; i < OUTPUTS; i++) {
        l.out[i] = numbers(l.len[i], &r);
        l.was[i] = one_matrix && i == 2 ? NULL : numbers(l.len[i], &r);
    }
    l.q.y = l.out[0], l.q.dx = l.out[1], l.q.dw = l.out[2];
    l.q.x = numbers(l.len[1], &r), l.q.dy = numbers(l.len[0], &r);
    l.q.w = one_matrix ? l.q.dw : numbers(l.len[2], &r);
    l.bias = numbers(outs, &r);
    l.work = matmul_work(&l.q);
    l.q.work = numbers(l.work, &r);
    layer_reset(&l);
    return l;
}

static void guarded(const struct layer *l, const char *what, const float *x, size_t len)
{
    for (size_t i = len; i < len + GUARD; i++)
        if (x[i] != mark)
            ck_abort_msg("%s of %d x %d x %d (%s): float %zu past the end changed", what, l->q.m,
                         l->q.k, l->q.n, kernels->isa, i - len);
}

static void layer_destroy(struct layer *l)
{
    const float *all[] = { l->q.x, l->q.w, l->q.dy, l->bias, l->q.work };
    guarded(l, "work", l->q.work, l->work);
    for (int i = 0; i < OUTPUTS; i++) {
        guarded(l, "an output", l->out[i], l->len[i]);
        if (l->out[i] != l->q.w) free(l->out[i] - 1);
        if (l->was[i]) free(l->was[i] - 1);
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free((void *)(all[i] - 1));
}

/* One element of an output, in double, without what was there; size: the sum of the absolute
 * products. */
static double layer_want(const struct layer *l, int output, int i, int j, double *size)
{
    const struct matmul *q = &l->q;
    const ptrdiff_t k = q->k, n = q->n;
    const int terms = output == 0 ? q->k : output == 1 ? q->n : q->m;
    double sum = 0;
    *size = 0;
    for (int t = 0; t < terms; t++) {
        const double product = output == 0   ? (double)q->x[i * k + t] * (double)q->w[t * n + j]
                               : output == 1 ? (double)q->dy[i * n + t] * (double)q->w[j * n + t]
                                             : (double)q->x[t * k + i] * (double)q->dy[t * n + j];
        sum += product;
        *size += fabs(product);
    }
    return sum;
}

/* Element (i, j) of an output, within some rounding of so many sums. */
static void layer_check_at(const struct layer *l, int output, int i, int j)
{
    const struct matmul *q = &l->q;
    const int columns = output == 1 ? q->k : q->n;
    const size_t at = (size_t)i * (size_t)columns + (size_t)j;
    double size, want = layer_want(l, output, i, j, &size);
    if (output == 0 && q->bias) want += (double)q->bias[j];
    if (l->was[output] && (output == 2 || (output == 1 && !q->overwrite)))
        want += (double)l->was[output][at];
    const double got = (double)l->out[output][at];
    if (!(fabs(got - want) <= 2e-6 * (1 + size)))
        ck_abort_msg("%s of %d x %d x %d (%s), [%d][%d]: %.9g, not %.9g",
                     (const char *[]){ "y", "dx", "dw" }[output], q->m, q->k, q->n, kernels->isa, i,
                     j, got, want);
}

static void layer_check(const struct layer *l)
{
    const struct matmul *q = &l->q;
    for (int output = 0; output < OUTPUTS; output++) {
        const int rows = output == 2 ? q->k : q->m, columns = output == 1 ? q->k : q->n;
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) layer_check_at(l, output, i, j);
    }
}

static void layer_run(struct layer *l)
{
    layer_reset(l);
    matmul_forward(&l->q);
    matmul_backward_data(&l->q);
    matmul_backward_weights(&l->q);
}

/* Both kinds of dx, with and without a bias. */
static void layer_test(int m, int k, int n)
{
    struct layer l = layer_create(m, k, n, false);
    for (int way = 0; way < 2; way++) {
        l.q.overwrite = way, l.q.bias = way ? l.bias : NULL;
        layer_run(&l);
        layer_check(&l);
    }
    layer_destroy(&l);
}

START_TEST(all_sizes_around_the_tiles)
{
    static const int sizes[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 31, 32, 33
    };
    const int count = sizeof sizes / sizeof *sizes;
    kernels_use(kernels_at(_i)->isa);
    for (int m = 0; m < count; m++)
        for (int k = 0; k < count; k++)
            for (int n = 0; n < count; n++) layer_test(sizes[m], sizes[k], sizes[n]);
}
END_TEST

/* Steps of the sum end at multiples of 256; rows 512 floats apart are copied; several tasks. */
START_TEST(sums_of_several_steps)
{
    static const int sizes[][3] = { { 5, 255, 3 },    { 17, 256, 40 },  { 6, 257, 5 },
                                    { 29, 512, 96 },  { 3, 1024, 600 }, { 7, 1, 1030 },
                                    { 70, 90, 512 },  { 300, 33, 20 },  { 15, 700, 531 },
                                    { 40, 130, 1100 } };
    kernels_use(kernels_at(_i)->isa);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        layer_test(sizes[i][0], sizes[i][1], sizes[i][2]);
}
END_TEST

START_TEST(random_sizes)
{
    struct rng r = rng_stream(11, RNG_TEST, 0, 0);
    kernels_use(kernels_at(_i)->isa);
    for (int i = 0; i < RANDOM_SIZES; i++) {
        const int m = 1 + (int)rng_below(&r, 80), k = 1 + (int)rng_below(&r, 400);
        layer_test(m, k, 1 + (int)rng_below(&r, 400));
    }
}
END_TEST

static void same_bits(const struct layer *a, const struct layer *b, const char *when)
{
    for (int i = 0; i < OUTPUTS; i++)
        ck_assert_msg(memcmp(a->out[i], b->out[i], a->len[i] * sizeof(float)) == 0,
                      "%d x %d x %d (%s): other bits %s", a->q.m, a->q.k, a->q.n, kernels->isa,
                      when);
}

START_TEST(threads_change_no_bit)
{
    static const int sizes[][3] = { { 16, 512, 300 }, { 64, 300, 1000 }, { 200, 700, 40 } };
    kernels_use(kernels_at(_i)->isa);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct layer one = layer_create(sizes[i][0], sizes[i][1], sizes[i][2], false);
        struct layer many = layer_create(sizes[i][0], sizes[i][1], sizes[i][2], false);
        parallel_use(1);
        layer_run(&one);
        for (int t = 0; t < 3; t++) {
            parallel_use((const int[]){ 2, 3, 8 }[t]);
            layer_run(&many);
            same_bits(&one, &many, "with more threads");
        }
        parallel_use(0);
        layer_destroy(&one);
        layer_destroy(&many);
    }
}
END_TEST

/* An evaluation may take its batch in slices. */
START_TEST(a_row_of_y_depends_on_its_row_of_x_alone)
{
    kernels_use(kernels_at(_i)->isa);
    struct layer l = layer_create(37, 600, 45, false);
    float *y = mem_new(l.len[0], sizeof *y);
    layer_run(&l);
    memcpy(y, l.q.y, l.len[0] * sizeof *y);
    for (int row = 0; row < l.q.m; row++) {
        struct matmul one = l.q;
        one.m = 1, one.x += row * l.q.k, one.y += row * l.q.n;
        matmul_forward(&one);
    }
    ck_assert_msg(memcmp(y, l.q.y, l.len[0] * sizeof *y) == 0, "%s: other bits", kernels->isa);
    free(y);
    layer_destroy(&l);
}
END_TEST

/* A few elements of an output, its last one among them. */
static void layer_check_some(const struct layer *l, int output)
{
    struct rng r = rng_stream(12, RNG_TEST, 0, 0);
    const int rows = output == 2 ? l->q.k : l->q.m, columns = output == 1 ? l->q.k : l->q.n;
    for (int i = 0; i < 300; i++) {
        const int row = (int)rng_below(&r, (uint32_t)rows);
        layer_check_at(l, output, row, (int)rng_below(&r, (uint32_t)columns));
    }
    layer_check_at(l, output, rows - 1, columns - 1);
}

START_TEST(the_largest_layer_of_a_vgg)
{
    struct layer l = layer_create(3, 25088, 4096, true);
    kernels_use(NULL);
    matmul_forward(&l.q);
    layer_check_some(&l, 0);
    matmul_backward_data(&l.q);
    layer_check_some(&l, 1);
    memset(l.q.dw, 0, l.len[2] * sizeof *l.q.dw);
    matmul_backward_weights(&l.q);
    layer_check_some(&l, 2);
    layer_destroy(&l);
}
END_TEST

Suite *suite(void)
{
    const TTest *const each[] = { all_sizes_around_the_tiles,
                                  sums_of_several_steps,
                                  random_sizes,
                                  threads_change_no_bit,
                                  a_row_of_y_depends_on_its_row_of_x_alone,
                                  NULL };
    int tables = 0;
    while (kernels_at(tables)) tables++;
    Suite *s = suite_create("matmul");
    TCase *c = tcase_create("every table");
    tcase_set_timeout(c, 120);
    for (size_t i = 0; each[i]; i++) tcase_add_loop_test(c, each[i], 0, tables);
    suite_add_tcase(s, c);
    unit_case(s, "size", 120, UNIT_TESTS(the_largest_layer_of_a_vgg));
    return s;
}
