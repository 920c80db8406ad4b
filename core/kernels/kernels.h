#ifndef CORE_KERNELS_KERNELS_H
#define CORE_KERNELS_KERNELS_H
#include "core/kernels/vector/bf16.h"
#include "core/kernels/vector/fused.h"
#include "core/kernels/vector/maps.h"
#include <stdbool.h>
#include <stddef.h>

/* The inner loops, one table per instruction set; float32, raw pointers, no allocation, one
 * thread: callers cut the work into chunks (core/base/parallel.h). Pointers need no alignment.
 * A target may be one of the sources (add(x, x, y, n)); otherwise they do not overlap.
 * "rows x c" is a dense matrix of `rows` pixels with c channels; sums over rows run in row order,
 * so that equal chunks give equal bits. Names ending in _add add into their target.
 * NaN goes in, NaN comes out: a diverged run must show. */
/* The instruction sets, best first. */
enum isa {
#define ISA(name, runs_here) ISA_##name,
#include "core/kernels/isas.def"
#undef ISA
    ISA_COUNT
};

struct kernels {
    const char *isa;
    enum isa number; /* for other tables of one line an instruction set */
    int lanes;       /* floats in a vector register */

    /* n floats */
    void (*add)(float *y, const float *a, const float *b, size_t n);
    void (*axpy)(float *y, float a, const float *x, size_t n);       /* y += a x */
    void (*mul)(float *y, const float *a, const float *b, size_t n); /* y = a b */
    void (*sigmoid)(float *y, const float *x, size_t n); /* to 3e-7 relative for x > -87 */
    void (*sigmoid_grad_add)(float *dx, const float *dy, const float *y, size_t n);
    void (*tanh)(float *y, const float *x, size_t n); /* to 3e-7 relative */
    void (*tanh_grad_add)(float *dx, const float *dy, const float *y, size_t n);
    double (*sum_squares)(const float *x, size_t n);
    /* SGD (Sutskever et al. 2013, as PyTorch writes it): g' = g + decay w; m = momentum m + g';
     * w -= lr (nesterov ? g' + momentum m : m). */
    void (*sgd)(float *w, float *m, const float *g, size_t n, float lr, float momentum, float decay,
                bool nesterov);

    void (*widen)(float *y, const bf16 *x, size_t n);
    void (*narrow)(bf16 *y, const float *x, size_t n); /* to the nearest, ties to even */

    /* rows x c */
    void (*channel_sum)(float *sum, const float *x, size_t rows, size_t c); /* sum += */
    void (*channel_sums)(float *sum, float *squares, const float *x, const float *shift,
                         size_t rows, size_t c); /* of x - shift[c] and of its square, += */
    void (*channel_dots)(float *s1, float *s2, const float *dy, const float *x, const float *shift,
                         size_t rows, size_t c); /* s1 += sum dy, s2 += sum dy (x - shift[c]) */
    void (*affine)(float *y, const float *x, const float *a, const float *b, size_t rows,
                   size_t c); /* y = a[c] x + b[c] */
    void (*affine_grad_add)(float *dx, const float *dy, const float *x, const float *a,
                            const float *b, const float *d, size_t rows,
                            size_t c); /* dx += a[c] dy + b[c] x + d[c] */
    void (*row_add)(float *y, const float *v, size_t rows, size_t c); /* y += v[c] */

    /* One row into a running maximum: where x is larger (or NaN), max = x and at = number. */
    void (*max_row)(float *max, float *at, const float *x, float number, size_t c);

    const struct fused_kernels *fused, *fused_bf16; /* of matrices of float, of bf16 */
    const struct map_kernels *maps, *maps_bf16;
};

/* The table in use: the best this machine runs, unless kernels_use named another. */
extern const struct kernels *kernels;

/* isa NULL asks for the best. Returns NULL, and changes nothing, where this machine lacks it. */
const struct kernels *kernels_use(const char *isa);

/* The fused passes over tensors of either type. */
static inline const struct fused_kernels *fused_for(bool bf16_too)
{
    return bf16_too ? kernels->fused_bf16 : kernels->fused;
}

/* The passes over maps of either type. */
static inline const struct map_kernels *maps_for(bool bf16_too)
{
    return bf16_too ? kernels->maps_bf16 : kernels->maps;
}

/* What the arithmetic units can do at best: `steps` steps of kernels_peak_macs multiply-adds each,
 * on registers alone, by the calling thread; the result is only there to be used. bf16: of pairs of
 * bf16 where one instruction multiplies them, of floats elsewhere. */
float kernels_peak(bool bf16_pairs, long steps);
double kernels_peak_macs(bool bf16_pairs);

/* The i-th table that runs here, best first; NULL past the end. The last is always plain C. */
const struct kernels *kernels_at(int i);
#endif
