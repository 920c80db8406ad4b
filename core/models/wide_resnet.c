/* Wide residual networks (Zagoruyko and Komodakis 2016, arXiv 1605.07146): pre-activation units of
 * two 3x3 layers, few and wide, with dropout inside. WRN-depth-k has (depth - 4) / 6 units a stage,
 * of 16 k, 32 k and 64 k channels. Convolutions begin by their fan-in, as in the authors' code. */
#include "core/models/preactivation.h"

enum { WIDE_STAGES = 3, WIDE_BASE = 16 };

struct wide_resnet {
    struct model_options model;
    int depth, widening; /* 0: the backbone's */
    double unit_dropout;
};

struct wide_kind {
    int depth, widening;
};

#define WIDE(name, meaning, depth, widening) \
    BACKBONE(&family_wide_resnet, name, 32, meaning, (&(const struct wide_kind){ depth, widening }))
static const struct backbone wide_backbones[] = {
    WIDE("wrn16-4", "3 stages of 2 units, 64-128-256 channels", 16, 4),
    WIDE("wrn16-8", "3 stages of 2 units, 128-256-512 channels", 16, 8),
    WIDE("wrn28-10", "3 stages of 4 units, 160-320-640 channels", 28, 10),
    WIDE("wrn40-4", "3 stages of 6 units, 64-128-256 channels", 40, 4),
    { 0 },
};

static const struct field wide_fields[] = {
    INT(wide_resnet, depth, 0, 10, 1000, "layers, 6 n + 4: n units in each stage", .zero = "auto"),
    INT(wide_resnet, widening, 0, 1, 64, "k: the stages have 16 k, 32 k and 64 k channels",
        .zero = "auto"),
    REAL(wide_resnet, unit_dropout, 0, 0, 0.95,
         "share of activations dropped before the second convolution of a unit"),
    FIELDS_END,
};

static struct tensor *wide_build(struct net *n, struct tensor *images, const struct model_shape *s)
{
    const struct wide_resnet *o = s->options;
    const struct wide_kind *k = o->model.backbone->kind;
    const int depth = o->depth ? o->depth : k->depth;
    const int widening = o->widening ? o->widening : k->widening;
    if (depth % 6 != 4) {
        n->failed = true;
        err_set(&n->e, "%d layers are not 6 n + 4 (model.depth)", depth);
        return NULL;
    }
    n->he_fan_in = true;
    struct tensor *x = preactivation_stem(n, images, channels_scaled(WIDE_BASE, s->width));
    for (int stage = 0; stage < WIDE_STAGES; stage++) {
        const int channels = channels_scaled((WIDE_BASE * widening) << stage, s->width);
        net_stage(n, stage + 2);
        for (int i = 0; i < (depth - 4) / 6; i++)
            x = preactivation_unit(
                n, x,
                &(struct preactivation_unit){ .name = net_name(n, "layer%d.%d", stage + 1, i),
                                              .inner = channels,
                                              .out = channels,
                                              .stride = stage && !i ? 2 : 1,
                                              .dropout = o->unit_dropout });
    }
    return preactivation_head(n, x, s);
}

const struct model_family family_wide_resnet = {
    .name = "wide_resnet",
    .backbones = wide_backbones,
    .fields = wide_fields,
    .options_size = SIZE_LED_BY(wide_resnet, struct model_options, model),
    .build = wide_build,
};
