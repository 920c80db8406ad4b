#ifndef CORE_OPS_FUSED_H
#define CORE_OPS_FUSED_H
#include "core/ops/op.h"

/* The ops of a fused step; core/graph/fuse.c puts them in the place of plain ones. They compute
 * what batch_norm, relu, scale_channels, add and the global pools compute, in fewer memory passes:
 *   - a convolution leaves the sums of its output u per image and channel behind, so that a batch
 *     norm knows its statistics without reading u again;
 *   - y = a u + b (or its ReLU) is not written where its readers can work from u, a and b: y is
 *     then deferred (tensor.deferred);
 *   - a sum of up to three arms, each a tensor or deferred, each with a gate and a constant
 *     factor or without, is one
 *     pass forward and one backward, after which the gradients of gates, squeezes and norms follow
 *     per channel;
 *   - a squeeze reads no activation: the pass that writes one sums it;
 *   - a norm writes straight into its part of a concat's output (tensor.pitch).
 *
 * Who points to whom beside inputs (==>), in a residual block with a gate:
 *
 *            links.norm                links.sum
 *            +-------->           +-------------------->
 *     conv2d ==u==> fused_batch_norm ==y, deferred==> fused_sum ==out==> ...
 *            <--------+    ^  ^   |                      ^
 *            links.conv    |  |   +=> fused squeeze => gate's layers => gate
 *                          |  |            |
 *      y.producer: readers |  +------------+ links.squeezed: sums of u or y, the squeeze's gradient
 *      of a deferred y ----+
 */
extern const struct op op_fused_batch_norm; /* in: u, scale, shift, running mean, running variance;
                                             * attr: struct fused_norm_attr */
extern const struct op op_fused_global_avg_pool; /* in: tensors with producers that are squeezed;
                                                  * their means over the pixels, joined along the
                                                  * channels (n, 1, 1, c) */
extern const struct op op_fused_global_max_pool; /* in: a deferred y; its maximum */
extern const struct op op_fused_sum; /* in: two or three arms, their gates (n, 1, 1, c) or NULL;
                                      * attr: struct fused_sum_attr */
enum { ARM0, ARM1, ARM2, GATE0, GATE1, GATE2, ARMS = 3 };

struct fused_sum_attr {
    bool relu;          /* out = relu(f0 gate0 arm0 + f1 gate1 arm1 + f2 gate2 arm2), or without */
    float factor[ARMS]; /* f: constants */
};
struct squeeze_sums fused_sum_squeezed(const struct op_call *c);

enum squeeze { SQUEEZE_NONE, SQUEEZE_AVG, SQUEEZE_MAX };

struct fused_norm_attr {
    double momentum, epsilon; /* as batch_norm_attr, resolved */
    bool relu;                /* y = relu(a u + b), */
    float cap;                /* at most this; 0: no cap */
    enum squeeze squeeze;     /* what else reads y; SQUEEZE_MAX only where y is deferred */
};
struct squeeze_sums fused_norm_squeezed(const struct op_call *norm);

/* In an evaluation, a convolution that can takes the norm in: it writes y where it would have
 * written u, and the norm is left with a = 1, b = 0. */
bool fused_norm_folds(const struct op_call *norm);
void fused_norm_fold(const struct op_call *norm, float *scale, float *shift); /* y = scale u + shift
                                                                               */

/* What a norm keeps through a step, in its saved memory: n images, c channels. */
struct fused_norm_state {
    float *a, *b;                /* [c] y = a u + b */
    float *mean, *inverse;       /* [c] of u; inverse: 1 / sd */
    float *alpha, *beta, *gamma; /* [c] du = alpha dy + beta u + gamma */
    float *pivot; /* [c] training: what the convolution adds to its output, so that u lies near 0 */
    float *sum, *square; /* [n][c] of u and u^2; written by the convolution */
    float *gate;         /* [n][c] of the arm, for backward */
    float *dsum, *ddot;  /* [n][c] sums of g and g (u - mean), g the gradient that arrives */
    float *dsqueeze;     /* [n][c] avg: the squeeze's gradient for each pixel; max: its gradient */
    float *argmax;       /* [n][c] max: the number of the pixel that dsqueeze goes to */
    float *written;      /* [n][c] sums of y, where it is written and squeezed */
};
struct fused_norm_state fused_norm_state(const struct op_call *norm);

/* Whether a convolution must leave its sums in this step. */
bool fused_norm_wants_sums(const struct op_call *norm);

/* A batch norm is the same for u and for u + a constant of each channel. A training convolution
 * therefore adds -(running mean), and its own bias (NULL: 0), to what it computes, and u loses no
 * digits to a mean far from 0. Writes and returns state.pivot. */
const float *fused_norm_pivot(const struct op_call *norm, const float *bias);
#endif
