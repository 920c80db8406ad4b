#ifndef CORE_KERNELS_CONV_DIRECT_DENSE_BLOCK_H
#define CORE_KERNELS_CONV_DIRECT_DENSE_BLOCK_H
/* Between the two halves of the dense convolution: dense.c cuts the output into tasks and
 * their pixels into tiles, dense_block.c multiplies the tiles with panels of weights. */
#include "core/kernels/conv/conv.h"
#include "core/kernels/tiles/tiles.h"

/* A pass, as its tasks see it. "In" is what taps read, "out" what is written: x and y of a forward,
 * dy and dx of a backward pass. */
struct dense {
    const struct direct_isa *isa;
    const struct conv_shape *s;
    const struct conv_call *call;
    bool forward;
    bool pairs;             /* of bf16 channels: elements */
    bool bf16_in, bf16_out; /* what tensors are stored as */
    const void *in;
    void *out;
    int h, w, c;        /* in */
    int oh, ow, k;      /* out */
    int elements;       /* of an in-pixel: channels, or pairs of them */
    int depth, columns; /* of a group: elements in, channels out */
    int step;           /* in-pixels from one out-pixel of a phase to the next */
    int phases;         /* in each direction: out-pixels from one of a phase to the next */
    int rows, cols;     /* of a phase, the most */
    int top, bottom, left, right; /* the in-pixels that out-pixel 0 of any phase sees: rows [top,
                                   * bottom], columns [left, right] */
    bool point;                   /* a 1x1 kernel: the copy leaves out what no tap reads */
    bool flat;                    /* ... and rows follow each other without a gap, in and out */
    bool in_place;                /* ... and so does the input itself */
    bool stream;                  /* out is written past the caches */
    ptrdiff_t pixel;              /* elements from a pixel to the next of the copy */
    int images, row_blocks, block_rows, column_groups, group_panels; /* of a task */
    int n_panels;                                                    /* of all groups */
    int tasks;
    const float *panels;
    float *partial; /* [n][row_blocks][2][k]: sums and squares, or NULL */
};

/* Up to DIRECT_ROWS pixels of the output. */
struct dense_tile {
    const float *x[2];
    char *y[2];
    float *sums[2]; /* [2][k] of the pixel's image */
    int rows;
};

/* A panel of a block: where its columns and those of x and the weights begin. */
struct dense_panel {
    int width, valid; /* columns, and how many of them exist */
    int x, y;         /* channels: the first read, the first written */
    const float *weights;
};

/* The work of one task on one phase: all tiles with all panels. */
struct dense_block {
    const struct dense *d;
    struct dense_tile *tiles;
    int count;
    ptrdiff_t *taps;
    int n_taps, depth;
    const float *weights;       /* of the phase, packed */
    struct dense_panel *panels; /* scratch for those of the block */
    int phase_taps;             /* before neighbours are taken as one */
    int from, to;               /* panels */
    int phases_left;            /* of the task, this one counted */
    struct direct_ahead *next;  /* what the task after this one reads, */
    int next_lines;             /* and how much of it each tile asks for */
};

/* In-pixels apart in the copy of neighbours in a phase. */
static inline int dense_copy_step(const struct dense *d) { return d->point ? 1 : d->step; }

/* All tiles of the block with its panels [from, to); sets next_lines. */
void direct_dense_block(struct dense_block *b);
#endif
