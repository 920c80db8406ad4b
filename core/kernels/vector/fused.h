#ifndef CORE_KERNELS_VECTOR_FUSED_H
#define CORE_KERNELS_VECTOR_FUSED_H
#include <stdbool.h>
#include <stddef.h>

/* The memory passes that stand between two convolutions once their plain ops are fused; part of
 * struct kernels, under the same rules. u is what a batch norm normalises, a and b [c] are its
 * scale and shift of it. Matrices (void *) are rows x c, of float or, in kernels->fused_bf16, of
 * bf16; whatever is per channel is float. A pitch is the elements from one row of a matrix to the
 * next, where that matrix is a slice of wider rows; 0: c. */

/* y = a x + b, or its ReLU, cap at most. */
struct norm_rows {
    void *y;
    const void *x;
    const float *a, *b;
    float *sum; /* [c] += y, before it is rounded; or NULL */
    size_t rows, c, y_pitch;
    bool relu;
    float cap; /* 0: none */
};

/* out = a u + sa s + b, or its ReLU; a or sa NULL: 1, b NULL: 0. An a without sa goes with u. out
 * may be u. */
struct sum_rows {
    void *out;
    const void *u, *s;
    const float *a, *sa, *b;
    float *sum; /* [c] += out, before it is rounded; or NULL */
    size_t rows, c;
    bool relu;
    bool stream; /* fused_streams: out goes to memory past the caches */
};

/* Its first backward pass: g = g + more, and where out is given 0 but for out > 0, in place;
 * sum += g, dot_u += g (u - mean_u), dot_s += g (s - mean_s). */
struct sum_grad_rows {
    void *g;
    const void *out; /* NULL: there is no ReLU */
    const void *u, *s;
    const float *mean_u, *mean_s;
    const float *more;          /* [c] or NULL: 0 */
    float *sum, *dot_u, *dot_s; /* [c]; any may be NULL, and its sum is then not made */
    size_t rows, c;
};

/* sum += dy + more, dot += (dy + more) (x - mean); with a and b only where relu(a x + b), cap at
 * most, let dy through does it count. */
struct norm_sums_rows {
    const void *dy, *x;
    const float *a, *b; /* [c]; both NULL: all counts */
    const float *mean;
    const float *more; /* [c] or NULL: 0 */
    float *sum, *dot;  /* [c] */
    size_t rows, c, dy_pitch;
    float cap; /* 0: none */
};

/* dx = alpha (dy + more) + beta x + gamma; with a and b only where relu(a x + b), cap at most, let
 * dy through does it count. dx may be dy, where that has no pitch. */
struct norm_grad_rows {
    void *dx;
    const void *dy, *x;
    const float *alpha, *beta, *gamma; /* [c] */
    const float *a, *b;                /* [c]; both NULL: all of dy counts */
    const float *more;                 /* [c] or NULL: 0 */
    size_t rows, c, dy_pitch;
    float cap;   /* 0: none */
    bool add;    /* dx += */
    bool stream; /* fused_streams: dx goes to memory past the caches; without add */
};

/* Whether a matrix of so many bytes and channels is written past the caches: above 16 MB it leaves
 * the third-level cache before it is read, and streaming stores save reading it first. Lies on
 * 64-byte boundaries. */
static inline bool fused_streams(size_t bytes, size_t c) { return bytes > 16 << 20 && c % 32 == 0; }

struct fused_kernels {
    void (*add)(void *y, const void *x, size_t n); /* y += x */
    void (*moments)(float *sum, float *square, const void *x, const float *shift, size_t rows,
                    size_t c); /* sum += x - shift, square += (x - shift)^2 */
    void (*norm)(const struct norm_rows *r);
    void (*sum)(const struct sum_rows *r);
    void (*sum_grad)(const struct sum_grad_rows *r);
    void (*norm_sums)(const struct norm_sums_rows *r);
    void (*norm_grad)(const struct norm_grad_rows *r);
};
#endif
