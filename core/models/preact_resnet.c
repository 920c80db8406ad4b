/* Pre-activation ResNets (He et al. 2016, arXiv 1603.05027): for CIFAR, of two 3x3 layers (depth
 * 110) and of bottlenecks (164), and for ImageNet (200). */
#include "core/models/preactivation.h"
#include "core/models/residual.h"

enum { PREACT_STAGES = 4, PREACT_EXPANSION = 4 };

/* stride_in, with a word for what a member's source has. */
static const char *const preact_stride_in_names[] = { "auto", "conv1x1", "conv3x3", NULL };
enum { PREACT_STRIDE_AUTO };

struct preact_resnet {
    struct model_options model;
    int stride_in, shortcut, stem_pool; /* CHOICE */
};

struct preact_kind {
    bool imagenet, bottleneck;
    int blocks[PREACT_STAGES]; /* a stage of 0 blocks does not exist */
};

#define PREACT(name, size, meaning, ...)                 \
    BACKBONE(&family_preact_resnet, name, size, meaning, \
             (&(const struct preact_kind){ __VA_ARGS__ }))
static const struct backbone preact_backbones[] = {
    PREACT("preact-resnet20", 32, "3 stages of 3 units of two 3x3, 16-32-64 channels", false, false,
           { 3, 3, 3 }),
    PREACT("preact-resnet110", 32, "3 stages of 18 units of two 3x3, 16-32-64 channels", false,
           false, { 18, 18, 18 }),
    PREACT("preact-resnet29", 32, "3 stages of 3 bottlenecks, 64-128-256 channels", false, true,
           { 3, 3, 3 }),
    PREACT("preact-resnet164", 32, "3 stages of 18 bottlenecks, 64-128-256 channels", false, true,
           { 18, 18, 18 }),
    PREACT("preact-resnet18", 224, "4 stages of 2 units of two 3x3, 64-512 channels", true, false,
           { 2, 2, 2, 2 }),
    PREACT("preact-resnet50", 224, "4 stages of 3-4-6-3 bottlenecks, 256-2048 channels", true, true,
           { 3, 4, 6, 3 }),
    PREACT("preact-resnet200", 224, "4 stages of 3-24-36-3 bottlenecks, 256-2048 channels", true,
           true, { 3, 24, 36, 3 }),
    { 0 },
};

static const struct preact_kind *preact_kind_of(const struct preact_resnet *o)
{
    return o->model.backbone->kind;
}

static bool preact_has_bottlenecks(const void *options)
{
    return preact_kind_of(options)->bottleneck;
}

static bool preact_has_pool(const void *options) { return preact_kind_of(options)->imagenet; }

static const struct field preact_fields[] = {
    CHOICE(preact_resnet, stride_in, preact_stride_in_names, PREACT_STRIDE_AUTO,
           "which convolution of a bottleneck has the stride; auto: conv1x1 for CIFAR (He et al.), "
           "conv3x3 for ImageNet (its Torch code)",
           .applies = preact_has_bottlenecks),
    CHOICE(preact_resnet, shortcut, shortcut_names, SHORTCUT_PROJECTION,
           "where shapes change: projection (1x1 convolution of the activated input) or identity "
           "(subsampled, zero channels added)"),
    STEM_POOL(preact_resnet, POOL_PADDED, .applies = preact_has_pool),
    FIELDS_END,
};

static int preact_stride_in(const struct preact_resnet *o)
{
    if (o->stride_in != PREACT_STRIDE_AUTO) return o->stride_in - 1;
    return preact_kind_of(o)->imagenet ? STRIDE_CONV3X3 : STRIDE_CONV1X1;
}

static struct tensor *preact_stem(struct net *n, struct tensor *images, const struct model_shape *s)
{
    const struct preact_resnet *o = s->options;
    const bool imagenet = preact_kind_of(o)->imagenet;
    const struct residual_stem stem = { imagenet, channels_scaled(imagenet ? 64 : 16, s->width),
                                        o->stem_pool };
    return imagenet ? residual_stem(n, images, &stem)
                    : preactivation_stem(n, images, stem.channels);
}

static struct tensor *preact_stage(struct net *n, struct tensor *x, const struct model_shape *s,
                                   int stage)
{
    const struct preact_resnet *o = s->options;
    const struct preact_kind *k = preact_kind_of(o);
    const int inner = (k->imagenet ? 64 : 16) << stage;
    const int out = k->bottleneck ? PREACT_EXPANSION * inner : inner;
    net_stage(n, stage + 2);
    for (int i = 0; i < k->blocks[stage]; i++)
        x = preactivation_unit(
            n, x,
            &(struct preactivation_unit){ .name = net_name(n, "layer%d.%d", stage + 1, i),
                                          .bottleneck = k->bottleneck,
                                          .inner = channels_scaled(inner, s->width),
                                          .out = channels_scaled(out, s->width),
                                          .stride = stage && !i ? 2 : 1,
                                          .stride_in = preact_stride_in(o),
                                          .shortcut = o->shortcut });
    return x;
}

static struct tensor *preact_build(struct net *n, struct tensor *images,
                                   const struct model_shape *s)
{
    struct tensor *x = preact_stem(n, images, s);
    for (int stage = 0; stage < PREACT_STAGES; stage++) x = preact_stage(n, x, s, stage);
    return preactivation_head(n, x, s);
}

const struct model_family family_preact_resnet = {
    .name = "preact_resnet",
    .backbones = preact_backbones,
    .fields = preact_fields,
    .options_size = SIZE_LED_BY(preact_resnet, struct model_options, model),
    .build = preact_build,
};
