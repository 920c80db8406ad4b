/* ResNeXt (Xie et al. 2017, arXiv 1611.05431): bottlenecks whose 3x3 layer has groups. For
 * ImageNet, table 1, and for CIFAR, section 5.2. Parameters are named as torchvision's. */
#include "core/models/residual.h"

enum { RESNEXT_STAGES = 4, RESNEXT_BASE = 64, RESNEXT_EXPANSION = 4 };

struct resnext {
    struct model_options model;
    int cardinality, group_width; /* 0: the backbone's */
    int stem_pool;                /* CHOICE */
};

struct resnext_kind {
    bool imagenet;
    int cardinality, group_width; /* groups, and channels of each in the first stage: 32 x 4d */
    int blocks[RESNEXT_STAGES];   /* a stage of 0 blocks does not exist */
};

#define RESNEXT(name, size, meaning, ...) \
    BACKBONE(&family_resnext, name, size, meaning, (&(const struct resnext_kind){ __VA_ARGS__ }))
static const struct backbone resnext_backbones[] = {
    RESNEXT("resnext50-32x4d", 224, "4 stages of 3-4-6-3 bottlenecks, 32 groups of 4 channels",
            true, 32, 4, { 3, 4, 6, 3 }),
    RESNEXT("resnext101-32x4d", 224, "4 stages of 3-4-23-3 bottlenecks, 32 groups of 4 channels",
            true, 32, 4, { 3, 4, 23, 3 }),
    RESNEXT("resnext29-8x64d", 32, "3 stages of 3 bottlenecks, 8 groups of 64 channels", false, 8,
            64, { 3, 3, 3 }),
    RESNEXT("resnext29-16x64d", 32, "3 stages of 3 bottlenecks, 16 groups of 64 channels", false,
            16, 64, { 3, 3, 3 }),
    RESNEXT("resnext29-4x16d", 32, "3 stages of 3 bottlenecks, 4 groups of 16 channels", false, 4,
            16, { 3, 3, 3 }),
    { 0 },
};

static const struct resnext_kind *resnext_kind_of(const struct resnext *o)
{
    return o->model.backbone->kind;
}

static bool resnext_has_pool(const void *options) { return resnext_kind_of(options)->imagenet; }

static const struct field resnext_fields[] = {
    INT(resnext, cardinality, 0, 1, 1024, "groups of the 3x3 convolutions", .zero = "auto"),
    INT(resnext, group_width, 0, 1, 1024,
        "channels of a group in the first stage; later stages double them", .zero = "auto"),
    STEM_POOL(resnext, POOL_PADDED, .applies = resnext_has_pool),
    FIELDS_END,
};

static struct tensor *resnext_stage(struct net *n, struct tensor *x, const struct model_shape *s,
                                    int stage)
{
    const struct resnext *o = s->options;
    const struct resnext_kind *k = resnext_kind_of(o);
    const int groups = o->cardinality ? o->cardinality : k->cardinality;
    const int each = o->group_width ? o->group_width : k->group_width;
    net_stage(n, stage + 2);
    for (int i = 0; i < k->blocks[stage]; i++) {
        const char *name = net_name(n, "layer%d.%d", stage + 1, i);
        const int inner = channels_grouped(groups * (each << stage), groups, s->width);
        const int out = channels_scaled((RESNEXT_BASE * RESNEXT_EXPANSION) << stage, s->width);
        x = residual_unit(n, x,
                          &(struct residual_unit){ .name = name,
                                                   .bottleneck = true,
                                                   .inner = inner,
                                                   .out = out,
                                                   .groups = groups,
                                                   .stride = stage && !i ? 2 : 1,
                                                   .stride_in = STRIDE_CONV3X3 });
    }
    return x;
}

static struct tensor *resnext_build(struct net *n, struct tensor *images,
                                    const struct model_shape *s)
{
    const struct resnext *o = s->options;
    const struct residual_stem stem = { resnext_kind_of(o)->imagenet,
                                        channels_scaled(RESNEXT_BASE, s->width), o->stem_pool };
    struct tensor *x = residual_stem(n, images, &stem);
    for (int stage = 0; stage < RESNEXT_STAGES; stage++) x = resnext_stage(n, x, s, stage);
    return classifier(n, x, s, "fc");
}

const struct model_family family_resnext = {
    .name = "resnext",
    .backbones = resnext_backbones,
    .fields = resnext_fields,
    .options_size = SIZE_LED_BY(resnext, struct model_options, model),
    .build = resnext_build,
};
