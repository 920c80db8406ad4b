#ifndef CORE_KERNELS_TILES_TILES_H
#define CORE_KERNELS_TILES_TILES_H
/* The direct convolution, from the inside. Two inner loops do all arithmetic:
 *   tile:  a few pixels times a panel of weights, summed over taps and channels;
 *   outer: outer products of two pixel rows' channels, summed over pixels (weight gradients).
 * Both exist for floats and for pairs of bf16: a pair is one element of 32 bits, moved about as a
 * float is, and a multiplication of two of them adds both products to a float. A tile's pairs are
 * neighbouring channels, an outer product's the same channel of two images; but for how copies and
 * panels are made, nothing else differs.
 * They are written once (tiles_body.h) and compiled for each instruction set into a struct
 * direct_isa. Everything else (direct_*.c) is plain C that cuts a convolution into calls of them:
 * cuts depend on the shape and the instruction set, never on the number of threads. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DIRECT_LANES = 16,               /* the widest vector of any set, in floats */
    DIRECT_WIDTH = 2 * DIRECT_LANES, /* the widest panel of any set */
    DIRECT_LINE = 64,                /* bytes of a line of the caches */
    DIRECT_ROWS = 16,                /* the most pixels in a tile of any set */
    DIRECT_PEAK = 12,     /* independent sums of the peak loop: fewer than any set's registers,
                           * more than latency times units (4 x 2) */
    DIRECT_ALIASED = 512, /* floats (2 KiB): rows this far apart share two of the first-level
                           * cache's sets; a copy of them leaves a gap of a line after each */
    DIRECT_TASKS = 16,    /* fewer tasks than this are cut further where that is cheap */
    DIRECT_STREAMED = 16 << 20, /* bytes: a larger output leaves the caches before anyone reads it
                                 * again; it is written past them, which saves reading it first */
};

/* Memory that will be read soon, asked for line by line while the arithmetic units are busy: all at
 * once would hold up the loads of the moment. Only ever a hint. */
struct direct_ahead {
    const char *x;  /* the next line */
    ptrdiff_t skip; /* bytes from the end of a run of lines to the next run */
    int lines;      /* of a run, */
    int run;        /* of this run, still to come */
    int left;       /* of all runs, still to come */
};

/* y[m][width] = start + sum over taps t, depth d of x[m][taps[t] + d] panel[t][d][width].
 * Pixels come in two halves, so that two short image rows can share a tile. */
struct direct_tile {
    const float *x[2];     /* first pixel of each half */
    ptrdiff_t x_pixel;     /* elements from a pixel to the next of its half */
    const ptrdiff_t *taps; /* where each tap's elements begin, from the pixel */
    int n_taps, depth;     /* elements in a tap */
    const float *panel;    /* [n_taps][depth][width] */
    const float *start;    /* [width], NULL: 0 */
    void *y[2];
    ptrdiff_t y_pixel;         /* channels */
    float *sum[2], *square[2]; /* [width] of each half: += y and y^2 over its pixels, before y is
                                * rounded; sum[0] NULL: none */
    bool narrow;               /* y is bf16 */
    bool add;                  /* y += */
    bool relu;                 /* at last y = relu(y), cap at most; without sums */
    float cap;                 /* 0: none */
    bool stream; /* y goes to memory past the caches: lies on whole vectors, is not added to; two
                  * vectors wide where narrow */
    struct direct_ahead *ahead;
    int ahead_lines; /* to ask for meanwhile; 0: ahead may be NULL */
};

/* d[m][width] = sum over rows r, pixels p of a[r][p][m] b[r][p][width]. */
struct direct_outer {
    const float *a, *b;
    const ptrdiff_t *a_rows, *b_rows; /* where each row begins */
    ptrdiff_t a_pixel, b_pixel;       /* floats from a pixel to the next */
    int rows, pixels;
    float *d;
    ptrdiff_t d_row; /* floats from d[m] to d[m + 1] */
    bool add;        /* d += */
    struct direct_ahead *ahead;
    int ahead_lines; /* as in direct_tile */
};

/* A convolution in groups of as many input as output channels that fit a vector (depthwise: one):
 * lane l of a vector of y needs the channels of its own group only, which lie in the same lanes of
 * x. For every l of `channels`, the sum over tap rows r, columns s < span, channels i < group:
 *
 *     y[p][l] = start[l] + sum of x[x_at] w[w_at]
 *     x_at = x_rows[r] + (stride p + s) x_pixel + l - l % group + i
 *     w_at = w_rows[r] + s w_column + i w_channel + l
 *
 * Their weight gradient: dw[w_at] += the sum over the pixels p of y[p][l] x[x_at]. */
struct direct_depthwise {
    const float *x, *w, *start; /* start NULL: 0 */
    float *dw;                  /* of the weight gradient only, which reads y */
    ptrdiff_t x_pixel, w_column, w_channel;
    const ptrdiff_t *x_rows, *w_rows;
    int rows, group;
    void *y;
    ptrdiff_t y_pixel;   /* channels */
    float *sum, *square; /* += y and y^2 over the pixels, before y is rounded; NULL: none */
    int channels;        /* of y, start, sum and square, a vector at a time */
    bool narrow;         /* y is bf16 */
    bool add;            /* y += */
    bool stream;         /* as in direct_tile */
    struct direct_ahead *ahead;
    int ahead_lines; /* as in direct_tile */
};

enum {
    DEPTHWISE_ONE,
    DEPTHWISE_PAIR,
    DEPTHWISE_TRIPLE,
    LANES_TRIPLE_2,
    DEPTHWISE_SPANS
}; /* span 1, 2, 3; 3 with stride 2 */

/* What a copy is made from and of. */
enum direct_kind {
    DIRECT_FLOATS,      /* floats */
    DIRECT_WIDEN,       /* floats of bf16 */
    DIRECT_PAIRS,       /* pairs of neighbouring channels of bf16 */
    DIRECT_IMAGE_PAIRS, /* pairs of the same channel of two tensors of bf16 */
    DIRECT_ROUND,       /* the same of two tensors of floats */
    DIRECT_KINDS
};

/* Channels of consecutive pixels copied: out[p][i] = x[p][i], or relu(scale[i] x[p][i] + shift[i]),
 * cap at most. */
struct direct_copy {
    float *out;
    const void *x, *x2;           /* x2: the second image of a pair, NULL: 0 */
    ptrdiff_t out_pixel, x_pixel; /* from a pixel to the next, elements and channels */
    int pixels, c;                /* c: channels */
    const float *scale, *shift;   /* [c] or NULL */
    float cap;                    /* 0: none */
};

struct direct_isa {
    const char *isa;
    bool pairs; /* of bf16 are multiplied in one instruction */
    int lanes;
    int cache; /* floats that one task keeps in the second-level cache: half of what the smallest of
                * today's AVX-512 cores has, three eighths of what AVX2 cores have */
    int tile_rows[3];  /* [v]: the most pixels of a tile whose panel is v vectors wide */
    int outer_rows[4]; /* [v]: the most m of an outer product v vectors wide */
    /* [of pairs][v][pixels] and [of pairs][v][m] */
    void (*tile[2][3][DIRECT_ROWS + 1])(const struct direct_tile *t);
    void (*outer[2][4][DIRECT_ROWS + 1])(const struct direct_outer *o);
    /* y, and what it adds to dw: [group > 1][span][pixels], for the pixel counts in
     * depthwise_pixels (descending, 0 at the end) */
    void (*depthwise_tile[2][DEPTHWISE_SPANS][DIRECT_ROWS + 1])(const struct direct_depthwise *t);
    void (*depthwise_outer[2][DEPTHWISE_SPANS][DIRECT_ROWS + 1])(const struct direct_depthwise *t);
    int depthwise_pixels[8];
    void (*copy[DIRECT_KINDS])(const struct direct_copy *c);
    /* DIRECT_PEAK multiply-adds of whole vectors a step, of floats and of pairs, on registers only:
     * what the arithmetic units can do at best */
    float (*peak)(long steps), (*peak_bf16)(long steps);
};

#define ISA(name, runs_here)                      \
    extern const struct direct_isa direct_##name; \
    float peak_##name(long steps);                \
    float peak_bf16_##name(long steps);
#include "core/kernels/isas.def"
#undef ISA

/* The table of the instruction set in use. */
const struct direct_isa *direct_isa(void);

static inline int direct_min(int a, int b) { return a < b ? a : b; }
static inline int direct_max(int a, int b) { return a > b ? a : b; }
static inline int direct_div_up(int a, int b) { return (a + b - 1) / b; }
static inline int direct_round_up(int a, int b) { return direct_div_up(a, b) * b; }

/* Part i of `length` cut into `parts` that differ by one at most: the longer ones first. */
static inline int direct_part(int length, int parts, int i)
{
    return length / parts + (i < length % parts);
}

/* The width of the panel at column n0 of so many. */
static inline int direct_panel_width(const struct direct_isa *isa, int columns, int n0)
{
    return direct_min(2 * isa->lanes, direct_round_up(columns - n0, isa->lanes));
}

/* Floats of a pixel of c channels in a copy of which one vector a pixel is read at a time: whole
 * vectors, and a line more where pixels would share a few of the first-level cache's sets. */
static inline int direct_pixel(int c, int lanes)
{
    const int len = direct_round_up(c, lanes);
    return len % 128 ? len : len + DIRECT_LANES;
}

/* How far `channels` of a tensor reach, in bytes. */
static inline ptrdiff_t direct_bytes(bool is_bf16, ptrdiff_t channels)
{
    return channels * (is_bf16 ? 2 : 4);
}

/* Whether an output of so many bytes is written past the caches, as far as size and place go. */
static inline bool direct_streams(const void *out, ptrdiff_t bytes)
{
    return bytes > DIRECT_STREAMED && (uintptr_t)out % DIRECT_LINE == 0;
}

/* A rectangle of one image, copied out with zeros where it overlaps the border. */
struct direct_window {
    const struct direct_isa *isa;
    enum direct_kind kind;
    const void *x, *x2; /* the image: [h][w][c]; and the other of its pair */
    int h, w, c;
    int row, col;               /* of its first pixel; may be negative */
    int rows, cols, step;       /* how many, and every how manyth */
    int from, channels;         /* of each pixel: c is cut to [from, from + channels) */
    ptrdiff_t pixel;            /* elements from a pixel to the next in the copy; rows are dense */
    const float *scale, *shift; /* [c] or NULL, as in direct_copy */
    float cap;
};
void direct_window_copy(const struct direct_window *w, float *out);

/* `pixels` times `bytes`, `apart` bytes from one pixel to the next. */
static inline struct direct_ahead direct_pixels_ahead(const void *x, int pixels, int bytes,
                                                      ptrdiff_t apart)
{
    if (apart == bytes) bytes *= pixels, apart = bytes, pixels = pixels > 0;
    const int lines = direct_div_up(bytes, DIRECT_LINE);
    return (struct direct_ahead){ x, apart - (ptrdiff_t)lines * DIRECT_LINE, lines, lines,
                                  lines * pixels };
}

/* A matrix stored by columns: valid columns of `rows` elements, `apart` elements from one to the
 * next. */
struct direct_columns {
    const float *w;
    int rows, valid;
    ptrdiff_t apart;
};

/* A panel of them: out[row][width] = the columns, then zeros. */
void direct_pack_columns(float *out, const struct direct_columns *from, int width);

/* A copy whose pixels are filled up with zeros, to out_pixel elements. Not for
 * DIRECT_PAIRS. */
void direct_copy_filled(const struct direct_isa *isa, enum direct_kind kind,
                        const struct direct_copy *c);
#endif
