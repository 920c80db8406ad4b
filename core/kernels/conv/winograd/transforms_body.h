/* The transforms of Winograd's convolution, written once over the vector type vf: each
 * isa_*.c picks a vf (simd/NAME.h), includes this and exports the table. A transform of a
 * square is one of its columns and then one of its rows, each cell a vector of channels.
 *
 * With the points 0, +-p, +-q and infinity, one dimension is
 * - B' x: (pq)^2 x0 - (p^2 + q^2) x2 + x4, (x4 - q^2 x2) +- p (x3 - q^2 x1), the same with p and q
 *   exchanged, (pq)^2 x1 - (p^2 + q^2) x3 + x5;
 * - A y: y0, (y0 + p^2 y2) +- p (y1 + p^2 y3), the same of q, y3;
 * - G w: w0 / (pq)^2, ((w0 + p^2 w2) +- p w1) / (2 p^2 (p^2 - q^2)), the same with p and q
 *   exchanged, w2;
 * and A' and G' are the transposes. */
#include "core/kernels/conv/winograd/transforms.h"
#include "core/kernels/simd/cap.h"

#define INLINE static inline __attribute__((always_inline))

/* A loop that is to vanish, its bounds being constants; and one that is to stay: each of its turns
 * fits into the registers, all of them together would not. */
#ifdef __clang__
#define REPEAT(i, to) _Pragma("clang loop unroll(full)") for (int i = 0; i < to; i++)
#define EACH(i, to) _Pragma("clang loop unroll(disable)") for (int i = 0; i < to; i++)
#else
#define REPEAT(i, to) _Pragma("GCC unroll 8") for (int i = 0; i < to; i++)
#define EACH(i, to) _Pragma("GCC unroll 1") for (int i = 0; i < to; i++)
#endif

#define P 0.6875f
#define Q 1.5f
#define P2 (P * P)
#define Q2 (Q * Q)
#define G0 (1 / (P2 * Q2))
#define GP (1 / (2 * P2 * (P2 - Q2)))
#define GQ (1 / (2 * Q2 * (Q2 - P2)))

/* a x + b */
INLINE vf times_plus(float a, vf x, vf b) { return vf_fma(vf_set(a), x, b); }

/* One dimension of each transform. */
typedef void line(const vf *from, vf *to);

/* to = even + odd, even - odd */
INLINE void both_signs(vf even, vf odd, vf *to) { to[0] = even + odd, to[1] = even - odd; }

INLINE void split_x_line(const vf *x, vf *to)
{
    to[0] = times_plus(P2 * Q2, x[0], times_plus(-(P2 + Q2), x[2], x[4]));
    both_signs(times_plus(-Q2, x[2], x[4]), vf_set(P) * times_plus(-Q2, x[1], x[3]), to + 1);
    both_signs(times_plus(-P2, x[2], x[4]), vf_set(Q) * times_plus(-P2, x[1], x[3]), to + 3);
    to[5] = times_plus(P2 * Q2, x[1], times_plus(-(P2 + Q2), x[3], x[5]));
}

INLINE void split_dy_line(const vf *y, vf *to)
{
    to[0] = y[0];
    both_signs(times_plus(P2, y[2], y[0]), vf_set(P) * times_plus(P2, y[3], y[1]), to + 1);
    both_signs(times_plus(Q2, y[2], y[0]), vf_set(Q) * times_plus(Q2, y[3], y[1]), to + 3);
    to[5] = y[3];
}

INLINE void join_line(const vf *m, vf *to)
{
    const vf sum_p = m[1] + m[2], less_p = m[1] - m[2], sum_q = m[3] + m[4], less_q = m[3] - m[4];
    to[0] = m[0] + sum_p + sum_q;
    to[1] = times_plus(P, less_p, vf_set(Q) * less_q);
    to[2] = times_plus(P2, sum_p, vf_set(Q2) * sum_q);
    to[3] = times_plus(P2 * P, less_p, times_plus(Q2 * Q, less_q, m[5]));
}

INLINE void weights_line(const vf *w, vf *to)
{
    to[0] = vf_set(G0) * w[0];
    both_signs(vf_set(GP) * times_plus(P2, w[2], w[0]), vf_set(GP * P) * w[1], to + 1);
    both_signs(vf_set(GQ) * times_plus(Q2, w[2], w[0]), vf_set(GQ * Q) * w[1], to + 3);
    to[5] = w[2];
}

INLINE void gradient_line(const vf *m, vf *to)
{
    const vf sum_p = vf_set(GP) * (m[1] + m[2]), less_p = m[1] - m[2];
    const vf sum_q = vf_set(GQ) * (m[3] + m[4]), less_q = m[3] - m[4];
    to[0] = times_plus(G0, m[0], sum_p + sum_q);
    to[1] = times_plus(GP * P, less_p, vf_set(GQ * Q) * less_q);
    to[2] = times_plus(P2, sum_p, times_plus(Q2, sum_q, m[5]));
}

/* A column of `from` values, transformed into column j of half. */
INLINE void column(line *one, const int to, const vf *values, vf (*half)[WINOGRAD_IN], int j)
{
    vf made[WINOGRAD_IN];
    one(values, made);
    REPEAT (i, to) half[i][j] = made[i];
}

/* size x size pixels to WINOGRAD_IN x WINOGRAD_IN cells. */
INLINE void split_body(const int size, line *one, const struct winograd_split *t)
{
    const float *x[WINOGRAD_IN];
    REPEAT (i, size) x[i] = t->x[i];
    for (int c = 0; c < t->channels; c += LANES) {
        vf half[WINOGRAD_IN][WINOGRAD_IN];
        ptrdiff_t at = c;
        EACH (j, size) {
            vf pixels[WINOGRAD_IN];
            REPEAT (i, size) pixels[i] = vf_load(x[i] + at);
            column(one, WINOGRAD_IN, pixels, half, j);
            at += t->pixel;
        }
        float *cells = t->cells + c;
        EACH (i, WINOGRAD_IN) {
            vf made[WINOGRAD_IN];
            one(half[i], made);
            REPEAT (j, WINOGRAD_IN) vf_store(cells + j * t->plane, made[j]);
            cells += WINOGRAD_IN * t->plane;
        }
    }
}

static void split_x(const struct winograd_split *t) { split_body(6, split_x_line, t); }
static void split_dy(const struct winograd_split *t) { split_body(4, split_dy_line, t); }

/* Columns of cells to columns of half-transformed ones. */
INLINE void join_columns(const float *cells, ptrdiff_t plane, vf (*half)[WINOGRAD_IN])
{
    EACH (j, WINOGRAD_IN) {
        vf column_cells[WINOGRAD_IN];
        REPEAT (i, WINOGRAD_IN) column_cells[i] = vf_load(cells + i * WINOGRAD_IN * plane);
        column(join_line, WINOGRAD_OUT, column_cells, half, j);
        cells += plane;
    }
}

struct join_sums {
    vf start[2], sum[2], square[2];
};

/* Bytes of a channel of y. */
INLINE ptrdiff_t join_size(const struct winograd_join *t) { return t->narrow ? 2 : 4; }

/* Stores pixels y[v][0], ..., y[v][cols - 1] of row i behind what is fused. */
INLINE void join_row(const int vectors, const int cols, const struct winograd_join *t, int i,
                     vf (*y)[WINOGRAD_OUT], struct join_sums *s)
{
    const ptrdiff_t size = join_size(t);
    const ptrdiff_t pixel = t->y_pixel * size;
    char *row = (char *)t->y + i * t->y_row * size;
#define AT(j, v) (row + (j)*pixel + (v)*LANES * size)
#define PIXELS                     \
    for (int j = 0; j < cols; j++) \
        for (int v = 0; v < vectors; v++)
    PIXELS y[v][j] += s->start[v];
    if (t->add && t->narrow) PIXELS y[v][j] += vf_load_bf16((const bf16 *)(void *)AT(j, v));
    if (t->add && !t->narrow) PIXELS y[v][j] += vf_load((const float *)(void *)AT(j, v));
    const vf cap = vf_cap(t->cap);
    if (t->relu) PIXELS y[v][j] = vf_min(cap, vf_max(vf_set(0), y[v][j]));
    if (t->sum) PIXELS
        {
            s->sum[v] += y[v][j];
            s->square[v] = vf_fma(y[v][j], y[v][j], s->square[v]);
        }
    if (t->narrow && t->stream)
        PIXELS vf_stream_bf16_one((bf16 *)(void *)AT(j, v), y[v][j]);
    else if (t->narrow)
        PIXELS vf_store_bf16((bf16 *)(void *)AT(j, v), y[v][j]);
    else if (t->stream)
        PIXELS vf_stream((float *)(void *)AT(j, v), y[v][j]);
    else
        PIXELS vf_store((float *)(void *)AT(j, v), y[v][j]);
#undef PIXELS
#undef AT
}

/* A processor waits for a line that it is to write unless it was asked for early enough. */
INLINE void join_near(const struct winograd_join *t)
{
    const ptrdiff_t size = join_size(t);
    for (int i = 0; t->next && i < t->rows; i++)
        REPEAT (j, WINOGRAD_OUT)
            __builtin_prefetch((const char *)t->next + (i * t->y_row + j * t->y_pixel) * size, 1,
                               3);
}

INLINE void join_body(const int vectors, const struct winograd_join *t)
{
    vf half[2][WINOGRAD_OUT][WINOGRAD_IN];
    struct join_sums s;
    join_near(t);
    REPEAT (v, vectors) {
        join_columns(t->cells + v * LANES, t->plane, half[v]);
        s.start[v] = s.sum[v] = s.square[v] = vf_set(0);
        if (t->start) s.start[v] = vf_load(t->start + v * LANES);
        if (!t->sum) continue;
        s.sum[v] = vf_load(t->sum + v * LANES), s.square[v] = vf_load(t->square + v * LANES);
    }
    EACH (i, t->rows) {
        vf y[2][WINOGRAD_OUT] = { 0 };
        REPEAT (v, vectors) join_line(half[v][i], y[v]);
        if (t->cols == WINOGRAD_OUT)
            join_row(vectors, WINOGRAD_OUT, t, i, y, &s);
        else
            join_row(vectors, t->cols, t, i, y, &s);
    }
    REPEAT (v, vectors)
        if (t->sum) {
            vf_store(t->sum + v * LANES, s.sum[v]);
            vf_store(t->square + v * LANES, s.square[v]);
        }
}

static void join(const struct winograd_join *t)
{
    if (t->vectors == 2)
        join_body(2, t);
    else
        join_body(1, t);
}

static void weights(const struct winograd_weights *t)
{
    for (int r = 0; r < t->rows; r++)
        for (int n = 0; n < t->width; n += LANES) {
            vf half[WINOGRAD_IN][WINOGRAD_IN];
            EACH (j, 3) {
                vf taps[3];
                REPEAT (i, 3) {
                    taps[i] = vf_load(t->w + (i * 3 + j) * t->tap + r * t->row + n);
                    if (t->scale) taps[i] *= vf_load(t->scale + n);
                }
                column(weights_line, WINOGRAD_IN, taps, half, j);
            }
            float *cells = t->cells + (ptrdiff_t)r * t->width + n;
            EACH (i, WINOGRAD_IN) {
                vf made[WINOGRAD_IN];
                weights_line(half[i], made);
                REPEAT (j, WINOGRAD_IN) vf_store(cells + j * t->plane, made[j]);
                cells += WINOGRAD_IN * t->plane;
            }
        }
}

/* The parts' sum of one cell. */
INLINE vf gradient_cell(const struct winograd_gradient *t, const float *cell)
{
    vf sum = vf_load(cell);
    for (int p = 1; p < t->parts; p++) sum += vf_load(cell + p * t->part);
    return sum;
}

static void gradient(const struct winograd_gradient *t)
{
    for (int r = 0; r < t->rows; r++)
        for (int n = 0; n < t->width; n += LANES) {
            const float *cells = t->cells + (ptrdiff_t)r * t->width + n;
            vf half[3][WINOGRAD_IN];
            EACH (j, WINOGRAD_IN) {
                vf sums[WINOGRAD_IN];
                REPEAT (i, WINOGRAD_IN)
                    sums[i] = gradient_cell(t, cells + (i * WINOGRAD_IN + j) * t->plane);
                column(gradient_line, 3, sums, half, j);
            }
            EACH (i, 3) {
                vf taps[3];
                gradient_line(half[i], taps);
                REPEAT (j, 3) {
                    float *dw = t->dw + (i * 3 + j) * t->tap + r * t->row + n;
                    vf_store(dw, vf_load(dw) + taps[j]);
                }
            }
        }
}

#define WINOGRAD_TABLE                                                              \
    {                                                                               \
        .split_x = split_x, .split_dy = split_dy, .join = join, .weights = weights, \
        .gradient = gradient,                                                       \
    }
