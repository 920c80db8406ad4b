/* SENet-154 (Hu et al., arXiv 1709.01507, section 5 and the released model): a ResNeXt-152 64x4d
 * whose first 1x1 layers have half of the channels, with a stem of three 3x3 layers and 3x3
 * projections; and two shorter ones of its kind, of 32 groups. Parameters are named as the ports of
 * the released model to PyTorch name them. */
#include "core/models/residual.h"

enum { SENET_STAGES = 4 };

struct senet154 {
    struct model_options model;
    int stem_pool; /* CHOICE */
};

struct senet154_kind {
    int groups, blocks[SENET_STAGES];
};

#define SENET(name, meaning, groups, ...)          \
    BACKBONE(&family_senet154, name, 224, meaning, \
             (&(const struct senet154_kind){ groups, { __VA_ARGS__ } }))
static const struct backbone senet154_backbones[] = {
    SENET("senet16", "4 stages of 1 bottleneck, 32 groups, a stem of three 3x3", 32, 1, 1, 1, 1),
    SENET("senet52", "4 stages of 3-4-6-3 bottlenecks, 32 groups", 32, 3, 4, 6, 3),
    SENET("senet154", "4 stages of 3-8-36-3 bottlenecks, 64 groups; the paper's is se-senet154", 64,
          3, 8, 36, 3),
    { 0 },
};

static const struct field senet154_fields[] = {
    STEM_POOL(senet154, POOL_CEIL),
    FIELDS_END,
};

static struct tensor *senet154_stem(struct net *n, struct tensor *x, const struct model_shape *s)
{
    static const int channels[] = { 64, 64, 128 };
    const struct senet154 *o = s->options;
    net_stage(n, 1);
    for (int i = 0; i < 3; i++)
        x = nn_relu(n, conv_bn(n, x, net_name(n, "layer0.conv%d", i + 1),
                               net_name(n, "layer0.bn%d", i + 1),
                               (struct conv_layer){ channels_scaled(channels[i], s->width), 3,
                                                    .stride = i == 0 ? 2 : 1 }));
    return stem_pooled(n, x, o->stem_pool);
}

static struct tensor *senet154_stage(struct net *n, struct tensor *x, const struct model_shape *s,
                                     int stage)
{
    const struct senet154_kind *k = ((const struct model_options *)s->options)->backbone->kind;
    const int inner = (4 * k->groups) << stage, out = 256 << stage;
    net_stage(n, stage + 2);
    for (int i = 0; i < k->blocks[stage]; i++) {
        const char *name = net_name(n, "layer%d.%d", stage + 1, i);
        x = residual_unit(
            n, x,
            &(struct residual_unit){ .name = name,
                                     .bottleneck = true,
                                     .reduced = channels_grouped(inner / 2, k->groups, s->width),
                                     .inner = channels_grouped(inner, k->groups, s->width),
                                     .out = channels_scaled(out, s->width),
                                     .groups = k->groups,
                                     .stride = stage && !i ? 2 : 1,
                                     .stride_in = STRIDE_CONV3X3,
                                     .projection = stage ? 3 : 1 });
    }
    return x;
}

static struct tensor *senet154_build(struct net *n, struct tensor *images,
                                     const struct model_shape *s)
{
    if (!images_suffice(n, images, 32, 5)) return NULL;
    struct tensor *x = senet154_stem(n, images, s);
    for (int stage = 0; stage < SENET_STAGES; stage++) x = senet154_stage(n, x, s, stage);
    return classifier(n, x, s, "last_linear");
}

const struct model_family family_senet154 = {
    .name = "senet154",
    .backbones = senet154_backbones,
    .fields = senet154_fields,
    .options_size = SIZE_LED_BY(senet154, struct model_options, model),
    .build = senet154_build,
};
