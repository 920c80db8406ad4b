#include "core/models/residual.h"

const char *const stride_in_names[] = { "conv1x1", "conv3x3", NULL };
const char *const shortcut_names[] = { "projection", "identity", NULL };
const char *const stem_pool_names[] = { "padded", "ceil", NULL };

struct tensor *stem_pooled(struct net *n, struct tensor *x, int stem_pool)
{
    const bool ceil = stem_pool == POOL_CEIL;
    return nn_max_pool(n, x, (struct pool_attr){ 3, 2, .pad = ceil ? 0 : 1, .ceil = ceil });
}

struct tensor *residual_stem(struct net *n, struct tensor *images, const struct residual_stem *s)
{
    const struct conv_layer l = { s->channels, s->imagenet ? 7 : 3, .stride = s->imagenet ? 2 : 1 };
    if (!images_suffice(n, images, s->imagenet ? 32 : 4, s->imagenet ? 5 : 2)) return NULL;
    net_stage(n, 1);
    struct tensor *x = nn_relu(n, conv_bn(n, images, "conv1", "bn1", l));
    return s->imagenet ? stem_pooled(n, x, s->stem_pool) : x;
}

/* layer1.0.conv1 and layer1.0.bn1 */
static struct tensor *unit_conv(struct net *n, struct tensor *x, const struct residual_unit *u,
                                int number, struct conv_layer l)
{
    return conv_bn(n, x, net_name(n, "%s.conv%d", u->name, number),
                   net_name(n, "%s.bn%d", u->name, number), l);
}

static struct tensor *basic_branch(struct net *n, struct tensor *x, const struct residual_unit *u)
{
    struct tensor *y =
        unit_conv(n, x, u, 1, (struct conv_layer){ u->inner, 3, .stride = u->stride });
    y = se_apply(n, nn_relu(n, y), SE_CONV3X3, u->name);
    return unit_conv(n, y, u, 2, (struct conv_layer){ u->out, .kernel = 3 });
}

static struct tensor *bottleneck_branch(struct net *n, struct tensor *x,
                                        const struct residual_unit *u)
{
    const bool first = u->stride_in == STRIDE_CONV1X1;
    const int stride1 = first ? u->stride : 1, stride2 = first ? 1 : u->stride;
    const int reduced = u->reduced ? u->reduced : u->inner;
    struct tensor *y = unit_conv(n, x, u, 1, (struct conv_layer){ reduced, 1, .stride = stride1 });
    y = unit_conv(n, nn_relu(n, y), u, 2,
                  (struct conv_layer){ u->inner, 3, .stride = stride2, .groups = u->groups });
    y = se_apply(n, nn_relu(n, y), SE_CONV3X3, u->name);
    return unit_conv(n, y, u, 3, (struct conv_layer){ u->out, .kernel = 1 });
}

static struct tensor *unit_shortcut(struct net *n, struct tensor *x, const struct residual_unit *u)
{
    if (n->failed || (u->stride == 1 && x->c == u->out)) return x;
    if (u->shortcut == SHORTCUT_IDENTITY) return nn_pad_channels(n, x, u->out, u->stride);
    const int kernel = u->projection ? u->projection : 1;
    return conv_bn(n, x, net_name(n, "%s.downsample.0", u->name),
                   net_name(n, "%s.downsample.1", u->name),
                   (struct conv_layer){ u->out, kernel, .stride = u->stride });
}

struct tensor *residual_unit(struct net *n, struct tensor *x, const struct residual_unit *u)
{
    struct tensor *y = se_apply(n, x, SE_PRE, u->name);
    y = u->bottleneck ? bottleneck_branch(n, y, u) : basic_branch(n, y, u);
    y = se_apply(n, y, SE_STANDARD, u->name);
    struct tensor *s = se_apply(n, unit_shortcut(n, x, u), SE_IDENTITY, u->name);
    return se_apply(n, nn_relu(n, nn_add(n, y, s)), SE_POST, u->name);
}
