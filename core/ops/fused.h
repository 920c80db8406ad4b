#ifndef CORE_OPS_FUSED_H
#define CORE_OPS_FUSED_H
#include "core/ops/op.h"

/* The ops of a fused step; core/graph/fuse.c puts them in the place of plain ones. They compute
 * what batch_norm, relu, scale_channels, add and the global pools compute, in fewer memory passes:
 *   - a convolution leaves the sums of its output u per image and channel behind, so that a norm
 *     knows its statistics, and a squeeze its means, without reading u again;
 *   - y = a u + b (or its ReLU) is not written where its readers can work from u, a and b: y is
 * then deferred (tensor.norm);
 *   - the end of a residual block is one pass forward, out = relu(gate0 arm0 + gate1 arm1), and one
 *     backward, after which the gradients of gates, squeezes and norms follow per channel. */
extern const struct op
    op_fused_batch_norm; /* in: u, scale, shift, running mean, running variance */
extern const struct op
    op_fused_global_avg_pool; /* in: a deferred y; its mean over the pixels (n, 1, 1, c) */
extern const struct op op_fused_global_max_pool; /* its maximum */
extern const struct op op_fused_sum; /* in: arm 0, arm 1, their gates (n, 1, 1, c) or NULL */
enum { ARM0, ARM1, GATE0, GATE1 };

/* In an evaluation, a convolution that can takes the norm in: it writes y where it would have
 * written u, and the norm is left with a = 1, b = 0. */
bool fused_norm_folds(const struct op_call *norm);
void fused_norm_fold(const struct op_call *norm, float *scale,
                     float *shift); /* y = scale u + shift */

enum norm_squeeze { SQUEEZE_NONE, SQUEEZE_AVG, SQUEEZE_MAX };

struct fused_norm_attr {
    double momentum, epsilon;     /* as batch_norm_attr, resolved */
    bool relu;                    /* y = relu(a u + b) */
    const struct op_call *folder; /* the convolution that makes u, where it may take the norm in */
    const struct op_call *end; /* the fused_sum that reads y, or NULL: y's gradient is a tensor */
    int arm;                   /* of end */
    enum norm_squeeze squeeze; /* what else reads y */
};

/* What a norm keeps through a step, in its saved memory: n images, c channels. */
struct fused_norm_state {
    float *a, *b;                /* [c] y = a u + b */
    float *mean, *inverse;       /* [c] of u; inverse: 1 / sd */
    float *alpha, *beta, *gamma; /* [c] du = alpha dy + beta u + gamma */
    float *pivot; /* [c] training: what the convolution adds to its output, so that u lies near 0 */
    float *sum, *square;      /* [n][c] of u and u^2; written by the convolution */
    float *gate;              /* [n][c] of the arm, for backward */
    float *dsum, *ddot;       /* [n][c] sums of g and g (u - mean), g the gradient that arrives */
    float *dsqueeze, *argmax; /* [n][c] avg: the squeeze's gradient for each pixel; max: its
                               * gradient, and the number of the pixel that it goes to */
};
size_t fused_norm_state_len(int n, int c);
struct fused_norm_state fused_norm_state(const struct op_call *norm);

/* Whether a convolution must leave its sums in this step. */
bool fused_norm_wants_sums(const struct op_call *norm);

/* A batch norm is the same for u and for u + a constant of each channel. A training convolution
 * therefore adds -(running mean), and its own bias (NULL: 0), to what it computes, and u loses no
 * digits to a mean far from 0. Writes and returns state.pivot. */
const float *fused_norm_pivot(const struct op_call *norm, const float *bias);
#endif
