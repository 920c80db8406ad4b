#ifndef CORE_NN_NN_H
#define CORE_NN_NN_H
#include "core/graph/graph.h"

/* The calls a model is written in: they make their parameters and apply ops. After the first
 * refusal every call returns NULL and `e` keeps that first reason, so a model reads without an if
 * and whoever builds it checks once, at the end. */
struct net {
    struct graph *graph;
    const struct se_settings *se; /* what se_apply inserts */
    int stage;                    /* of the paper; set through net_stage */
    struct err e;
    bool failed;
};

void net_stage(struct net *n, int stage);

/* Layers are named by path: nn_conv(n, x, "layer1.0.conv1", ...) makes layer1.0.conv1.weight. */
enum conv_padding {
    CONV_HALF, /* kernel / 2 on both sides: what torchvision's layers have */
    CONV_VALID,
    CONV_SAME /* as TensorFlow: out = ceil(in / stride), the odd zero at the bottom and the right */
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
struct tensor *nn_relu(struct net *n, struct tensor *x);
struct tensor *nn_sigmoid(struct net *n, struct tensor *x);
struct tensor *nn_tanh(struct net *n, struct tensor *x);
struct tensor *nn_add(struct net *n, struct tensor *a, struct tensor *b);
/* n >= 2 tensors along their channels, in this order. */
struct tensor *nn_concat(struct net *n, int count, struct tensor *const *in);
struct tensor *nn_scale_channels(struct net *n, struct tensor *x, struct tensor *gate);
struct tensor *nn_max_pool(struct net *n, struct tensor *x, int size, int stride, int pad);
struct tensor *nn_global_avg_pool(struct net *n, struct tensor *x);
struct tensor *nn_global_max_pool(struct net *n, struct tensor *x);
struct tensor *nn_dropout(struct net *n, struct tensor *x, double rate);
struct tensor *nn_pad_channels(struct net *n, struct tensor *x, int channels, int stride);
struct tensor *nn_softmax_loss(struct net *n, struct tensor *logits, struct tensor *labels,
                               double smoothing);
#endif
