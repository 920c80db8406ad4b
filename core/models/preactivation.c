#include "core/models/preactivation.h"
#include "core/models/residual.h"

static struct tensor *unit_norm(struct net *n, struct tensor *x, const struct preactivation_unit *u,
                                int number)
{
    return nn_relu(n, nn_batch_norm(n, x, net_name(n, "%s.bn%d", u->name, number)));
}

static struct tensor *unit_conv(struct net *n, struct tensor *x, const struct preactivation_unit *u,
                                int number, struct conv_layer l)
{
    return nn_conv(n, x, net_name(n, "%s.conv%d", u->name, number), l);
}

/* What follows the unit's first activation, a. */
static struct tensor *unit_branch(struct net *n, struct tensor *a,
                                  const struct preactivation_unit *u)
{
    const bool first = u->stride_in == STRIDE_CONV1X1 || !u->bottleneck;
    const int last = u->bottleneck ? 3 : 2;
    struct tensor *y = unit_conv(
        n, a, u, 1,
        (struct conv_layer){ u->inner, u->bottleneck ? 1 : 3, .stride = first ? u->stride : 1 });
    if (u->bottleneck)
        y = unit_conv(n, unit_norm(n, y, u, 2), u, 2,
                      (struct conv_layer){ u->inner, 3, .stride = first ? 1 : u->stride });
    y = se_apply(n, unit_norm(n, y, u, last), SE_CONV3X3, u->name);
    if (u->dropout > 0) y = nn_dropout(n, y, u->dropout);
    return unit_conv(n, y, u, last, (struct conv_layer){ u->out, .kernel = u->bottleneck ? 1 : 3 });
}

static struct tensor *unit_shortcut(struct net *n, struct tensor *const x_a[2],
                                    const struct preactivation_unit *u)
{
    if (n->failed || (u->stride == 1 && x_a[0]->c == u->out)) return x_a[0];
    if (u->shortcut == SHORTCUT_IDENTITY) return nn_pad_channels(n, x_a[0], u->out, u->stride);
    return nn_conv(n, x_a[1], net_name(n, "%s.downsample.0", u->name),
                   (struct conv_layer){ u->out, 1, .stride = u->stride });
}

struct tensor *preactivation_unit(struct net *n, struct tensor *x,
                                  const struct preactivation_unit *u)
{
    struct tensor *a = unit_norm(n, se_apply(n, x, SE_PRE, u->name), u, 1);
    struct tensor *y = se_apply(n, unit_branch(n, a, u), SE_STANDARD, u->name);
    struct tensor *s = unit_shortcut(n, (struct tensor *[]){ x, a }, u);
    return se_apply(n, nn_add(n, y, se_apply(n, s, SE_IDENTITY, u->name)), SE_POST, u->name);
}

struct tensor *preactivation_stem(struct net *n, struct tensor *images, int channels)
{
    if (!images_suffice(n, images, 4, 2)) return NULL;
    net_stage(n, 1);
    return nn_conv(n, images, "conv1", (struct conv_layer){ channels, .kernel = 3 });
}

struct tensor *preactivation_head(struct net *n, struct tensor *x, const struct model_shape *s)
{
    return classifier(n, nn_relu(n, nn_batch_norm(n, x, "norm")), s, "fc");
}
