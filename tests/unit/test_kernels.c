/* Every kernel of every table that runs here against plain loops in double: all lengths around the
 * vector width, pointers off alignment by one float, guards past the end of every target, and NaN
 * that must show. */
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/kernels/kernels.h"
#include "core/kernels/vector/gemm.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 20, ROWS = 3, BUFFERS = 7 };
static const float mark = -777.25f;

/* Buffers of len floats, one float off alignment; `was` holds what was in them at first. */
struct bench {
    size_t len;
    float *x[BUFFERS], *was[BUFFERS];
};

static struct bench *bench_create(size_t len)
{
    struct bench *b = mem_new(1, sizeof *b);
    struct rng r = rng_stream(9, RNG_TEST, len, 0);
    b->len = len;
    for (int i = 0; i < BUFFERS; i++) {
        b->x[i] = (float *)mem_new(len + GUARD + 1, sizeof(float)) + 1;
        b->was[i] = mem_new(len + 1, sizeof(float));
        for (size_t j = 0; j < len + GUARD; j++)
            b->x[i][j] = j < len ? (float)rng_normal(&r) : mark;
        memcpy(b->was[i], b->x[i], len * sizeof(float));
    }
    return b;
}

static void bench_destroy(struct bench *b)
{
    for (int i = 0; i < BUFFERS; i++) {
        for (size_t j = b->len; j < b->len + GUARD; j++)
            if (b->x[i][j] != mark)
                ck_abort_msg("buffer %d: float %zu past the end changed", i, j - b->len);
        free(b->x[i] - 1);
        free(b->was[i]);
    }
    free(b);
}

static void near(const char *what, double got, double want, double size)
{
    if (!(fabs(got - want) <= 1e-6 * (1 + size))) /* an assertion that holds costs a system call */
        ck_abort_msg("%s (%s): %.9g, not %.9g", what, kernels->isa, got, want);
}

/* Elementwise kernels as rows: call runs one on buffers (x[0] is the target), want is one element
 * of it from the elements that were there. */
struct elementwise {
    const char *name;
    void (*call)(float *const *x, size_t n);
    double (*want)(const double *v);
};

#define ROW(kernel, arguments, formula)                                                 \
    static void call_##kernel(float *const *x, size_t n) { kernels->kernel arguments; } \
    static double want_##kernel(const double *v) { return formula; }
ROW(add, (x[0], x[1], x[2], n), v[1] + v[2])
ROW(axpy, (x[0], 1.5f, x[1], n), v[0] + 1.5 * v[1])
ROW(mul, (x[0], x[1], x[2], n), v[1] * v[2])
ROW(sigmoid, (x[0], x[1], n), 1 / (1 + exp(-v[1])))
ROW(sigmoid_grad_add, (x[0], x[1], x[2], n), v[0] + v[1] * v[2] * (1 - v[2]))
ROW(tanh, (x[0], x[1], n), tanh(v[1]))
ROW(tanh_grad_add, (x[0], x[1], x[2], n), v[0] + v[1] * (1 - v[2] * v[2]))

/* The same of a pass over maps (core/kernels/vector/maps.h). */
#define MAP(name, kernel, formula, ...)                               \
    static void call_##name(float *const *x, size_t n)                \
    {                                                                 \
        kernels->maps->kernel(&(struct kernel##_map){ __VA_ARGS__ }); \
    }                                                                 \
    static double want_##name(const double *v) { return formula; }
MAP(mix, mix, 0.3125 * v[1] - 2 * v[2], x[0], x[1], x[2], 0.3125f, -2, n)
MAP(pass, pass, 0.75 * v[1], x[0], x[1], 0.75f, n, false)
MAP(pass_add, pass, v[0] + 0.75 * v[1], x[0], x[1], 0.75f, n, true)
MAP(relu, relu, v[1] > 0 ? v[1] : 0, x[0], x[1], 0, n)
MAP(relu_capped, relu, fmin(v[1] > 0 ? v[1] : 0, 0.5), x[0], x[1], 0.5f, n)
MAP(relu_grad, relu_grad, v[2] > 0 && v[2] < 0.5 ? v[1] : 0, x[0], x[1], x[2], 0.5f, n, false)
MAP(relu_grad_add, relu_grad, v[0] + (v[2] > 0 ? v[1] : 0), x[0], x[1], x[2], 0, n, true)
MAP(max, max, fmax(v[1], v[2]), x[0], x[1], x[2], n)
MAP(max_grad, max_grad, v[0] + (v[1] > v[2] ? v[1] : 0), x[0], x[1], x[1], x[2], n, true)
MAP(max_grad_even, max_grad, v[1] / 2, x[0], x[1], x[2], x[2], n, false)
MAP(gate, gate, v[1] * v[2], x[0], x[1], x[2], 1, n, false)
MAP(gate_add, gate, v[0] + v[1] * v[2], x[0], x[1], x[2], 1, n, true)
static void call_gate_grad(float *const *x, size_t n)
{
    kernels->maps->gate_grad(&(struct gate_grad_map){ x[0], x[1], x[2], 1, n });
}
static double want_gate_grad(const double *v) { return v[0] + v[1] * v[2]; }

#define ENTRY(kernel)                         \
    {                                         \
#kernel, call_##kernel, want_##kernel \
    }
static const struct elementwise elementwise[] = {
    ENTRY(add),           ENTRY(axpy),          ENTRY(mul),
    ENTRY(mix),           ENTRY(pass),          ENTRY(pass_add),
    ENTRY(relu),          ENTRY(relu_capped),   ENTRY(relu_grad),
    ENTRY(relu_grad_add), ENTRY(max),           ENTRY(max_grad),
    ENTRY(max_grad_even), ENTRY(gate),          ENTRY(gate_add),
    ENTRY(gate_grad),     ENTRY(sigmoid),       ENTRY(sigmoid_grad_add),
    ENTRY(tanh),          ENTRY(tanh_grad_add),
};

static void check_elementwise(const struct elementwise *e, size_t n)
{
    struct bench *b = bench_create(n);
    e->call(b->x, n);
    for (size_t i = 0; i < n; i++) {
        double v[3] = { (double)b->was[0][i], (double)b->was[1][i], (double)b->was[2][i] };
        near(e->name, (double)b->x[0][i], e->want(v), fabs(v[0]) + fabs(v[1]) + fabs(v[2]));
    }
    bench_destroy(b);
}

/* Sums of one column of a rows x c matrix, in double. */
struct sums {
    double dy, dy_x, x, x_x, size; /* x: minus the shift of its channel */
};

static struct sums column(const struct bench *b, size_t c, size_t j, bool shifted)
{
    struct sums s = { 0, 0, 0, 0, 0 };
    for (size_t r = 0; r < ROWS; r++) {
        double dy = (double)b->was[2][r * c + j];
        double x = (double)b->was[3][r * c + j] - (shifted ? (double)b->was[4][j] : 0);
        s.dy += dy, s.dy_x += dy * x, s.x += x, s.x_x += x * x;
        s.size += fabs(dy) + fabs(x) + x * x + dy * dy;
    }
    return s;
}

static void check_column_sums(size_t c)
{
    struct bench *sum = bench_create(ROWS * c), *sums = bench_create(ROWS * c);
    struct bench *dots = bench_create(ROWS * c), *dot = bench_create(ROWS * c);
    kernels->channel_sum(sum->x[0], sum->x[3], ROWS, c);
    kernels->channel_sums(sums->x[0], sums->x[1], sums->x[3], sums->x[4], ROWS, c);
    kernels->channel_dots(dots->x[0], dots->x[1], dots->x[2], dots->x[3], dots->x[4], ROWS, c);
    kernels->maps->gate_grad(&(struct gate_grad_map){ dot->x[0], dot->x[2], dot->x[3], ROWS, c });
    for (size_t j = 0; j < c; j++) {
        struct sums raw = column(sum, c, j, false), shifted = column(sum, c, j, true);
        double at0 = (double)sum->was[0][j], at1 = (double)sum->was[1][j];
        near("channel_sum", (double)sum->x[0][j], at0 + raw.x, raw.size);
        near("channel_sums, sum", (double)sums->x[0][j], at0 + shifted.x, shifted.size);
        near("channel_sums, squares", (double)sums->x[1][j], at1 + shifted.x_x, shifted.size);
        near("channel_dots, s1", (double)dots->x[0][j], at0 + shifted.dy, shifted.size);
        near("channel_dots, s2", (double)dots->x[1][j], at1 + shifted.dy_x, shifted.size);
        near("gate_grad", (double)dot->x[0][j], at0 + raw.dy_x, raw.size);
    }
    for (size_t j = c; j < ROWS * c; j++)
        ck_assert_msg(sum->x[0][j] == sum->was[0][j] && sums->x[1][j] == sums->was[1][j],
                      "a sum touches more than c floats");
    bench_destroy(sum), bench_destroy(sums), bench_destroy(dots), bench_destroy(dot);
}

static void check_rows(size_t c)
{
    struct bench *affine = bench_create(ROWS * c), *grad = bench_create(ROWS * c);
    struct bench *scale = bench_create(ROWS * c), *added = bench_create(ROWS * c);
    struct bench *row = bench_create(ROWS * c);
    kernels->affine(affine->x[0], affine->x[2], affine->x[4], affine->x[5], ROWS, c);
    kernels->affine_grad_add(grad->x[0], grad->x[2], grad->x[3], grad->x[4], grad->x[5], grad->x[6],
                             ROWS, c);
    kernels->maps->gate(
        &(struct gate_map){ scale->x[0], scale->x[2], scale->x[4], ROWS, c, false });
    kernels->maps->gate(&(struct gate_map){ added->x[0], added->x[2], added->x[4], ROWS, c, true });
    kernels->row_add(row->x[0], row->x[4], ROWS, c);
    for (size_t i = 0; i < ROWS * c; i++) {
        double y = (double)row->was[0][i], x = (double)row->was[2][i], z = (double)row->was[3][i];
        double a = (double)row->was[4][i % c], b = (double)row->was[5][i % c];
        double d = (double)row->was[6][i % c], size = fabs(y) + fabs(a * x) + fabs(b * z) + fabs(d);
        near("affine", (double)affine->x[0][i], a * x + b, size + fabs(b));
        near("affine_grad_add", (double)grad->x[0][i], y + a * x + b * z + d, size);
        near("gate", (double)scale->x[0][i], a * x, size);
        near("gate, added", (double)added->x[0][i], y + a * x, size);
        near("row_add", (double)row->x[0][i], y + a, size + fabs(a));
    }
    bench_destroy(affine), bench_destroy(grad), bench_destroy(scale), bench_destroy(added);
    bench_destroy(row);
}

static void check_max_row(size_t c)
{
    struct bench *b = bench_create(c);
    for (size_t j = 0; j < c; j++)
        if (j % 3 == 0) b->x[2][j] = b->was[0][j]; /* a tie keeps the first */
    kernels->max_row(b->x[0], b->x[1], b->x[2], 5, c);
    for (size_t j = 0; j < c; j++) {
        int larger = b->x[2][j] > b->was[0][j];
        ck_assert(b->x[0][j] == (larger ? b->x[2][j] : b->was[0][j]));
        ck_assert(b->x[1][j] == (larger ? 5 : b->was[1][j]));
    }
    bench_destroy(b);
}

static void check_sum_squares(size_t n)
{
    struct bench *b = bench_create(n);
    double want = 0;
    for (size_t i = 0; i < n; i++) want += (double)b->x[0][i] * (double)b->x[0][i];
    near("sum_squares", kernels->sum_squares(b->x[0], n), want, want);
    bench_destroy(b);
}

static void check_sgd(size_t n, bool nesterov)
{
    struct bench *b = bench_create(n);
    kernels->sgd(b->x[0], b->x[1], b->x[2], n, 0.1f, 0.9f, 0.01f, nesterov);
    for (size_t i = 0; i < n; i++) {
        double w = (double)b->was[0][i], g = (double)b->was[2][i] + 0.01 * w;
        double m = 0.9 * (double)b->was[1][i] + g;
        near("sgd, m", (double)b->x[1][i], m, 4);
        near("sgd, w", (double)b->x[0][i], w - 0.1 * (nesterov ? g + 0.9 * m : m), 4);
    }
    bench_destroy(b);
}

/* Floats by their bits: between, just beside and exactly half way between two bf16, of which the
 * nearest is even or odd; the largest, which rounds to infinity; NaN, also with its mark in the
 * lower half only; denormals; both zeros. */
static const uint32_t float_bits[] = {
    0x00000000, 0x80000000, 0x3f800000, 0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001, 0xbf818000,
    0xbf817fff, 0x3fffffff, 0x00800000, 0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0xff7fffff, 0x7f800000,
    0xff800000, 0x7f800001, 0xff800001, 0x7f808000, 0x7fc00000, 0xffc12345, 0x7fffffff, 0xffffffff,
    0x00000001, 0x00007fff, 0x00008000, 0x00018000, 0x80008001, 0x007fffff, 0x807f8000,
};
enum { FLOAT_BITS = sizeof float_bits / sizeof *float_bits };

/* What narrow makes of a float. The instruction of avx512_bf16 takes denormals for 0. */
static uint16_t narrowed(uint32_t bits)
{
    const uint32_t size = bits & 0x7fffffff, lower = bits & 0xffff, upper = bits >> 16;
    if (size > 0x7f800000) return (uint16_t)(upper | 0x40);
    if (size < 0x00800000 && strcmp(kernels->isa, "avx512_bf16") == 0)
        return (uint16_t)(upper & 0x8000);
    const bool up = lower > 0x8000 || (lower == 0x8000 && upper % 2 == 1);
    return (uint16_t)(upper + up);
}

/* n numbers from the given one on, off alignment, with guards after the targets. */
static void check_bf16(size_t n, size_t first)
{
    enum { MOST = 70, BF16_GUARD = 0x5a5a };
    float x[1 + MOST], wide[1 + MOST + GUARD];
    bf16 y[1 + MOST + GUARD], from[1 + MOST];
    for (size_t i = 0; i < n; i++) {
        memcpy(&x[1 + i], &float_bits[(first + i) % FLOAT_BITS], sizeof *x);
        from[1 + i] = (bf16)(float_bits[(first + i) % FLOAT_BITS] >> 16);
    }
    for (size_t i = 0; i < GUARD; i++) y[1 + n + i] = BF16_GUARD, wide[1 + n + i] = mark;
    kernels->narrow(y + 1, x + 1, n);
    kernels->widen(wide + 1, from + 1, n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = float_bits[(first + i) % FLOAT_BITS], want = bits & 0xffff0000;
        if (y[1 + i] != narrowed(bits))
            ck_abort_msg("narrow (%s), %zu of %zu: %08x gives %04x, not %04x", kernels->isa, i, n,
                         bits, y[1 + i], narrowed(bits));
        if (memcmp(&wide[1 + i], &want, sizeof want) != 0)
            ck_abort_msg("widen (%s), %zu of %zu: not the bits %08x", kernels->isa, i, n, want);
    }
    for (size_t i = 0; i < GUARD; i++)
        if (y[1 + n + i] != BF16_GUARD || wide[1 + n + i] != mark)
            ck_abort_msg("narrow or widen (%s) writes past %zu", kernels->isa, n);
}

/* Every bf16, with lower halves around those where rounding changes. */
static void check_every_bf16(void)
{
    static const uint32_t lower[] = { 0, 1, 0x7fff, 0x8000, 0x8001, 0xffff };
    enum { LOWER = sizeof lower / sizeof *lower, ALL = 1 << 16 };
    float *x = mem_new(ALL, sizeof *x), *wide = mem_new(ALL, sizeof *wide);
    bf16 *y = mem_new(ALL, sizeof *y);
    for (int k = 0; k < LOWER; k++) {
        for (uint32_t i = 0; i < ALL; i++) {
            const uint32_t bits = i << 16 | lower[k];
            memcpy(&x[i], &bits, sizeof bits);
        }
        kernels->narrow(y, x, ALL);
        for (uint32_t i = 0; i < ALL; i++)
            if (y[i] != narrowed(i << 16 | lower[k]))
                ck_abort_msg("narrow (%s): %04x%04x gives %04x", kernels->isa, i, lower[k], y[i]);
    }
    for (uint32_t i = 0; i < ALL; i++) y[i] = (bf16)i;
    kernels->widen(wide, y, ALL);
    for (uint32_t i = 0; i < ALL; i++) {
        const uint32_t bits = i << 16;
        if (memcmp(&wide[i], &bits, sizeof bits) != 0)
            ck_abort_msg("widen (%s): other bits for %04x", kernels->isa, i);
    }
    free(x), free(wide), free(y);
}

START_TEST(bf16_is_the_nearest)
{
    ck_assert(kernels_use(kernels_at(_i)->isa));
    for (size_t n = 0; n <= 70; n++)
        for (size_t first = 0; first < FLOAT_BITS; first++) check_bf16(n, first);
    check_every_bf16();
}
END_TEST

/* Every table; sizes 0 .. 5 vectors and a bit, so that strips of four vectors end everywhere. */
START_TEST(kernels_equal_plain_loops)
{
    ck_assert(kernels_use(kernels_at(_i)->isa));
    size_t most = 5 * (size_t)kernels->lanes + 3;
    for (size_t n = 0; n <= most; n++) {
        for (size_t i = 0; i < sizeof elementwise / sizeof *elementwise; i++)
            check_elementwise(&elementwise[i], n);
        check_sum_squares(n);
        check_sgd(n, false);
        check_sgd(n, true);
        if (n) check_column_sums(n), check_rows(n), check_max_row(n);
    }
    check_sum_squares(100000);
}
END_TEST

/* Whatever is wrong with an activation must reach the loss. */
START_TEST(nan_goes_through)
{
    ck_assert(kernels_use(kernels_at(_i)->isa));
    float y[21], at[21], bad[21];
    for (int i = 0; i < 21; i++) bad[i] = NAN, y[i] = 1, at[i] = 0;
    kernels->max_row(y, at, bad, 3, 21);
    for (int i = 0; i < 21; i++) ck_assert(isnan(y[i]) && at[i] == 3);
    float one[21] = { 1 };
    kernels->max_row(y, at, one, 4, 21); /* NaN is kept against a later number */
    for (int i = 0; i < 21; i++) ck_assert(isnan(y[i]) && at[i] == 3);
    kernels->maps->relu(&(struct relu_map){ y, bad, 6, 21 });
    for (int i = 0; i < 21; i++) ck_assert_float_nan(y[i]);
    kernels->maps->max(&(struct max_map){ y, bad, one, 21 });
    for (int i = 0; i < 21; i++) ck_assert_float_nan(y[i]);
    kernels->maps->max(&(struct max_map){ y, one, bad, 21 });
    for (int i = 0; i < 21; i++) ck_assert_float_nan(y[i]);
    kernels->sigmoid(y, bad, 21);
    for (int i = 0; i < 21; i++) ck_assert_float_nan(y[i]);
    kernels->tanh(y, bad, 21);
    for (int i = 0; i < 21; i++) ck_assert_float_nan(y[i]);
}
END_TEST

/* Relative error over the whole useful range, far ends and small arguments included. */
START_TEST(sigmoid_and_tanh_are_accurate)
{
    ck_assert(kernels_use(kernels_at(_i)->isa));
    for (int i = -86000; i <= 86000; i++) {
        float x = (float)i * 1e-3f, s, t;
        kernels->sigmoid(&s, &x, 1);
        double want = 1 / (1 + exp(-(double)x));
        if (!(fabs((double)s / want - 1) < 3e-7))
            ck_abort_msg("sigmoid(%g) is %.9g", (double)x, (double)s);
        x *= 0.1f;
        kernels->tanh(&t, &x, 1);
        want = tanh((double)x);
        if (!(fabs((double)t - want) <= 3e-7 * fabs(want)))
            ck_abort_msg("tanh(%g) is %.9g", (double)x, (double)t);
    }
    float far[4] = { -1e30f, 1e30f, -INFINITY, INFINITY }, y[4];
    kernels->sigmoid(y, far, 4);
    for (int i = 0; i < 4; i++) ck_assert(i % 2 ? y[i] == 1 : y[i] >= 0 && y[i] < 1e-37f);
    kernels->tanh(y, far, 4);
    for (int i = 0; i < 4; i++) ck_assert(y[i] == (i % 2 ? 1 : -1));
}
END_TEST

START_TEST(tables_are_found_by_name)
{
    const struct kernels *best = kernels; /* chosen before main */
    ck_assert_ptr_eq(best, kernels_at(0));
    int last = 0;
    while (kernels_at(last + 1)) last++;
    ck_assert_str_eq(kernels_at(last)->isa, "portable");
    ck_assert_ptr_null(kernels_use("nonsense"));
    ck_assert_ptr_eq(kernels, best);
    ck_assert_ptr_eq(kernels_use("portable"), kernels_at(last));
    ck_assert_ptr_eq(kernels_use(NULL), best);
}
END_TEST

START_TEST(gemm_multiplies_all_four_ways)
{
    enum { M = 5, N = 7, K = 4, LD = 11 };
    struct bench *b = bench_create(LD * LD);
    for (int way = 0; way < 8; way++) {
        struct gemm g = { M,  N,  K,  b->x[0], b->x[1],      b->x[2],
                          LD, LD, LD, way & 1, way >> 1 & 1, way >> 2 & 1 };
        memcpy(b->x[2], b->was[2], b->len * sizeof(float));
        gemm(&g);
        for (int i = 0; i < LD; i++)
            for (int j = 0; j < LD; j++) {
                double want = g.add || i >= M || j >= N ? (double)b->was[2][i * LD + j] : 0;
                for (int k = 0; k < K && i < M && j < N; k++)
                    want += (double)b->x[0][g.a_t ? k * LD + i : i * LD + k] *
                            (double)b->x[1][g.b_t ? j * LD + k : k * LD + j];
                near("gemm", (double)b->x[2][i * LD + j], want, 5);
            }
    }
    bench_destroy(b);
}
END_TEST

Suite *suite(void)
{
    int tables = 0;
    while (kernels_at(tables)) tables++;
    Suite *s = suite_create("kernels");
    TCase *c = tcase_create("every table");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, kernels_equal_plain_loops, 0, tables);
    tcase_add_loop_test(c, bf16_is_the_nearest, 0, tables);
    tcase_add_loop_test(c, nan_goes_through, 0, tables);
    tcase_add_loop_test(c, sigmoid_and_tanh_are_accurate, 0, tables);
    suite_add_tcase(s, c);
    unit_case(s, "choice", 10, UNIT_TESTS(tables_are_found_by_name, gemm_multiplies_all_four_ways));
    return s;
}
