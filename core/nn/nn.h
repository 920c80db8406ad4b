#ifndef CORE_NN_NN_H
#define CORE_NN_NN_H
#include "core/graph/graph.h"
#include "core/ops/attrs.h"

/* The calls a model is written in: they make their parameters and apply ops. After the first
 * refusal every call returns NULL and `e` keeps that first reason, so a model reads without an if
 * and whoever builds it checks once, at the end. */
struct net {
    struct graph *graph;
    const struct se_settings *se;      /* what se_apply inserts */
    int stage;                         /* of the paper; set through net_stage */
    struct batch_norm_attr batch_norm; /* of the norms added from now on; zeros: PyTorch's */
    bool he_fan_in;         /* so begin the convolutions added from now on; not: fan-out */
    unsigned se_placements; /* bit p: SE blocks can stand at enum se_placement p */
    unsigned se_stages;     /* bit k: stage k has places at se->placement */
    struct err e;
    bool failed;
};

void net_stage(struct net *n, int stage);

/* A name such as layer1.0.conv1; it lives as long as the graph. */
const char *net_name(struct net *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Layers are named by path: nn_conv(n, x, "layer1.0.conv1", ...) makes layer1.0.conv1.weight. */
enum conv_padding {
    CONV_HALF, /* kernel / 2 on both sides: what torchvision's layers have */
    CONV_VALID,
    CONV_SAME, /* as TensorFlow: out = ceil(in / stride), the odd zero at the bottom and the right
                */
    CONV_SHIFT /* reads the pixels one further up and left than CONV_HALF does: of a 1 x 1 kernel of
                * stride s those at -1, s - 1, 2 s - 1, ..., as the second path of Shake-Shake's
                * shortcuts (Gastaldi 2017) */
};
struct conv_layer {
    int channels, kernel, stride, groups; /* stride, groups 0 read as 1 */
    int kernel_w;                         /* columns, where the kernel is no square; 0: kernel */
    enum conv_padding padding;
    bool bias;
    bool uniform; /* weights begin as those of a linear layer, not He normal */
};
struct tensor *nn_conv(struct net *n, struct tensor *x, const char *name, struct conv_layer l);
struct tensor *nn_batch_norm(struct net *n, struct tensor *x, const char *name);
struct linear_layer {
    int out;
    bool bias;
    bool as_conv; /* checkpoints know its weights as those of a 1 x 1 convolution */
};
struct tensor *nn_linear(struct net *n, struct tensor *x, const char *name, struct linear_layer l);
/* The same of all that an image's map holds (VGG's first). The weights are (h, w, c, out); a
 * checkpoint knows them as (out, c h w), in the order of PyTorch's flatten: channel, row, column;
 * as those of a convolution with as_conv, (out, c, h, w), which are the same numbers. */
struct tensor *nn_flatten_linear(struct net *n, struct tensor *x, const char *name,
                                 struct linear_layer l);
struct tensor *nn_relu(struct net *n, struct tensor *x);
struct tensor *nn_relu6(struct net *n, struct tensor *x);
struct tensor *nn_sigmoid(struct net *n, struct tensor *x);
struct tensor *nn_tanh(struct net *n, struct tensor *x);
struct tensor *nn_add(struct net *n, struct tensor *a, struct tensor *b);
/* shortcut + scale branch, scale not 0: residual scaling */
struct tensor *nn_add_scaled(struct net *n, struct tensor *shortcut, struct tensor *branch,
                             double scale);
struct tensor *nn_average(struct net *n, struct tensor *a, struct tensor *b); /* (a + b) / 2 */
struct tensor *nn_maximum(struct net *n, struct tensor *a, struct tensor *b);
/* a and b mixed by a random share; their average in an evaluation. */
struct tensor *nn_shake(struct net *n, struct tensor *const in[2], struct shake_attr how);
struct tensor *nn_channel_shuffle(struct net *n, struct tensor *x, int groups);
/* n >= 2 tensors along their channels, in this order. */
struct tensor *nn_concat(struct net *n, int count, struct tensor *const *in);
struct tensor *nn_scale_channels(struct net *n, struct tensor *x, struct tensor *gate);
/* 3 x 3 of stride 2: { 3, 2, 1 } in torchvision, { 3, 2, .ceil = true } in Caffe. */
struct tensor *nn_max_pool(struct net *n, struct tensor *x, struct pool_attr window);
struct tensor *nn_avg_pool(struct net *n, struct tensor *x, struct pool_attr window);
struct tensor *nn_global_avg_pool(struct net *n, struct tensor *x);
struct tensor *nn_global_max_pool(struct net *n, struct tensor *x);
struct tensor *nn_dropout(struct net *n, struct tensor *x, double rate);
struct tensor *nn_pad_channels(struct net *n, struct tensor *x, int channels, int stride);
struct tensor *nn_softmax_loss(struct net *n, struct tensor *logits, struct tensor *labels,
                               double smoothing);
#endif
