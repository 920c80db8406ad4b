#ifndef CORE_KERNELS_CONV_WINOGRAD_WINOGRAD_H
#define CORE_KERNELS_CONV_WINOGRAD_WINOGRAD_H
/* Winograd's convolution F(4x4, 3x3), from the inside (Lavin and Gray, "Fast Algorithms for
 * Convolutional Neural Networks", 2016). A tile of 4x4 pixels of a 3x3 convolution of stride 1
 * takes 36 products a pair of channels instead of 144:
 * - y = A' [(G w G') * (B' x B)] A, with x of 6x6 pixels, w of 3x3 taps, y of 4x4 pixels;
 * - dw = G' [(B' x B) * (A dy A')] G, summed over tiles;
 * where * multiplies cell by cell. Over channels and many tiles each of the 36 cells is a product
 * of matrices, [tiles][in] [in][out], or [in][tiles] [tiles][out] for the weights, which the inner
 * loops of the direct convolution do (direct.h).
 *
 * The matrices interpolate at 0, 11/16, -11/16, 3/2, -3/2 and infinity: all sums of powers are
 * exact, and these points lose fewer digits than the usual 0, +-1, +-2 (Barabasz et al., "Error
 * Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", 2020, on
 * the choice of points).
 *
 * The transforms are written once (winograd_body.h) and compiled for each instruction set.
 * Everything else is plain C; cuts depend on the shape and the instruction set alone. */
#include "core/kernels/tiles/tiles.h"

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
    bool relu;                /* at last y = relu(y) */
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

#define ISA(name, runs_here) extern const struct winograd_isa winograd_##name;
#include "core/kernels/isas.def"
#undef ISA

/* Tiles of n images of so many rows and columns, cut into blocks of at most so many tiles, if a row
 * of tiles allows it: whole images, or rows of tiles of one. */
struct winograd_cut {
    int n;
    int tile_rows, tile_cols; /* of an image */
    int images, block_rows;   /* of a block */
    int row_blocks;           /* of an image; 1 where images > 1 */
    int blocks;
};
struct winograd_cut winograd_cut(int n, int rows, int cols, int most);

/* Block i. */
struct winograd_block {
    int image, images; /* first, how many */
    int row, rows;     /* of tiles */
    int tiles;
};
struct winograd_block winograd_block(const struct winograd_cut *c, int i);
static inline int winograd_block_tiles(const struct winograd_cut *c)
{
    return c->images * c->block_rows * c->tile_cols;
}

/* A tensor that is split: [n][h][w][c], channels [from, from + channels) of it. */
struct winograd_source {
    const struct direct_isa *isa;
    const void *x;
    bool is_bf16;
    int h, w, c;
    int from, channels;
    int size; /* 6: squares of x, overlapping, the first from -pad on; 4: of dy */
    int pad;
    const float *scale, *shift; /* [c] or NULL, as in direct_copy */
};

/* Floats from one to the next of so many channels each: those of many tiles are read one after the
 * other, and must not share the few sets of the first-level cache that a power of two would leave
 * them. */
static inline ptrdiff_t winograd_pitch(int channels)
{
    return channels % 128 ? channels : channels + DIRECT_LANES;
}

/* Where a block's tiles are split to: cell f of tile t's channels [from, from + panel) is at
 * cells[f plane + from tiles + t panel], for the panels in turn; in one panel of all channels,
 * tiles are their pitch apart. window is scratch of winograd_window(c, s) floats. */
struct winograd_cells {
    float *cells, *window;
    ptrdiff_t plane;
    int panel;
};
size_t winograd_window(const struct winograd_cut *c, const struct winograd_source *s);
void winograd_split_block(const struct winograd_cut *c, const struct winograd_block *b,
                          const struct winograd_source *s, const struct winograd_cells *to);

/* Floats from a cell to the next where each has so many: the cells of a tile must not share the few
 * sets of the first-level cache that a power of two would leave them. */
static inline ptrdiff_t winograd_plane(ptrdiff_t each) { return each + DIRECT_LANES; }

/* Groups of 2 or 8 channels are taken together to bundles of a vector: to groups whose weights
 * between channels of different groups are 0. How many a bundle has; and how many groups that
 * leaves. */
static inline int winograd_bundle(const struct conv_shape *s)
{
    const int c = s->c / s->groups;
    const bool small = c == s->k / s->groups && c > 1 && c < DIRECT_LANES;
    return small && DIRECT_LANES % c == 0 && s->c % DIRECT_LANES == 0 ? DIRECT_LANES / c : 1;
}
static inline int winograd_groups(const struct conv_shape *s)
{
    return s->groups / winograd_bundle(s);
}

/* Weights as a pass reads them: [panel of all groups or bundles][cell][in][width]. */
size_t winograd_packed(const struct conv_shape *s, enum conv_pass pass);
void winograd_pack(const struct conv_shape *s, const struct conv_packing *p);

size_t winograd_weights_work(const struct conv_shape *s);
void winograd_backward_weights(const struct conv_shape *s, const struct conv_call *c);
#endif
