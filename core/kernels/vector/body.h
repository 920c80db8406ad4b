/* The kernels, written once over the vector type vf. Each isa_*.c picks a vf (simd/NAME.h),
 * includes this and exports the table; the file is compiled with that instruction set's flags.
 * Every loop takes its last, incomplete vector through the same expression as the full ones, so an
 * element's bits do not depend on where in a chunk it stands. */
#include "core/kernels/kernels.h"
#include "core/kernels/simd/cap.h"
#include <math.h>

/* How many of the `left` floats the next vector holds. */
static inline size_t lanes_of(size_t left) { return left < LANES ? left : LANES; }

static inline vf load(const float *p, size_t m)
{
    return m < LANES ? vf_load_part(p, m) : vf_load(p);
}

static inline void store(float *p, vf a, size_t m)
{
    if (m < LANES)
        vf_store_part(p, a, m);
    else
        vf_store(p, a);
}

static inline vf load_bf16(const bf16 *p, size_t m)
{
    return m < LANES ? vf_load_bf16_part(p, m) : vf_load_bf16(p);
}

static inline void store_bf16(bf16 *p, vf a, size_t m)
{
    if (m < LANES)
        vf_store_bf16_part(p, a, m);
    else
        vf_store_bf16(p, a);
}

static inline vf vf_pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
static inline vf vf_where(vi mask, vf a) { return (vf)(mask & (vi)a); }

/* dy where relu(x), cap at most, lets it through. */
static inline vf relu_passes(vf x, vf cap, vf dy)
{
    return vf_where((x > vf_set(0)) & (x < cap), dy);
}

/* Walks n floats: i is where a vector begins, m how many floats it holds. */
#define VECTORS(i, m, n) for (size_t i = 0, m; i < (n) && (m = lanes_of((n)-i)); i += LANES)

static void kernel_add(float *y, const float *a, const float *b, size_t n)
{
    VECTORS(i, m, n) store(y + i, load(a + i, m) + load(b + i, m), m);
}

static void kernel_axpy(float *y, float a, const float *x, size_t n)
{
    VECTORS(i, m, n) store(y + i, vf_fma(vf_set(a), load(x + i, m), load(y + i, m)), m);
}

static void kernel_mul(float *y, const float *a, const float *b, size_t n)
{
    VECTORS(i, m, n) store(y + i, load(a + i, m) * load(b + i, m), m);
}

/* e^x for -87 <= x <= 88, the nearest of both outside: x = k ln 2 + r, |r| <= ln 2 / 2, and a
 * polynomial for e^r (Cephes, expf.c). */
static inline vf vf_exp(vf x)
{
    const vf round = vf_set(0x1.8p23f); /* adding and taking it away rounds to an integer */
    x = vf_min(vf_set(88.0f), vf_max(vf_set(-87.0f), x));
    vf k = vf_fma(x, vf_set(1.44269504f), round) - round;
    vf r = vf_fma(k, vf_set(-0.693359375f), x);
    r = vf_fma(k, vf_set(2.12194440e-4f), r);
    vf p = vf_fma(vf_set(1.9875691500e-4f), r, vf_set(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set(5.0000001201e-1f));
    p = vf_fma(p, r * r, r) + vf_set(1.0f);
    vi exponent = (__builtin_convertvector(k, vi) + 127) << 23;
    return p * (vf)exponent;
}

static void kernel_sigmoid(float *y, const float *x, size_t n)
{
    const vf one = vf_set(1.0f);
    VECTORS(i, m, n) store(y + i, one / (one + vf_exp(vf_set(0) - load(x + i, m))), m);
}

static void kernel_sigmoid_grad_add(float *dx, const float *dy, const float *y, size_t n)
{
    VECTORS(i, m, n)
    {
        vf s = load(y + i, m);
        store(dx + i, vf_fma(load(dy + i, m), s * (vf_set(1.0f) - s), load(dx + i, m)), m);
    }
}

/* Near 0 a polynomial (Cephes, tanhf.c), since 1 - 2 / (e^2x + 1) cancels there. */
static inline vf vf_tanh(vf x)
{
    const vi sign = (vi)vf_set(-0.0f);
    vf z = x * x, size = (vf)((vi)x & ~sign);
    vf p = vf_fma(vf_set(-5.70498872745e-3f), z, vf_set(2.06390887954e-2f));
    p = vf_fma(p, z, vf_set(-5.37397155531e-2f));
    p = vf_fma(p, z, vf_set(1.33314422036e-1f));
    p = vf_fma(p, z, vf_set(-3.33332819422e-1f));
    vf near = vf_fma(p * z, x, x);
    vf far = vf_set(1.0f) - vf_set(2.0f) / (vf_exp(size + size) + vf_set(1.0f));
    return vf_pick(size < vf_set(0.625f), near, (vf)((vi)far | ((vi)x & sign)));
}

static void kernel_tanh(float *y, const float *x, size_t n)
{
    VECTORS(i, m, n) store(y + i, vf_tanh(load(x + i, m)), m);
}

static void kernel_tanh_grad_add(float *dx, const float *dy, const float *y, size_t n)
{
    VECTORS(i, m, n)
    {
        vf t = load(y + i, m), g = load(dy + i, m);
        store(dx + i, load(dx + i, m) + g * (vf_set(1.0f) - t * t), m);
    }
}

/* Floats are added up in lanes over 64 vectors at most; from there on in double. */
static double kernel_sum_squares(const float *x, size_t n)
{
    enum { SQUARES_RUN = 64 * LANES };
    double total = 0;
    for (size_t at = 0; at < n; at += SQUARES_RUN) {
        size_t len = n - at < SQUARES_RUN ? n - at : SQUARES_RUN;
        vf s = vf_set(0);
        VECTORS(i, m, len)
        {
            vf v = load(x + at + i, m);
            s = vf_fma(v, v, s);
        }
        for (int i = 0; i < LANES; i++) total += (double)s[i];
    }
    return total;
}

static void kernel_sgd(float *w, float *m, const float *g, size_t n, float lr, float momentum,
                       float decay, bool nesterov)
{
    const vf mu = vf_set(momentum), wd = vf_set(decay), rate = vf_set(-lr);
    VECTORS(i, k, n)
    {
        vf old = load(w + i, k), grad = vf_fma(wd, old, load(g + i, k));
        vf speed = vf_fma(mu, load(m + i, k), grad);
        store(m + i, speed, k);
        store(w + i, vf_fma(rate, nesterov ? vf_fma(mu, speed, grad) : speed, old), k);
    }
}

static void kernel_widen(float *y, const bf16 *x, size_t n)
{
    VECTORS(i, m, n) store(y + i, load_bf16(x + i, m), m);
}

static void kernel_narrow(bf16 *y, const float *x, size_t n)
{
    VECTORS(i, m, n) store_bf16(y + i, load(x + i, m), m);
}

/* The sums over rows keep a strip of channels in registers: WIDE vectors of them while there are
 * as many (whole cache lines of a row at a time), one after that. `wide` is a constant wherever a
 * strip is called. */
enum { WIDE = 4, STRIP = WIDE * LANES };
#define STRIP_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define EACH_VECTOR(v, wide) _Pragma("clang loop unroll(full)") for (size_t v = 0; v < (wide); v++)
#else
#define EACH_VECTOR(v, wide) _Pragma("GCC unroll 4") for (size_t v = 0; v < (wide); v++)
#endif

STRIP_INLINE void sum_strip(float *sum, const float *x, size_t rows, size_t c, size_t m,
                            size_t wide)
{
    vf s[WIDE];
    EACH_VECTOR(v, wide) s[v] = load(sum + v * LANES, m);
    for (size_t r = 0; r < rows; r++, x += c) EACH_VECTOR(v, wide) s[v] += load(x + v * LANES, m);
    EACH_VECTOR(v, wide) store(sum + v * LANES, s[v], m);
}

static void kernel_channel_sum(float *sum, const float *x, size_t rows, size_t c)
{
    size_t j = 0;
    for (; c - j >= STRIP; j += STRIP) sum_strip(sum + j, x + j, rows, c, LANES, WIDE);
    for (; j < c; j += LANES) sum_strip(sum + j, x + j, rows, c, lanes_of(c - j), 1);
}

/* s1 += sum a; s2 += sum b (x - shift): with a = b = x - shift the sums of a batch norm's forward,
 * with a = b = dy those of its backward. */
STRIP_INLINE void sums_strip(float *const s[2], const float *dy, const float *x, const float *shift,
                             size_t rows, size_t c, size_t m, size_t wide)
{
    vf s1[WIDE], s2[WIDE], d[WIDE];
    EACH_VECTOR(v, wide)
    {
        s1[v] = load(s[0] + v * LANES, m);
        s2[v] = load(s[1] + v * LANES, m);
        d[v] = load(shift + v * LANES, m);
    }
    for (size_t r = 0; r < rows; r++) EACH_VECTOR(v, wide)
        {
            vf b = load(x + r * c + v * LANES, m) - d[v];
            vf a = dy ? load(dy + r * c + v * LANES, m) : b;
            s1[v] += a;
            s2[v] = vf_fma(a, b, s2[v]);
        }
    EACH_VECTOR(v, wide)
    {
        store(s[0] + v * LANES, s1[v], m);
        store(s[1] + v * LANES, s2[v], m);
    }
}

static void kernel_channel_sums(float *sum, float *squares, const float *x, const float *shift,
                                size_t rows, size_t c)
{
    size_t j = 0;
    for (; c - j >= STRIP; j += STRIP)
        sums_strip((float *[]){ sum + j, squares + j }, NULL, x + j, shift + j, rows, c, LANES,
                   WIDE);
    for (; j < c; j += LANES)
        sums_strip((float *[]){ sum + j, squares + j }, NULL, x + j, shift + j, rows, c,
                   lanes_of(c - j), 1);
}

static void kernel_channel_dots(float *s1, float *s2, const float *dy, const float *x,
                                const float *shift, size_t rows, size_t c)
{
    size_t j = 0;
    for (; c - j >= STRIP; j += STRIP)
        sums_strip((float *[]){ s1 + j, s2 + j }, dy + j, x + j, shift + j, rows, c, LANES, WIDE);
    for (; j < c; j += LANES)
        sums_strip((float *[]){ s1 + j, s2 + j }, dy + j, x + j, shift + j, rows, c,
                   lanes_of(c - j), 1);
}

static void kernel_affine(float *y, const float *x, const float *a, const float *b, size_t rows,
                          size_t c)
{
    for (; rows; rows--, x += c, y += c)
        VECTORS(j, m, c) store(y + j, vf_fma(load(a + j, m), load(x + j, m), load(b + j, m)), m);
}

static void kernel_affine_grad_add(float *dx, const float *dy, const float *x, const float *a,
                                   const float *b, const float *d, size_t rows, size_t c)
{
    for (; rows; rows--, x += c, dy += c, dx += c) VECTORS(j, m, c)
        {
            vf g = vf_fma(load(b + j, m), load(x + j, m), load(d + j, m));
            g = vf_fma(load(a + j, m), load(dy + j, m), g);
            store(dx + j, load(dx + j, m) + g, m);
        }
}

static void kernel_row_add(float *y, const float *v, size_t rows, size_t c)
{
    for (; rows; rows--, y += c) kernel_add(y, y, v, c);
}

static void kernel_max_row(float *max, float *at, const float *x, float number, size_t c)
{
    VECTORS(j, m, c)
    {
        vf v = load(x + j, m), old = load(max + j, m);
        vi larger = (v > old) | (v != v);
        store(max + j, vf_pick(larger, v, old), m);
        store(at + j, vf_pick(larger, vf_set(number), load(at + j, m)), m);
    }
}

/* Matrices are walked in blocks of rows, strip after strip of each: a strip of all rows would touch
 * a line or two of each page, and prefetchers stop at page borders. */
enum { BLOCK_FLOATS = 4096, BLOCK_ROWS = 4 }; /* floats of a row block, and its fewest rows */

struct block {
    size_t from, to; /* rows */
};

static inline bool block_next(struct block *b, size_t rows, size_t c)
{
    const size_t fit = BLOCK_FLOATS / c, len = fit < BLOCK_ROWS ? BLOCK_ROWS : fit;
    b->from = b->to;
    b->to = rows - b->from < len ? rows : b->from + len;
    return b->from < rows;
}

/* Calls strip(ctx, block, j, m, wide) for each block of ctx->rows, for each strip of ctx->c
 * channels that begins at j. */
#define STRIPS(strip, ctx)                                                                         \
    do {                                                                                           \
        for (struct block block_ = { 0, 0 }; block_next(&block_, (ctx)->rows, (ctx)->c);) {        \
            size_t j_ = 0;                                                                         \
            for (; (ctx)->c - j_ >= STRIP; j_ += STRIP) strip(ctx, block_, j_, LANES, WIDE);       \
            for (; j_ < (ctx)->c; j_ += LANES) strip(ctx, block_, j_, lanes_of((ctx)->c - j_), 1); \
        }                                                                                          \
    } while (0)

STRIP_INLINE void load_strip(vf *out, const float *p, size_t m, size_t wide)
{
    EACH_VECTOR(v, wide) out[v] = load(p + v * LANES, m);
}

/* p NULL: zeros. */
STRIP_INLINE void load_optional(vf *out, const float *p, size_t j, size_t m, size_t wide)
{
    EACH_VECTOR(v, wide) out[v] = p ? load(p + j + v * LANES, m) : vf_set(0);
}

STRIP_INLINE void store_strip(float *p, const vf *s, size_t m, size_t wide)
{
    EACH_VECTOR(v, wide) store(p + v * LANES, s[v], m);
}

/* The fused passes and those over maps, once for matrices of float and once for bf16. */
#define FUSED(name) name
#define LOAD(p, i, m) load((const float *)(p) + (i), m)
#define STORE(p, i, a, m) store((float *)(p) + (i), a, m)
#define STREAM(p, i, a) vf_stream((float *)(p) + (i), a)
#include "core/kernels/vector/fused_body.h"
#include "core/kernels/vector/maps_body.h"
#undef FUSED
#undef LOAD
#undef STORE
#undef STREAM
#define FUSED(name) name##_bf16
#define LOAD(p, i, m) load_bf16((const bf16 *)(p) + (i), m)
#define STORE(p, i, a, m) store_bf16((bf16 *)(p) + (i), a, m)
#define STREAM(p, i, a) vf_stream_bf16_one((bf16 *)(p) + (i), a)
#include "core/kernels/vector/fused_body.h"
#include "core/kernels/vector/maps_body.h"

#define KERNELS_TABLE(name)                                                                        \
    {                                                                                              \
        .isa = #name, .number = ISA_##name, .lanes = LANES, .add = kernel_add,                     \
        .axpy = kernel_axpy, .mul = kernel_mul, .sigmoid = kernel_sigmoid,                         \
        .sigmoid_grad_add = kernel_sigmoid_grad_add, .tanh = kernel_tanh,                          \
        .tanh_grad_add = kernel_tanh_grad_add, .sum_squares = kernel_sum_squares,                  \
        .sgd = kernel_sgd, .channel_sum = kernel_channel_sum, .channel_sums = kernel_channel_sums, \
        .channel_dots = kernel_channel_dots, .affine = kernel_affine,                              \
        .affine_grad_add = kernel_affine_grad_add, .row_add = kernel_row_add,                      \
        .max_row = kernel_max_row, .widen = kernel_widen, .narrow = kernel_narrow,                 \
        .fused = &fused_table, .fused_bf16 = &fused_table_bf16, .maps = &maps_table,               \
        .maps_bf16 = &maps_table_bf16,                                                             \
    }
