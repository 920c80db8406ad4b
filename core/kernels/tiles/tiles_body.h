/* The inner loops of the direct convolution, written once over the vector type vf. Each
 * isa_*.c picks a vf (simd/NAME.h), defines from the registers of its set
 *   TILE_WIDE    pixels of a tile two vectors wide,
 *   TILE_NARROW  pixels of a tile one vector wide,
 *   OUTER_BROAD  rows of an outer product three vectors wide,
 *   CACHE        floats that its processors keep in their second-level cache beside the rest,
 * includes this and exports the table. Loops over pixels and vectors have constant bounds and
 * vanish; the sums never leave registers. */
#include "core/kernels/simd/cap.h"
#include "core/kernels/simd/unroll.h"
#include "core/kernels/tiles/tiles.h"
#include <stdint.h>
#include <string.h>

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
    return (const void *)(p + at);
}

/* sum + a b, of floats or of pairs of bf16. */
INLINE vf multiply_add(const bool pairs, vf a, vf b, vf sum)
{
    return pairs ? vf_dot(a, b, sum) : vf_accumulate(a, b, sum);
}

/* One element: sums[m][v] += x[m] panel[v]. */
INLINE void tile_step(const bool pairs, const int rows, const int vectors, vf (*sums)[2],
                      const char *x0, const char *x1, struct strides s, const float *panel)
{
    const int half = (rows + 1) / 2;
    vf b[2];
    REPEAT (v, 0, vectors) b[v] = vf_load(panel + v * LANES);
    REPEAT (m, 0, rows) {
        const float *at = m < half ? tile_pixel(x0, m, s) : tile_pixel(x1, m - half, s);
        const vf x = pairs ? vf_set_pair(at) : vf_set(*at);
        REPEAT (v, 0, vectors) sums[m][v] = multiply_add(pairs, x, b[v], sums[m][v]);
    }
}

/* Where v-th vector of pixel m of y lies. */
INLINE void *tile_output(const int rows, const bool narrow, const struct direct_tile *t, int m,
                         int v)
{
    const int half = (rows + 1) / 2;
    const ptrdiff_t at = (m < half ? m : m - half) * t->y_pixel + v * LANES;
    return (char *)t->y[m >= half] + at * (narrow ? 2 : 4);
}

/* What must happen to the finished tile before it is y: what y held is added, its ReLU taken. */
INLINE void tile_finish(const int rows, const int vectors, const bool narrow, vf (*sums)[2],
                        const struct direct_tile *t)
{
    if (t->add)
        REPEAT (m, 0, rows)
            REPEAT (v, 0, vectors) {
                const void *y = tile_output(rows, narrow, t, m, v);
                sums[m][v] += narrow ? vf_load_bf16(y) : vf_load(y);
            }
    if (!t->relu) return;
    const vf cap = vf_cap(t->cap);
    REPEAT (m, 0, rows)
        REPEAT (v, 0, vectors) sums[m][v] = vf_min(cap, vf_max(vf_set(0), sums[m][v]));
}

INLINE void tile_store(const int rows, const int vectors, const bool narrow, vf (*sums)[2],
                       const struct direct_tile *t)
{
    tile_finish(rows, vectors, narrow, sums, t);
    REPEAT (m, 0, rows)
        REPEAT (v, 0, vectors) {
            void *y = tile_output(rows, narrow, t, m, v);
            if (narrow)
                vf_store_bf16(y, sums[m][v]);
            else
                vf_store(y, sums[m][v]);
        }
}

INLINE void tile_stream(const int rows, const int vectors, const bool narrow, vf (*sums)[2],
                        const struct direct_tile *t)
{
    tile_finish(rows, vectors, narrow, sums, t);
    REPEAT (m, 0, rows) {
        if (narrow)
            vf_stream_bf16(tile_output(rows, true, t, m, 0), sums[m][0], sums[m][1]);
        else
            REPEAT (v, 0, vectors) vf_stream(tile_output(rows, false, t, m, v), sums[m][v]);
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

/* The next line, if there is one of `lines` left to ask for: for the first-level cache, or for the
 * second. */
INLINE void ahead_line(struct direct_ahead *a, int *lines, const bool first)
{
    if (*lines <= 0) return;
    if (first)
        __builtin_prefetch(a->x, 0, 3);
    else
        __builtin_prefetch(a->x, 0, 2);
    --*lines, --a->left;
    a->x += DIRECT_LINE;
    if (--a->run == 0) a->run = a->lines, a->x += a->skip;
}

/* What a call may ask for. */
INLINE struct direct_ahead ahead_begin(const struct direct_ahead *a, int *lines)
{
    const struct direct_ahead none = { 0 };
    if (!*lines) return none;
    if (*lines > a->left) *lines = a->left;
    return *a;
}

/* Brings pixel i of each half of y near before the tile is written there. */
INLINE void tile_near(const int vectors, const struct direct_tile *t, int i)
{
    const ptrdiff_t at = i * t->y_pixel * (t->narrow ? 2 : 4);
    REPEAT (half, 0, 2)
        REPEAT (v, 0, vectors)
            __builtin_prefetch((char *)t->y[half] + at + v * LANES * (t->narrow ? 2 : 4), 1, 3);
}

INLINE void tile_body(const bool pairs, const int rows, const int vectors,
                      const struct direct_tile *t)
{
    const int half = (rows + 1) / 2, width = vectors * LANES;
    const ptrdiff_t bytes = t->x_pixel * 4;
    const struct strides s = { bytes, 3 * bytes, 5 * bytes, 7 * bytes };
    const float *panel = t->panel;
    vf sums[DIRECT_ROWS][2];
    int lines = t->ahead_lines, near = t->stream ? 0 : half;
    struct direct_ahead ahead = ahead_begin(t->ahead, &lines);

    REPEAT (v, 0, vectors) {
        const vf start = t->start ? vf_load(t->start + v * LANES) : (vf){ 0 };
        REPEAT (m, 0, rows) sums[m][v] = start;
    }
    for (int tap = 0; tap < t->n_taps; tap++) {
        const char *x0 = (const char *)(t->x[0] + t->taps[tap]);
        const char *x1 = (const char *)(t->x[1] + t->taps[tap]);
        int d = t->depth;
        for (; d >= 4; d -= 4, x0 += 16, x1 += 16, panel += 4 * width) {
            REPEAT (u, 0, 2) ahead_line(&ahead, &lines, true);
            if (near) tile_near(vectors, t, --near);
            REPEAT (u, 0, 4)
                tile_step(pairs, rows, vectors, sums, x0 + 4 * u, x1 + 4 * u, s, panel + u * width);
        }
        for (; d > 0; d--, x0 += 4, x1 += 4, panel += width)
            tile_step(pairs, rows, vectors, sums, x0, x1, s, panel);
    }
    if (t->ahead_lines) *t->ahead = ahead;
    if (t->narrow && t->stream && vectors == 2)
        tile_stream(rows, vectors, true, sums, t);
    else if (t->narrow)
        tile_store(rows, vectors, true, sums, t);
    else if (t->stream)
        tile_stream(rows, vectors, false, sums, t);
    else
        tile_store(rows, vectors, false, sums, t);
    if (!t->sum[0]) return;
    tile_sums(0, half, vectors, sums, t->sum[0], t->square[0]);
    if (rows > half) tile_sums(half, rows, vectors, sums, t->sum[1], t->square[1]);
}

INLINE void outer_step(const bool pairs, const int rows, const int vectors, vf (*sums)[3],
                       const float *a, const float *b)
{
    vf y[3];
    REPEAT (v, 0, vectors) y[v] = vf_load(b + v * LANES);
    REPEAT (m, 0, rows) {
        const vf x = pairs ? vf_set_pair(a + m) : vf_set(a[m]);
        REPEAT (v, 0, vectors) sums[m][v] = multiply_add(pairs, x, y[v], sums[m][v]);
    }
}

INLINE void outer_body(const bool pairs, const int rows, const int vectors,
                       const struct direct_outer *o)
{
    const ptrdiff_t a_pixel = o->a_pixel, b_pixel = o->b_pixel;
    vf sums[DIRECT_ROWS][3];
    int lines = o->ahead_lines;
    struct direct_ahead ahead = ahead_begin(o->ahead, &lines);

    REPEAT (m, 0, rows)
        REPEAT (v, 0, vectors)
            sums[m][v] = o->add ? vf_load(o->d + m * o->d_row + v * LANES) : (vf){ 0 };
    for (int r = 0; r < o->rows; r++) {
        const float *a = o->a + o->a_rows[r], *b = o->b + o->b_rows[r];
        for (int p = o->pixels; p > 0; p--, a += a_pixel, b += b_pixel) {
            ahead_line(&ahead, &lines, false);
            outer_step(pairs, rows, vectors, sums, a, b);
        }
    }
    if (o->ahead_lines) *o->ahead = ahead;
    REPEAT (m, 0, rows)
        REPEAT (v, 0, vectors) vf_store(o->d + m * o->d_row + v * LANES, sums[m][v]);
}

/* LANES channels of a tensor from x + i on, or the first m of them. */
INLINE vf copy_load(const bool is_bf16, const void *x, ptrdiff_t i, size_t m)
{
    const bf16 *narrow = (const bf16 *)x + i;
    const float *wide = (const float *)x + i;
    if (is_bf16) return m < LANES ? vf_load_bf16_part(narrow, m) : vf_load_bf16(narrow);
    return m < LANES ? vf_load_part(wide, m) : vf_load(wide);
}

/* Where the pixel that is being copied begins in a source, and its channel i; and the prologue's
 * cap. */
struct copy_at {
    ptrdiff_t pixel;
    int i;
    vf cap;
};

/* The same of one of the copy's sources, behind the prologue. */
INLINE vf copy_value(const bool is_bf16, const bool prologue, const struct direct_copy *c,
                     const void *x, struct copy_at at, size_t m)
{
    const vf value = copy_load(is_bf16, x, at.pixel + at.i, m);
    if (!prologue) return value;
    const vf scale = copy_load(false, c->scale, at.i, m);
    const vf y = vf_max(vf_set(0), vf_fma(scale, value, copy_load(false, c->shift, at.i, m)));
    return vf_min(at.cap, y);
}

INLINE vf copy_elements(const enum direct_kind kind, const bool prologue,
                        const struct direct_copy *c, struct copy_at at, size_t m)
{
    const bool is_bf16 = kind != DIRECT_FLOATS && kind != DIRECT_ROUND;
    const ptrdiff_t i = at.pixel + at.i;
    if (kind == DIRECT_IMAGE_PAIRS && !prologue && m == LANES && c->x2)
        return vf_pair_bf16((const bf16 *)c->x + i, (const bf16 *)c->x2 + i);
    const vf value = copy_value(is_bf16, prologue, c, c->x, at, m);
    if (kind != DIRECT_IMAGE_PAIRS && kind != DIRECT_ROUND) return value;
    return vf_pair(value, c->x2 ? copy_value(is_bf16, prologue, c, c->x2, at, m) : vf_set(0));
}

INLINE void copy_body(const enum direct_kind kind, const bool prologue, const struct direct_copy *c)
{
    const int whole = c->c / LANES * LANES;
    const size_t left = (size_t)(c->c - whole);
    struct copy_at at = { 0, 0, vf_cap(c->cap) };
    float *out = c->out;
    for (int p = 0; p < c->pixels; p++, at.pixel += c->x_pixel, out += c->out_pixel) {
        bf16 *pairs = (bf16 *)(void *)out;
        for (at.i = 0; at.i < whole; at.i += LANES) {
            const vf v = copy_elements(kind, prologue, c, at, LANES);
            if (kind == DIRECT_PAIRS)
                vf_store_bf16(pairs + at.i, v);
            else
                vf_store(out + at.i, v);
        }
        if (!left) continue;
        const vf v = copy_elements(kind, prologue, c, at, left);
        if (kind == DIRECT_PAIRS)
            vf_store_bf16_part(pairs + at.i, v, left);
        else
            vf_store_part(out + at.i, v, left);
    }
}

#define COPY(kind)                                                                 \
    static __attribute__((noinline)) void copy_##kind(const struct direct_copy *c) \
    {                                                                              \
        if (c->scale)                                                              \
            copy_body(kind, true, c);                                              \
        else                                                                       \
            copy_body(kind, false, c);                                             \
    }
COPY(DIRECT_FLOATS)
COPY(DIRECT_WIDEN)
COPY(DIRECT_PAIRS)
COPY(DIRECT_IMAGE_PAIRS)
COPY(DIRECT_ROUND)

#include "core/kernels/tiles/depthwise_body.h"

/* One function for each size; noinline keeps each one's registers its own. */
#define TILE(pairs, v, m)                                                                       \
    static __attribute__((noinline)) void tile_##pairs##_##v##_##m(const struct direct_tile *t) \
    {                                                                                           \
        tile_body(pairs, m, v, t);                                                              \
    }
#define OUTER(pairs, v, m)                                                                        \
    static __attribute__((noinline)) void outer_##pairs##_##v##_##m(const struct direct_outer *o) \
    {                                                                                             \
        outer_body(pairs, m, v, o);                                                               \
    }
#define UP_TO_4(f, p, v) f(p, v, 1) f(p, v, 2) f(p, v, 3) f(p, v, 4)
#define UP_TO_6(f, p, v) UP_TO_4(f, p, v) f(p, v, 5) f(p, v, 6)
#define UP_TO_8(f, p, v) UP_TO_6(f, p, v) f(p, v, 7) f(p, v, 8)
#define UP_TO_12(f, p, v) UP_TO_8(f, p, v) f(p, v, 9) f(p, v, 10) f(p, v, 11) f(p, v, 12)
#define UP_TO_14(f, p, v) UP_TO_12(f, p, v) f(p, v, 13) f(p, v, 14)
#define UP_TO_16(f, p, v) UP_TO_14(f, p, v) f(p, v, 15) f(p, v, 16)
#define UP_TO(n, f, p, v) UP_TO_N(n, f, p, v)
#define UP_TO_N(n, f, p, v) UP_TO_##n(f, p, v)
#define ROW_TILE(p, v, m) [m] = tile_##p##_##v##_##m,
#define ROW_OUTER(p, v, m) [m] = outer_##p##_##v##_##m,

#define TILES(p)                    \
    UP_TO(TILE_NARROW, TILE, p, 1)  \
    UP_TO(TILE_WIDE, TILE, p, 2)    \
    UP_TO(TILE_NARROW, OUTER, p, 1) \
    UP_TO(TILE_WIDE, OUTER, p, 2)   \
    UP_TO(OUTER_BROAD, OUTER, p, 3)
TILES(0)
TILES(1)

#define TILE_TABLE(p)                                                                       \
    {                                                                                       \
        { 0 }, { UP_TO(TILE_NARROW, ROW_TILE, p, 1) }, { UP_TO(TILE_WIDE, ROW_TILE, p, 2) } \
    }
#define OUTER_TABLE(p)                                                                         \
    {                                                                                          \
        { 0 }, { UP_TO(TILE_NARROW, ROW_OUTER, p, 1) }, { UP_TO(TILE_WIDE, ROW_OUTER, p, 2) }, \
        {                                                                                      \
            UP_TO(OUTER_BROAD, ROW_OUTER, p, 3)                                                \
        }                                                                                      \
    }
#define ROW_COPY(kind) [kind] = copy_##kind

#define DIRECT_TABLE(name)                                                                     \
    {                                                                                          \
        .isa = #name, .pairs = PAIRS_FAST, .lanes = LANES,                                     \
        .tile_rows = { 0, TILE_NARROW, TILE_WIDE },                                            \
        .outer_rows = { 0, TILE_NARROW, TILE_WIDE, OUTER_BROAD }, .cache = CACHE,              \
        .tile = { TILE_TABLE(0), TILE_TABLE(1) }, .outer = { OUTER_TABLE(0), OUTER_TABLE(1) }, \
        .depthwise_tile = { DEPTHWISE_TABLE(0, TILE), DEPTHWISE_TABLE(1, TILE) },              \
        .depthwise_outer = { DEPTHWISE_TABLE(0, OUTER), DEPTHWISE_TABLE(1, OUTER) },           \
        .depthwise_pixels = DEPTHWISE_PIXELS,                                                  \
        .copy = { ROW_COPY(DIRECT_FLOATS), ROW_COPY(DIRECT_WIDEN), ROW_COPY(DIRECT_PAIRS),     \
                  ROW_COPY(DIRECT_IMAGE_PAIRS), ROW_COPY(DIRECT_ROUND) },                      \
        .peak = peak_##name, .peak_bf16 = peak_bf16_##name,                                    \
    }
