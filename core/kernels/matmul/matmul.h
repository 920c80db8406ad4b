#ifndef CORE_KERNELS_MATMUL_MATMUL_H
#define CORE_KERNELS_MATMUL_MATMUL_H
#include <stdbool.h>
#include <stddef.h>

/* The products of a linear layer, by the register tiles of the instruction set in use (tiles.h).
 * All matrices are dense, row by row. Work is cut by the shape alone and every sum is taken in the
 * order of its index: bits depend on the shape and the instruction set, never on the number of
 * threads; those of a row of y not even on the number of rows, so that an evaluation may take its
 * batch in slices. Weights are packed a cache's worth at a time: no second copy of them is made.
 *
 * A product reads the fields it names; every other one may stay zero. */
struct matmul {
    int m, k, n;       /* rows of the batch, inputs, outputs */
    const float *x;    /* [m][k]        forward, backward_weights */
    const float *w;    /* [k][n]        forward, backward_data */
    const float *bias; /* [n], or NULL  forward */
    const float *dy;   /* [m][n]        backward_data, backward_weights */
    float *y;          /* [m][n]        forward:          y = x w + bias */
    float *dx;         /* [m][k]        backward_data:    dx += dy w^T */
    float *dw;         /* [k][n]        backward_weights: dw += x^T dy */
    bool overwrite;    /* backward_data: dx = instead of dx += */
    float *work;       /* matmul_work floats, of use within the call  backward_data */
};
void matmul_forward(const struct matmul *layer);
void matmul_backward_data(const struct matmul *layer);
void matmul_backward_weights(const struct matmul *layer);
size_t matmul_work(const struct matmul *layer); /* of its m, k and n, which stay the same */
#endif
