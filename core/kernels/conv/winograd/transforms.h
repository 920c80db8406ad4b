#ifndef CORE_KERNELS_CONV_WINOGRAD_TRANSFORMS_H
#define CORE_KERNELS_CONV_WINOGRAD_TRANSFORMS_H
/* Winograd's convolution F(4x4, 3x3), from the inside (Lavin and Gray, "Fast Algorithms for
 * Convolutional Neural Networks", 2016). A tile of 4x4 pixels of a 3x3 convolution of stride 1
 * takes 36 products a pair of channels instead of 144:
 * - y = A' [(G w G') * (B' x B)] A, with x of 6x6 pixels, w of 3x3 taps, y of 4x4 pixels;
 * - dw = G' [(B' x B) * (A dy A')] G, summed over tiles;
 * where * multiplies cell by cell. Over channels and many tiles each of the 36 cells is a product
 * of matrices, [tiles][in] [in][out], or [in][tiles] [tiles][out] for the weights, which the inner
 * loops of the direct convolution do (tiles.h).
 *
 * The matrices interpolate at 0, 11/16, -11/16, 3/2, -3/2 and infinity: all sums of powers are
 * exact, and these points lose fewer digits than the usual 0, +-1, +-2 (Barabasz et al., "Error
 * Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", 2020, on
 * the choice of points).
 *
 * The transforms are written once (transforms_body.h) and compiled for each instruction set.
 * Everything else is plain C; cuts depend on the shape and the instruction set alone. */
#include "core/kernels/kernels.h"
#include <stdbool.h>
#include <stddef.h>

enum {
    WINOGRAD_OUT = 4,                           /* pixels of a tile's side */
    WINOGRAD_IN = 6,                            /* and of what it sees: cells of its side */
    WINOGRAD_CELLS = WINOGRAD_IN * WINOGRAD_IN, /* 36 */
    WINOGRAD_TAPS = 9,
};

/* Pixels of a tile to its cells: cells[f][channel] for a square of 6x6 pixels (B' x B) or of 4x4
 * (A dy A'). */
struct winograd_split {
    const float *x[WINOGRAD_IN]; /* the first pixel of each row */
    ptrdiff_t pixel;             /* floats from a pixel to the next */
    float *cells;                /* of this tile */
    ptrdiff_t plane;             /* floats from a cell to the next */
    int channels;                /* whole vectors */
};

/* Cells to the tile's pixels: y = A' cells A, and what is fused after it. */
struct winograd_join {
    const float *cells; /* [f][vectors] */
    ptrdiff_t plane;
    int vectors;    /* 1 or 2 */
    int rows, cols; /* of the tile that exist in y */
    void *y;
    ptrdiff_t y_row, y_pixel; /* channels */
    const float *start;       /* [vectors], added; NULL: 0 */
    float *sum, *square;      /* [vectors]: += y and y^2, before y is rounded; NULL: none */
    bool narrow;              /* y is bf16 */
    bool add;                 /* y += */
    bool relu;                /* at last y = relu(y), cap at most */
    float cap;                /* 0: none */
    bool stream;              /* past the caches: y lies on whole vectors, is not added to */
    const void *next;         /* the y of the tile after this one, to be brought near; or NULL */
};

/* Rows of one panel of weights: cells[f][row][width] = G (scale w) G', from w[tap][row][width]. */
struct winograd_weights {
    const float *w;
    ptrdiff_t tap, row; /* floats from a tap, from a row to the next; tap may be negative */
    const float *scale; /* [width] or NULL */
    int rows, width;    /* width: whole vectors */
    float *cells;
    ptrdiff_t plane;
};

/* dw[tap][row][width] += G' (sum over parts of cells[part][f][row][width]) G. */
struct winograd_gradient {
    const float *cells;
    ptrdiff_t plane, part; /* floats from a cell, from a part to the next */
    int parts, rows, width;
    float *dw;
    ptrdiff_t tap, row;
};

struct winograd_isa {
    void (*split_x)(const struct winograd_split *t);
    void (*split_dy)(const struct winograd_split *t);
    void (*join)(const struct winograd_join *t);
    void (*weights)(const struct winograd_weights *t);
    void (*gradient)(const struct winograd_gradient *t);
};

/* The transforms of the instruction set in use. */
const struct winograd_isa *winograd_isa(void);
#endif
