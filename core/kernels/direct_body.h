/* The inner loops of the direct convolution, written once over the vector type vf. Each
 * isa_*_direct.c picks a vf (simd/NAME.h), defines from the registers of its set
 *   TILE_WIDE    pixels of a tile two vectors wide,
 *   TILE_NARROW  pixels of a tile one vector wide,
 *   OUTER_BROAD  rows of an outer product three vectors wide,
 * includes this and exports the table. Loops over pixels and vectors have constant bounds and
 * vanish; the sums never leave registers. */
#include "core/kernels/direct.h"
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* A loop whose bounds are constants once its function is inlined: no loop remains. */
#ifdef __clang__
#define REPEAT(i, from, to) _Pragma("clang loop unroll(full)") for (int i = from; i < to; i++)
#else
#define REPEAT(i, from, to) _Pragma("GCC unroll 32") for (int i = from; i < to; i++)
#endif

/* The address of pixel m, from the two halves' pointers and multiples of the pixel stride that the
 * addressing modes of x86 can form from three registers. Strides are in bytes. */
struct strides {
    ptrdiff_t s1, s3, s5, s7;
};

INLINE const float *tile_pixel(const char *p, int i, struct strides s)
{
    const ptrdiff_t at = i == 0   ? 0
                         : i == 1 ? s.s1
                         : i == 2 ? s.s1 * 2
                         : i == 3 ? s.s3
                         : i == 4 ? s.s1 * 4
                         : i == 5 ? s.s5
                         : i == 6 ? s.s3 * 2
                                  : s.s7;
    return (const float *)(p + at);
}

/* One channel: sums[m][v] += x[m] panel[v]. */
INLINE void tile_step(const int rows, const int vectors, vf (*sums)[2], const char *x0,
                      const char *x1, struct strides s, const float *panel)
{
    const int half = (rows + 1) / 2;
    vf b[2];
    REPEAT (v, 0, vectors) b[v] = vf_load(panel + v * LANES);
    REPEAT (m, 0, rows) {
        const vf x = vf_set(*(m < half ? tile_pixel(x0, m, s) : tile_pixel(x1, m - half, s)));
        REPEAT (v, 0, vectors) sums[m][v] = vf_fma(x, b[v], sums[m][v]);
    }
}

/* Adds the rows [from, to) of the finished tile, and their squares, to sum and square. */
INLINE void tile_sums(const int from, const int to, const int vectors, vf (*y)[2], float *sum,
                      float *square)
{
    REPEAT (v, 0, vectors) {
        vf s = vf_load(sum + v * LANES), q = vf_load(square + v * LANES);
        REPEAT (m, from, to) {
            s += y[m][v];
            q = vf_fma(y[m][v], y[m][v], q);
        }
        vf_store(sum + v * LANES, s);
        vf_store(square + v * LANES, q);
    }
}

INLINE void tile_body(const int rows, const int vectors, const struct direct_tile *t)
{
    const int half = (rows + 1) / 2, width = vectors * LANES;
    const ptrdiff_t bytes = t->x_pixel * 4;
    const struct strides s = { bytes, 3 * bytes, 5 * bytes, 7 * bytes };
    const float *panel = t->panel;
    vf sums[DIRECT_ROWS][2];

    REPEAT (v, 0, vectors) {
        const vf start = t->start ? vf_load(t->start + v * LANES) : (vf){ 0 };
        REPEAT (m, 0, rows) sums[m][v] = start;
    }
    for (int tap = 0; tap < t->n_taps; tap++) {
        const char *x0 = (const char *)(t->x[0] + t->taps[tap]);
        const char *x1 = (const char *)(t->x[1] + t->taps[tap]);
        int d = t->depth;
        for (; d >= 4; d -= 4, x0 += 16, x1 += 16, panel += 4 * width)
            REPEAT (u, 0, 4)
                tile_step(rows, vectors, sums, x0 + 4 * u, x1 + 4 * u, s, panel + u * width);
        for (; d > 0; d--, x0 += 4, x1 += 4, panel += width)
            tile_step(rows, vectors, sums, x0, x1, s, panel);
    }
    REPEAT (m, 0, rows) {
        float *y = m < half ? t->y[0] + m * t->y_pixel : t->y[1] + (m - half) * t->y_pixel;
        REPEAT (v, 0, vectors) {
            if (t->add) sums[m][v] += vf_load(y + v * LANES);
            vf_store(y + v * LANES, sums[m][v]);
        }
    }
    if (!t->sum[0]) return;
    tile_sums(0, half, vectors, sums, t->sum[0], t->square[0]);
    if (rows > half) tile_sums(half, rows, vectors, sums, t->sum[1], t->square[1]);
}

INLINE void outer_step(const int rows, const int vectors, vf (*sums)[3], const float *a,
                       const float *b)
{
    vf y[3];
    REPEAT (v, 0, vectors) y[v] = vf_load(b + v * LANES);
    REPEAT (m, 0, rows) {
        const vf x = vf_set(a[m]);
        REPEAT (v, 0, vectors) sums[m][v] = vf_fma(x, y[v], sums[m][v]);
    }
}

INLINE void outer_body(const int rows, const int vectors, const struct direct_outer *o)
{
    const ptrdiff_t a_pixel = o->a_pixel, b_pixel = o->b_pixel;
    vf sums[DIRECT_ROWS][3];

    REPEAT (m, 0, rows)
        REPEAT (v, 0, vectors)
            sums[m][v] = o->add ? vf_load(o->d + m * o->d_row + v * LANES) : (vf){ 0 };
    for (int r = 0; r < o->rows; r++) {
        const float *a = o->a + o->a_rows[r], *b = o->b + o->b_rows[r];
        int p = o->pixels;
        for (; p >= 2; p -= 2, a += 2 * a_pixel, b += 2 * b_pixel) {
            outer_step(rows, vectors, sums, a, b);
            outer_step(rows, vectors, sums, a + a_pixel, b + b_pixel);
        }
        if (p) outer_step(rows, vectors, sums, a, b);
    }
    REPEAT (m, 0, rows)
        REPEAT (v, 0, vectors) vf_store(o->d + m * o->d_row + v * LANES, sums[m][v]);
}

/* The channels of one pixel: full vectors, then what is left. */
INLINE vf copy_affine(vf x, vf scale, vf shift)
{
    return vf_max(vf_set(0), vf_fma(scale, x, shift));
}

static void isa_copy(const struct direct_copy *c)
{
    const int whole = c->c / LANES * LANES;
    const size_t left = (size_t)(c->c - whole);
    const float *x = c->x;
    float *out = c->out;
    for (int p = 0; p < c->pixels; p++, x += c->x_pixel, out += c->out_pixel) {
        if (!c->scale) {
            for (int i = 0; i < whole; i += LANES) vf_store(out + i, vf_load(x + i));
            if (left) vf_store_part(out + whole, vf_load_part(x + whole, left), left);
            continue;
        }
        for (int i = 0; i < whole; i += LANES)
            vf_store(out + i,
                     copy_affine(vf_load(x + i), vf_load(c->scale + i), vf_load(c->shift + i)));
        if (left)
            vf_store_part(out + whole,
                          copy_affine(vf_load_part(x + whole, left),
                                      vf_load_part(c->scale + whole, left),
                                      vf_load_part(c->shift + whole, left)),
                          left);
    }
}

static float isa_peak(long steps)
{
    const vf a = vf_set(0.5f), b = vf_set(1.0f);
    vf sums[DIRECT_PEAK], all = vf_set(0);
    REPEAT (i, 0, DIRECT_PEAK) sums[i] = vf_set((float)i);
    for (long s = 0; s < steps; s++)
        REPEAT (i, 0, DIRECT_PEAK) sums[i] = vf_fma(sums[i], a, b);
    REPEAT (i, 0, DIRECT_PEAK) all += sums[i];
    return all[0];
}

#include "core/kernels/direct_lanes_body.h"

/* One function for each size; noinline keeps each one's registers its own. */
#define TILE(v, m)                                                                    \
    static __attribute__((noinline)) void tile_##v##_##m(const struct direct_tile *t) \
    {                                                                                 \
        tile_body(m, v, t);                                                           \
    }
#define OUTER(v, m)                                                                     \
    static __attribute__((noinline)) void outer_##v##_##m(const struct direct_outer *o) \
    {                                                                                   \
        outer_body(m, v, o);                                                            \
    }
#define UP_TO_4(f, v) f(v, 1) f(v, 2) f(v, 3) f(v, 4)
#define UP_TO_6(f, v) UP_TO_4(f, v) f(v, 5) f(v, 6)
#define UP_TO_8(f, v) UP_TO_6(f, v) f(v, 7) f(v, 8)
#define UP_TO_12(f, v) UP_TO_8(f, v) f(v, 9) f(v, 10) f(v, 11) f(v, 12)
#define UP_TO_14(f, v) UP_TO_12(f, v) f(v, 13) f(v, 14)
#define UP_TO_16(f, v) UP_TO_14(f, v) f(v, 15) f(v, 16)
#define UP_TO(n, f, v) UP_TO_N(n, f, v)
#define UP_TO_N(n, f, v) UP_TO_##n(f, v)
#define ROW_TILE(v, m) [m] = tile_##v##_##m,
#define ROW_OUTER(v, m) [m] = outer_##v##_##m,

UP_TO(TILE_NARROW, TILE, 1)
UP_TO(TILE_WIDE, TILE, 2)
UP_TO(TILE_NARROW, OUTER, 1)
UP_TO(TILE_WIDE, OUTER, 2)
UP_TO(OUTER_BROAD, OUTER, 3)

#define DIRECT_TABLE(name)                                                                         \
    {                                                                                              \
        .isa = name, .lanes = LANES, .tile_rows = { 0, TILE_NARROW, TILE_WIDE },                   \
        .outer_rows = { 0, TILE_NARROW, TILE_WIDE, OUTER_BROAD },                                  \
        .tile = { { 0 }, { UP_TO(TILE_NARROW, ROW_TILE, 1) }, { UP_TO(TILE_WIDE, ROW_TILE, 2) } }, \
        .outer = { { 0 },                                                                          \
                   { UP_TO(TILE_NARROW, ROW_OUTER, 1) },                                           \
                   { UP_TO(TILE_WIDE, ROW_OUTER, 2) },                                             \
                   { UP_TO(OUTER_BROAD, ROW_OUTER, 3) } },                                         \
        .lanes_tile = { LANES_TABLE(0), LANES_TABLE(1) }, .lanes_pixels = LANES_PIXELS,            \
        .lanes_weights = { LANES_WEIGHTS_TABLE(1),                                                 \
                           { NULL },                                                               \
                           LANES_WEIGHTS_TABLE(4),                                                 \
                           LANES_WEIGHTS_TABLE(8) },                                               \
        .copy = isa_copy, .peak = isa_peak,                                                        \
    }
