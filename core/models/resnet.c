/* Residual networks (He et al. 2016, arXiv 1512.03385): for CIFAR, sections 4.2, depth 6n + 2, and
 * for ImageNet, table 1. Parameters are named as in torchvision: layerK holds the paper's stage
 * conv(K+1)_x. */
#include "core/models/model.h"
#include <math.h>

enum resnet_stride_in { STRIDE_CONV1X1, STRIDE_CONV3X3 };
enum resnet_shortcut { SHORTCUT_PROJECTION, SHORTCUT_IDENTITY };
enum { RESNET_STAGES = 4, EXPANSION = 4 };

enum { CIFAR_SIZE = 32, IMAGENET_SIZE = 224 };

struct resnet {
    struct model_options model;
    int stride_in, shortcut; /* CHOICE */
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

static const char *const stride_in_names[] = { "conv1x1", "conv3x3", NULL };
static const char *const shortcut_names[] = { "projection", "identity", NULL };

static const struct field resnet_fields[] = {
    CHOICE(resnet, stride_in, stride_in_names, STRIDE_CONV1X1,
           "which convolution of a bottleneck has the stride: conv1x1 as in the paper, conv3x3 as "
           "in torchvision",
           .applies = resnet_has_bottlenecks),
    CHOICE(resnet, shortcut, shortcut_names, SHORTCUT_PROJECTION,
           "where shapes change: projection (1x1 convolution) or identity (subsampled, zero "
           "channels added)"),
    FIELDS_END,
};

/* One residual unit. */
struct unit {
    const struct resnet *options;
    const char *name; /* layer1.0 */
    int channels;     /* of its 3 x 3 convolution */
    int out;
    int stride;
};

/* conv -> batch norm, layer1.0.conv1 and layer1.0.bn1 */
static struct tensor *conv_bn(struct net *n, struct tensor *x, const struct unit *u, int number,
                              struct conv_layer l)
{
    x = nn_conv(n, x, net_name(n, "%s.conv%d", u->name, number), l);
    return nn_batch_norm(n, x, net_name(n, "%s.bn%d", u->name, number));
}

static struct tensor *basic_branch(struct net *n, struct tensor *x, const struct unit *u)
{
    struct tensor *y =
        conv_bn(n, x, u, 1, (struct conv_layer){ u->channels, 3, .stride = u->stride });
    y = se_apply(n, nn_relu(n, y), SE_CONV3X3, u->name);
    return conv_bn(n, y, u, 2, (struct conv_layer){ u->out, .kernel = 3 });
}

static struct tensor *bottleneck_branch(struct net *n, struct tensor *x, const struct unit *u)
{
    bool first = u->options->stride_in == STRIDE_CONV1X1;
    int stride1 = first ? u->stride : 1, stride2 = first ? 1 : u->stride;
    struct tensor *y =
        conv_bn(n, x, u, 1, (struct conv_layer){ u->channels, 1, .stride = stride1 });
    y = conv_bn(n, nn_relu(n, y), u, 2, (struct conv_layer){ u->channels, 3, .stride = stride2 });
    y = se_apply(n, nn_relu(n, y), SE_CONV3X3, u->name);
    return conv_bn(n, y, u, 3, (struct conv_layer){ u->out, .kernel = 1 });
}

static struct tensor *shortcut(struct net *n, struct tensor *x, const struct unit *u)
{
    if (n->failed || (u->stride == 1 && x->c == u->out)) return x;
    if (u->options->shortcut == SHORTCUT_IDENTITY) return nn_pad_channels(n, x, u->out, u->stride);
    struct conv_layer l = { u->out, 1, .stride = u->stride };
    x = nn_conv(n, x, net_name(n, "%s.downsample.0", u->name), l);
    return nn_batch_norm(n, x, net_name(n, "%s.downsample.1", u->name));
}

/* y = relu(branch(x) + shortcut(x)), and the five places where an SE block can stand (Hu et al.,
 * section 6.5): the fifth, conv3x3, is in the branch. */
static struct tensor *residual_unit(struct net *n, struct tensor *x, const struct unit *u)
{
    struct tensor *y = se_apply(n, x, SE_PRE, u->name);
    bool bottleneck = resnet_has_bottlenecks(u->options);
    y = bottleneck ? bottleneck_branch(n, y, u) : basic_branch(n, y, u);
    y = se_apply(n, y, SE_STANDARD, u->name);
    struct tensor *s = se_apply(n, shortcut(n, x, u), SE_IDENTITY, u->name);
    return se_apply(n, nn_relu(n, nn_add(n, y, s)), SE_POST, u->name);
}

static int scaled(int channels, double width)
{
    int c = (int)lround(channels * width);
    return c < 1 ? 1 : c;
}

static struct tensor *resnet_stem(struct net *n, struct tensor *x, bool imagenet, int channels)
{
    struct conv_layer l = { channels, imagenet ? 7 : 3, .stride = imagenet ? 2 : 1 };
    x = nn_relu(n, nn_batch_norm(n, nn_conv(n, x, "conv1", l), "bn1"));
    return imagenet ? nn_max_pool(n, x, (struct pool_attr){ 3, 2, .pad = 1 }) : x;
}

/* The last stage must still have a whole pixel for each the input loses. */
static bool resnet_check_size(struct net *n, const struct tensor *images, bool imagenet)
{
    int least = imagenet ? 32 : 4;
    if (images->h >= least && images->w >= least) return true;
    return err_set(&n->e,
                   "images of %d x %d are too small: this network halves them %d times and "
                   "needs at least %d x %d (model.input_size)",
                   images->h, images->w, imagenet ? 5 : 2, least, least);
}

static struct tensor *resnet_build(struct net *n, struct tensor *images,
                                   const struct model_shape *s)
{
    const struct resnet *o = s->options;
    const struct resnet_kind *k = resnet_kind_of(o);
    n->failed = !resnet_check_size(n, images, k->imagenet);
    int base = k->imagenet ? 64 : 16;
    net_stage(n, 1);
    struct tensor *x = resnet_stem(n, images, k->imagenet, scaled(base, s->width));
    for (int stage = 0; stage < RESNET_STAGES; stage++) {
        net_stage(n, stage + 2);
        for (int i = 0; i < k->blocks[stage]; i++) {
            const char *name = net_name(n, "layer%d.%d", stage + 1, i);
            int channels = base << stage, out = k->bottleneck ? EXPANSION * channels : channels;
            x = residual_unit(n, x,
                              &(struct unit){ o, name, scaled(channels, s->width),
                                              scaled(out, s->width), stage && !i ? 2 : 1 });
        }
    }
    net_stage(n, 0);
    x = nn_global_avg_pool(n, x);
    if (s->dropout > 0) x = nn_dropout(n, x, s->dropout);
    return nn_linear(n, x, "fc", (struct linear_layer){ .out = s->classes, .bias = true });
}

const struct model_family family_resnet = {
    .name = "resnet",
    .backbones = resnet_backbones,
    .fields = resnet_fields,
    .options_size = SIZE_LED_BY(resnet, struct model_options, model),
    .build = resnet_build,
};
