/* Residual networks (He et al. 2016, arXiv 1512.03385): for CIFAR, sections 4.2, depth 6n + 2, and
 * for ImageNet, table 1. Parameters are named as in torchvision: layerK holds the paper's stage
 * conv(K+1)_x. */
#include "core/models/residual.h"

enum { RESNET_STAGES = 4, EXPANSION = 4 };

enum { CIFAR_SIZE = 32, IMAGENET_SIZE = 224 };

struct resnet {
    struct model_options model;
    int stride_in, shortcut, stem_pool; /* CHOICE */
};

/* What makes a member of the family. */
struct resnet_kind {
    bool imagenet, bottleneck;
    int blocks[RESNET_STAGES]; /* a stage of 0 blocks does not exist */
};

#define KIND(name, input_size, meaning, imagenet, bottleneck, ...) \
    BACKBONE(&family_resnet, name, input_size, meaning,            \
             &(const struct resnet_kind){ imagenet, bottleneck, { __VA_ARGS__ } })
#define CIFAR(name, meaning, bottleneck, ...) \
    KIND(name, CIFAR_SIZE, meaning, false, bottleneck, __VA_ARGS__)
#define IMAGENET(name, meaning, bottleneck, ...) \
    KIND(name, IMAGENET_SIZE, meaning, true, bottleneck, __VA_ARGS__)
static const struct backbone resnet_backbones[] = {
    CIFAR("resnet8", "3 stages of 1 basic block, 16-32-64 channels", false, 1, 1, 1),
    CIFAR("resnet14", "3 stages of 2 basic blocks", false, 2, 2, 2),
    CIFAR("resnet20", "3 stages of 3 basic blocks", false, 3, 3, 3),
    CIFAR("resnet32", "3 stages of 5 basic blocks", false, 5, 5, 5),
    CIFAR("resnet44", "3 stages of 7 basic blocks", false, 7, 7, 7),
    CIFAR("resnet56", "3 stages of 9 basic blocks", false, 9, 9, 9),
    CIFAR("resnet110", "3 stages of 18 basic blocks", false, 18, 18, 18),
    IMAGENET("resnet18", "4 stages of 2-2-2-2 basic blocks, 64-512 channels", false, 2, 2, 2, 2),
    IMAGENET("resnet34", "4 stages of 3-4-6-3 basic blocks", false, 3, 4, 6, 3),
    IMAGENET("resnet50", "4 stages of 3-4-6-3 bottlenecks, 256-2048 channels", true, 3, 4, 6, 3),
    IMAGENET("resnet101", "4 stages of 3-4-23-3 bottlenecks", true, 3, 4, 23, 3),
    IMAGENET("resnet152", "4 stages of 3-8-36-3 bottlenecks", true, 3, 8, 36, 3),
    { 0 },
};

static const struct resnet_kind *resnet_kind_of(const struct resnet *o)
{
    return o->model.backbone->kind;
}

static bool resnet_has_bottlenecks(const void *options)
{
    return resnet_kind_of(options)->bottleneck;
}

static bool resnet_has_pool(const void *options) { return resnet_kind_of(options)->imagenet; }

static const struct field resnet_fields[] = {
    CHOICE(resnet, stride_in, stride_in_names, STRIDE_CONV1X1,
           "which convolution of a bottleneck has the stride: conv1x1 as in the paper, conv3x3 as "
           "in torchvision",
           .applies = resnet_has_bottlenecks),
    CHOICE(resnet, shortcut, shortcut_names, SHORTCUT_PROJECTION,
           "where shapes change: projection (1x1 convolution) or identity (subsampled, zero "
           "channels added)"),
    STEM_POOL(resnet, POOL_PADDED, .applies = resnet_has_pool),
    FIELDS_END,
};

static struct tensor *resnet_stage(struct net *n, struct tensor *x, const struct model_shape *s,
                                   int stage)
{
    const struct resnet *o = s->options;
    const struct resnet_kind *k = resnet_kind_of(o);
    const int inner = (k->imagenet ? 64 : 16) << stage;
    net_stage(n, stage + 2);
    for (int i = 0; i < k->blocks[stage]; i++) {
        const char *name = net_name(n, "layer%d.%d", stage + 1, i);
        const int out = k->bottleneck ? EXPANSION * inner : inner;
        x = residual_unit(n, x,
                          &(struct residual_unit){ .name = name,
                                                   .bottleneck = k->bottleneck,
                                                   .inner = channels_scaled(inner, s->width),
                                                   .out = channels_scaled(out, s->width),
                                                   .stride = stage && !i ? 2 : 1,
                                                   .stride_in = o->stride_in,
                                                   .shortcut = o->shortcut });
    }
    return x;
}

static struct tensor *resnet_build(struct net *n, struct tensor *images,
                                   const struct model_shape *s)
{
    const struct resnet *o = s->options;
    const bool imagenet = resnet_kind_of(o)->imagenet;
    const struct residual_stem stem = { imagenet, channels_scaled(imagenet ? 64 : 16, s->width),
                                        o->stem_pool };
    struct tensor *x = residual_stem(n, images, &stem);
    for (int stage = 0; stage < RESNET_STAGES; stage++) x = resnet_stage(n, x, s, stage);
    return classifier(n, x, s, "fc");
}

const struct model_family family_resnet = {
    .name = "resnet",
    .backbones = resnet_backbones,
    .fields = resnet_fields,
    .options_size = SIZE_LED_BY(resnet, struct model_options, model),
    .build = resnet_build,
};
