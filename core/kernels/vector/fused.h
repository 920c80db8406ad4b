#ifndef CORE_KERNELS_VECTOR_FUSED_H
#define CORE_KERNELS_VECTOR_FUSED_H
#include <stdbool.h>
#include <stddef.h>

/* The memory passes that stand between two convolutions once their plain ops are fused; part of
 * struct kernels, under the same rules. u is a convolution's raw output, a and b [c] are batch
 * norm's scale and shift of it. Matrices (void *) are rows x c, of float or, in
 * kernels->fused_bf16, of bf16; whatever is per channel is float. */

/* out = relu(a u + sa s + b), the end of a residual block; a or sa NULL: 1, b NULL: 0. */
struct residual_rows {
    void *out;
    const void *u, *s;
    const float *a, *sa, *b;
    size_t rows, c;
    bool stream; /* fused_streams: out goes to memory past the caches */
};

/* Its first backward pass: g = out > 0 ? g : 0 in place, sum += g, dot_u += g (u - mean_u),
 * dot_s += g (s - mean_s). */
struct residual_grad_rows {
    void *g;
    const void *out, *u, *s;
    const float *mean_u, *mean_s;
    float *sum, *dot_u, *dot_s; /* [c]; any may be NULL, and its sum is then not made */
    size_t rows, c;
};

/* sum += dy, dot += dy (x - mean); with a and b only where relu(a x + b) let dy through does dy
 * count. */
struct norm_sums_rows {
    const void *dy, *x;
    const float *a, *b; /* [c]; both NULL: all of dy counts */
    const float *mean;
    float *sum, *dot; /* [c] */
    size_t rows, c;
};

/* dx = alpha dy + beta x + gamma; with a and b only where relu(a x + b) let dy through does dy
 * count. dx may be dy. */
struct norm_grad_rows {
    void *dx;
    const void *dy, *x;
    const float *alpha, *beta, *gamma; /* [c] */
    const float *a, *b;                /* [c]; both NULL: all of dy counts */
    size_t rows, c;
    bool stream; /* fused_streams: dx goes to memory past the caches */
};

/* Whether a matrix of so many bytes and channels may be written past the caches, and should: it is
 * larger than what will be left of it in a third-level cache, so that reading it in before it is
 * overwritten is a waste. It lies on 64-byte boundaries. */
static inline bool fused_streams(size_t bytes, size_t c) { return bytes > 16 << 20 && c % 32 == 0; }

struct fused_kernels {
    void (*add)(void *y, const void *x, size_t n); /* y += x */
    void (*norm)(void *y, const void *x, const float *a, const float *b, size_t rows,
                 size_t c); /* y = a x + b */
    void (*norm_relu)(void *y, const void *x, const float *a, const float *b, size_t rows,
                      size_t c); /* y = relu(a x + b) */
    void (*residual)(const struct residual_rows *r);
    void (*residual_grad)(const struct residual_grad_rows *r);
    void (*norm_sums)(const struct norm_sums_rows *r);
    void (*norm_grad)(const struct norm_grad_rows *r);
};
#endif
