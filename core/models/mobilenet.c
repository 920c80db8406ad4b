/* MobileNet v1 (Howard et al. 2017, arXiv 1704.04861): 13 blocks of a depthwise 3x3 and a pointwise
 * 1x1 convolution. The SE block follows the pointwise one's activation. Parameters are named as
 * timm's mobilenetv1_100. */
#include "core/models/parts.h"

enum { MOBILENET_GROUPS = 5, MOBILENET_STEM = 32 };

static const char *const activation_names[] = { "relu", "relu6", NULL };
enum { ACTIVATION_RELU, ACTIVATION_RELU6 };

struct mobilenet {
    struct model_options model;
    int activation; /* CHOICE */
};

struct mobilenet_kind {
    int stem_stride;
};

/* Blocks on maps of one size: each group's first halves the map, but the first group's. */
static const struct {
    int blocks, channels;
} mobilenet_groups[MOBILENET_GROUPS] = {
    { 1, 64 }, { 2, 128 }, { 2, 256 }, { 6, 512 }, { 2, 1024 }
};

static const struct backbone mobilenet_backbones[] = {
    BACKBONE(&family_mobilenet, "mobilenet", 224, "13 depthwise-separable blocks, 64-1024 channels",
             (&(const struct mobilenet_kind){ 2 })),
    BACKBONE(&family_mobilenet, "mobilenet-cifar", 32, "the same with a stem of stride 1",
             (&(const struct mobilenet_kind){ 1 })),
    { 0 },
};

static const struct field mobilenet_fields[] = {
    CHOICE(mobilenet, activation, activation_names, ACTIVATION_RELU,
           "relu as in the MobileNet paper, relu6 (at most 6) as in TensorFlow's and timm's"),
    FIELDS_END,
};

static struct tensor *activated(struct net *n, struct tensor *x, const struct model_shape *s)
{
    const struct mobilenet *o = s->options;
    return o->activation == ACTIVATION_RELU6 ? nn_relu6(n, x) : nn_relu(n, x);
}

static struct tensor *mobilenet_block(struct net *n, struct tensor *x, const struct model_shape *s,
                                      struct conv_layer pointwise, const char *name)
{
    if (n->failed) return NULL;
    const struct conv_layer depthwise = { x->c, .kernel = 3, .stride = pointwise.stride,
                                          .groups = x->c };
    x = se_apply(n, x, SE_PRE, name);
    x = conv_bn(n, x, net_name(n, "%s.conv_dw", name), net_name(n, "%s.bn1", name), depthwise);
    x = se_apply(n, activated(n, x, s), SE_CONV3X3, name);
    pointwise.stride = 1;
    x = conv_bn(n, x, net_name(n, "%s.conv_pw", name), net_name(n, "%s.bn2", name), pointwise);
    return se_apply(n, activated(n, x, s), SE_STANDARD, name);
}

static struct tensor *mobilenet_build(struct net *n, struct tensor *images,
                                      const struct model_shape *s)
{
    const struct mobilenet_kind *k = ((const struct model_options *)s->options)->backbone->kind;
    const struct conv_layer stem = { channels_scaled(MOBILENET_STEM, s->width), .kernel = 3,
                                     .stride = k->stem_stride };
    const int halvings = MOBILENET_GROUPS - 1 + (k->stem_stride == 2);
    if (!images_suffice(n, images, 1 << halvings, halvings)) return NULL;
    net_stage(n, 1);
    struct tensor *x = activated(n, conv_bn(n, images, "conv_stem", "bn1", stem), s);
    for (int g = 0; g < MOBILENET_GROUPS; g++) {
        net_stage(n, g + 1);
        for (int i = 0; i < mobilenet_groups[g].blocks; i++)
            x = mobilenet_block(
                n, x, s,
                (struct conv_layer){ channels_scaled(mobilenet_groups[g].channels, s->width),
                                     .kernel = 1, .stride = g && !i ? 2 : 1 },
                net_name(n, "blocks.%d.%d", g, i));
    }
    return classifier(n, x, s, "classifier");
}

const struct model_family family_mobilenet = {
    .name = "mobilenet",
    .backbones = mobilenet_backbones,
    .fields = mobilenet_fields,
    .options_size = SIZE_LED_BY(mobilenet, struct model_options, model),
    .build = mobilenet_build,
};
