#ifndef CORE_MODELS_RESIDUAL_H
#define CORE_MODELS_RESIDUAL_H
#include "core/models/parts.h"

/* The residual unit whose sum is followed by a ReLU (He et al. 2016, arXiv 1512.03385), as ResNets,
 * ResNeXts and SENet-154 have it: y = relu(branch(x) + shortcut(x)), with the five places where an
 * SE block can stand (Hu et al., section 6.5). */
enum stride_in { STRIDE_CONV1X1, STRIDE_CONV3X3 }; /* which layer of a bottleneck has the stride */
enum shortcut { SHORTCUT_PROJECTION, SHORTCUT_IDENTITY };
extern const char *const stride_in_names[], *const shortcut_names[];

/* The 3x3 maximum pool of stride 2 behind an ImageNet stem. Both make maps of the same size, of
 * other windows: weights trained with one are worth little with the other. */
enum stem_pool {
    POOL_PADDED, /* windows begin one pixel outside: torchvision */
    POOL_CEIL    /* windows begin inside, the last one is cut: the authors' Caffe models */
};
extern const char *const stem_pool_names[];
#define STEM_POOL(of, usual, ...)                                                                  \
    CHOICE(of, stem_pool, stem_pool_names, usual,                                                  \
           "the first 3x3 maximum pool: padded as in torchvision, ceil as in the authors' models", \
           __VA_ARGS__)
struct tensor *stem_pooled(struct net *n, struct tensor *x, int stem_pool);

/* Stage 1 of a network of residual units: conv1, bn1, ReLU and the pool for ImageNet, conv1, bn1
 * and ReLU for CIFAR. Refuses images too small for the network's halvings. */
struct residual_stem {
    bool imagenet;
    int channels;
    int stem_pool;
};
struct tensor *residual_stem(struct net *n, struct tensor *images, const struct residual_stem *s);

struct residual_unit {
    const char *name; /* layer1.0: parameters are layer1.0.conv1.weight, ... */
    bool bottleneck;  /* 1x1, 3x3, 1x1; otherwise two 3x3 */
    int reduced;      /* channels of a bottleneck's first layer; 0: as inner */
    int inner, out;   /* channels of the 3x3 layers; of the unit */
    int groups;       /* of a bottleneck's 3x3; 0 reads as 1 */
    int stride;
    int stride_in, shortcut;
    int projection; /* rows and columns of the shortcut's kernel; 0 reads as 1 */
};
struct tensor *residual_unit(struct net *n, struct tensor *x, const struct residual_unit *u);
#endif
