#ifndef CORE_OPS_OPS_H
#define CORE_OPS_OPS_H
#include "core/ops/op.h"

#define OP(name) extern const struct op op_##name;
#include "core/ops/ops.def"
#undef OP

enum op_id {
#define OP(name) OP_##name,
#include "core/ops/ops.def"
#undef OP
    OPS_COUNT
};

extern const struct op *const ops[OPS_COUNT];

/* The parameter structs. Zero is the usual value of every field unless it says otherwise. */
struct padding { /* rows and columns of zeros around an image */
    int top, bottom, left, right;
};
#define PADDING(all)       \
    {                      \
        all, all, all, all \
    }
struct conv2d_attr {
    int stride; /* 0 reads as 1 */
    struct padding pad;
    int groups; /* 0 reads as 1 */
};
struct batch_norm_attr {      /* momentum and epsilon are PyTorch's defaults: 0.1 and 1e-5 */
    double momentum, epsilon; /* 0 reads as the default */
};
double batch_norm_momentum(const struct batch_norm_attr *a); /* what they read as; a may be NULL */
double batch_norm_epsilon(const struct batch_norm_attr *a);
/* running += momentum (batch - running), one channel's statistic */
void batch_norm_move(float *running, double batch, double momentum);
struct pool_attr {
    int size, stride; /* of a square window; stride 0 reads as size */
    int pad;          /* max: cells that do not exist; avg: zeros that count, as in PyTorch */
};
struct dropout_attr {
    double rate; /* share of activations that become 0; the others are scaled by 1 / (1 - rate) */
};
struct softmax_loss_attr {
    double smoothing; /* label smoothing epsilon (Szegedy et al. 2016): 1 - e + e/K on the label */
};
struct pad_channels_attr { /* the parameter-free shortcut (He et al. 2016, option A): */
    int channels; /* subsample by stride, then zero channels on both sides up to this many */
    int stride;   /* 0 reads as 1 */
};
#endif
