#include "core/models/parts.h"
#include <math.h>

int channels_scaled(int channels, double width)
{
    const int c = (int)lround(channels * width);
    return c < 1 ? 1 : c;
}

int channels_grouped(int channels, int groups, double width)
{
    return groups * channels_scaled(channels / groups, width);
}

struct tensor *conv_bn(struct net *n, struct tensor *x, const char *conv, const char *bn,
                       struct conv_layer l)
{
    return nn_batch_norm(n, nn_conv(n, x, conv, l), bn);
}

struct tensor *classifier(struct net *n, struct tensor *x, const struct model_shape *s,
                          const char *name)
{
    net_stage(n, 0);
    x = nn_global_avg_pool(n, x);
    if (s->dropout > 0) x = nn_dropout(n, x, s->dropout);
    return nn_linear(n, x, name, (struct linear_layer){ .out = s->classes, .bias = true });
}

bool images_suffice(struct net *n, const struct tensor *images, int least, int halvings)
{
    if (images->h >= least && images->w >= least) return true;
    n->failed = true;
    return err_set(&n->e,
                   "images of %d x %d are too small: this network halves them %d times and "
                   "needs at least %d x %d (model.input_size)",
                   images->h, images->w, halvings, least, least);
}
