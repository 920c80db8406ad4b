#ifndef CORE_KERNELS_CONV_WINOGRAD_SPLIT_H
#define CORE_KERNELS_CONV_WINOGRAD_SPLIT_H
/* Tensors cut into blocks of tiles, and tiles split into cells. */
#include "core/kernels/conv/winograd/transforms.h"
#include "core/kernels/tiles/tiles.h"

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
    int size; /* 6: squares of x, overlapping, the first from -pad_top, -pad_left on; 4: of dy */
    int pad_top, pad_left;
    const float *scale, *shift; /* [c] or NULL, as in direct_copy */
    float cap;
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
#endif
