#ifndef CORE_KERNELS_CONV_H
#define CORE_KERNELS_CONV_H
#include <stdbool.h>
#include <stddef.h>

/* Convolutions of NHWC float32 tensors. Weights are (kh, kw, c / groups, k), k fastest. */
struct conv_shape {
    int n, h, w, c;          /* input: images, rows, columns, channels */
    int k, kh, kw;           /* output channels, kernel rows and columns */
    int stride, pad, groups; /* the same in both directions; pad: zeros on each side */
    int oh, ow;              /* output rows and columns: (h + 2 pad - kh) / stride + 1 */
};

/* One way of computing them. Work is cut into chunks by the shape alone and partial sums are
 * added in a fixed order: the bits do not depend on the number of threads. */
struct conv_kernels {
    const char *name;
    bool (*takes)(const struct conv_shape *s); /* NULL: every shape */
    size_t (*work)(
        const struct conv_shape *s); /* floats of work memory that the calls below need */
    void (*forward)(const struct conv_shape *s, float *y, const float *x, const float *w,
                    const float *bias, float *work); /* bias[k] or NULL */
    void (*backward_data)(const struct conv_shape *s, float *dx, const float *dy, const float *w,
                          float *work); /* dx += */
    void (*backward_weights)(const struct conv_shape *s, float *dw, const float *dy, const float *x,
                             float *work); /* dw += */
};

/* im2col and OpenBLAS: every shape, on every machine. The yardstick of all others. */
extern const struct conv_kernels conv_reference;

/* One filter a channel (groups = c = k): vectors along the channels, no products of matrices. */
extern const struct conv_kernels conv_depthwise;

/* The best for this shape, unless conv_use named one that takes it. */
const struct conv_kernels *conv_for(const struct conv_shape *s);
bool conv_use(const char *name); /* NULL: the best again; false where there is none of that name */

/* The i-th way, best first; NULL past the end. The last is always conv_reference. */
const struct conv_kernels *conv_at(int i);
#endif
