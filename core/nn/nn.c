/* Layers: parameters under the names PyTorch gives them, and the op that reads them. Every call
 * returns NULL once one was refused, before it looks at its inputs. */
#include "core/nn/nn.h"
#include "core/base/mem.h"
#include "core/ops/ops.h"
#include <stdarg.h>
#include <string.h>

void net_stage(struct net *n, int stage)
{
    n->stage = stage;
    graph_mark(n->graph, stage, false);
}

const char *net_name(struct net *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *name = pool_vtextf(graph_pool(n->graph), fmt, ap);
    va_end(ap);
    return name;
}

static struct tensor *net_apply(struct net *n, const struct op *op, const void *attr,
                                struct tensor *const in[OP_INPUTS], const char *name)
{
    if (n->failed) return NULL;
    struct tensor *out = graph_apply(n->graph, op, attr, in, name, &n->e);
    n->failed = !out;
    return out;
}

/* Shapes of a parameter: (kh, kw, in, out). */
struct param_shape {
    int kh, kw, in, out;
};

static struct tensor *net_param(struct net *n, const char *layer, struct param p,
                                struct param_shape s)
{
    p.name = net_name(n, "%s.%s", layer, p.name);
    return graph_param(n->graph, &p, s.kh, s.kw, s.in, s.out);
}

static struct tensor *net_vector(struct net *n, const char *layer, struct param p, int len)
{
    return net_param(n, layer, p, (struct param_shape){ 1, 1, 1, len });
}

/* One direction of a convolution. */
struct extent {
    int in, kernel, stride;
};

static void padding_of(int *before, int *after, struct conv_layer l, struct extent x)
{
    const int out = (x.in + x.stride - 1) / x.stride;
    const int same = (out - 1) * x.stride + x.kernel - x.in; /* zeros that SAME needs */
    *before = *after = 0;
    if (l.padding == CONV_HALF) *before = *after = x.kernel / 2;
    if (l.padding == CONV_SHIFT) *before = x.kernel / 2 + 1, *after = x.kernel / 2 - 1;
    if (l.padding == CONV_SAME && same > 0) *before = same / 2, *after = same - same / 2;
}

struct tensor *nn_conv(struct net *n, struct tensor *x, const char *name, struct conv_layer l)
{
    if (n->failed) return NULL;
    int groups = l.groups ? l.groups : 1;
    const enum param_init he = n->he_fan_in ? INIT_HE_FAN_IN : INIT_HE_FAN_OUT;
    struct param weight = { .name = "weight",
                            .kind = PARAM_CONV,
                            .init = l.uniform ? INIT_UNIFORM_FAN_IN : he };
    struct param bias = { .name = "bias", .kind = PARAM_BIAS, .init = INIT_ZERO };
    struct tensor *in[OP_INPUTS] = { x };
    const int kw = l.kernel_w ? l.kernel_w : l.kernel, stride = l.stride ? l.stride : 1;
    const struct param_shape shape = { l.kernel, kw, x->c / groups, l.channels };
    in[1] = net_param(n, name, weight, shape);
    if (l.bias) in[2] = net_vector(n, name, bias, l.channels);
    struct conv2d_attr attr = { .stride = stride, .groups = groups };
    padding_of(&attr.pad.top, &attr.pad.bottom, l, (struct extent){ x->h, l.kernel, stride });
    padding_of(&attr.pad.left, &attr.pad.right, l, (struct extent){ x->w, kw, stride });
    return net_apply(n, &op_conv2d, &attr, in, name);
}

struct tensor *nn_batch_norm(struct net *n, struct tensor *x, const char *name)
{
    if (n->failed) return NULL;
    static const struct param params[] = {
        { .name = "weight", .kind = PARAM_NORM, .init = INIT_ONE },
        { .name = "bias", .kind = PARAM_NORM, .init = INIT_ZERO },
        { .name = "running_mean", .kind = PARAM_STATE, .init = INIT_ZERO },
        { .name = "running_var", .kind = PARAM_STATE, .init = INIT_ONE },
    };
    struct tensor *in[OP_INPUTS] = { x };
    for (int i = 0; i < 4; i++) in[i + 1] = net_vector(n, name, params[i], x->c);
    return net_apply(n, &op_batch_norm, &n->batch_norm, in, name);
}

/* A linear layer, and the map of h x w pixels with c channels whose numbers are its input. */
struct linear_of {
    struct linear_layer layer;
    int h, w, c;
};

static struct tensor *net_linear(struct net *n, struct tensor *x, const char *name,
                                 const struct linear_of *map)
{
    const struct linear_layer l = map->layer;
    struct param weight = { .name = "weight",
                            .kind = l.as_conv ? PARAM_CONV : PARAM_LINEAR,
                            .init = INIT_UNIFORM_FAN_IN };
    struct param zero = { .name = "bias", .kind = PARAM_BIAS, .init = INIT_ZERO };
    struct tensor *in[OP_INPUTS] = { x };
    in[1] = net_param(n, name, weight, (struct param_shape){ map->h, map->w, map->c, l.out });
    if (l.bias) in[2] = net_vector(n, name, zero, l.out);
    return net_apply(n, &op_linear, NULL, in, name);
}

struct tensor *nn_linear(struct net *n, struct tensor *x, const char *name, struct linear_layer l)
{
    return n->failed ? NULL : net_linear(n, x, name, &(struct linear_of){ l, 1, 1, x->c });
}

static struct tensor *net_unary(struct net *n, const struct op *op, const void *attr,
                                struct tensor *x)
{
    return net_apply(n, op, attr, (struct tensor *[OP_INPUTS]){ x }, NULL);
}

static struct tensor *net_binary(struct net *n, const struct op *op, const void *attr,
                                 struct tensor *const in[2])
{
    return net_apply(n, op, attr, (struct tensor *[OP_INPUTS]){ in[0], in[1] }, NULL);
}

struct tensor *nn_flatten_linear(struct net *n, struct tensor *x, const char *name,
                                 struct linear_layer l)
{
    struct tensor *flat = net_unary(n, &op_flatten, NULL, x);
    return flat ? net_linear(n, flat, name, &(struct linear_of){ l, x->h, x->w, x->c }) : NULL;
}

struct tensor *nn_relu(struct net *n, struct tensor *x) { return net_unary(n, &op_relu, NULL, x); }

struct tensor *nn_relu6(struct net *n, struct tensor *x)
{
    return net_unary(n, &op_relu6, NULL, x);
}

struct tensor *nn_sigmoid(struct net *n, struct tensor *x)
{
    return net_unary(n, &op_sigmoid, NULL, x);
}

struct tensor *nn_tanh(struct net *n, struct tensor *x) { return net_unary(n, &op_tanh, NULL, x); }

struct tensor *nn_add(struct net *n, struct tensor *a, struct tensor *b)
{
    return net_binary(n, &op_add, &(struct add_attr){ { 0 } }, (struct tensor *[]){ a, b });
}

struct tensor *nn_add_scaled(struct net *n, struct tensor *shortcut, struct tensor *branch,
                             double scale)
{
    BUG_IF(scale == 0, "a branch that is scaled by 0");
    return net_binary(n, &op_add, &(struct add_attr){ { 1, scale } },
                      (struct tensor *[]){ shortcut, branch });
}

struct tensor *nn_average(struct net *n, struct tensor *a, struct tensor *b)
{
    return net_binary(n, &op_add, &(struct add_attr){ { 0.5, 0.5 } }, (struct tensor *[]){ a, b });
}

struct tensor *nn_maximum(struct net *n, struct tensor *a, struct tensor *b)
{
    return net_binary(n, &op_maximum, NULL, (struct tensor *[]){ a, b });
}

struct tensor *nn_shake(struct net *n, struct tensor *const in[2], struct shake_attr how)
{
    return net_binary(n, &op_shake, &how, in);
}

struct tensor *nn_channel_shuffle(struct net *n, struct tensor *x, int groups)
{
    return net_unary(n, &op_channel_shuffle, &(struct channel_shuffle_attr){ groups }, x);
}

/* More than an op takes are joined in groups first. */
struct tensor *nn_concat(struct net *n, int count, struct tensor *const *in)
{
    struct tensor *some[OP_INPUTS] = { NULL };
    const int groups = (count + OP_INPUTS - 1) / OP_INPUTS;
    if (n->failed) return NULL;
    if (count == 1) return in[0];
    if (groups == 1) {
        memcpy(some, in, (size_t)count * sizeof(struct tensor *));
        return net_apply(n, &op_concat, NULL, some, NULL);
    }
    BUG_IF(groups > OP_INPUTS, "a concat of %d tensors", count);
    for (int i = 0, at = 0; i < groups; at += (count - at + groups - i - 1) / (groups - i), i++)
        some[i] = nn_concat(n, (count - at + groups - i - 1) / (groups - i), in + at);
    return nn_concat(n, groups, some);
}

struct tensor *nn_scale_channels(struct net *n, struct tensor *x, struct tensor *gate)
{
    return net_binary(n, &op_scale_channels, NULL, (struct tensor *[]){ x, gate });
}

struct tensor *nn_max_pool(struct net *n, struct tensor *x, struct pool_attr window)
{
    return net_unary(n, &op_max_pool, &window, x);
}

struct tensor *nn_avg_pool(struct net *n, struct tensor *x, struct pool_attr window)
{
    return net_unary(n, &op_avg_pool, &window, x);
}

struct tensor *nn_global_avg_pool(struct net *n, struct tensor *x)
{
    return net_unary(n, &op_global_avg_pool, NULL, x);
}

struct tensor *nn_global_max_pool(struct net *n, struct tensor *x)
{
    return net_unary(n, &op_global_max_pool, NULL, x);
}

struct tensor *nn_dropout(struct net *n, struct tensor *x, double rate)
{
    return net_unary(n, &op_dropout, &(struct dropout_attr){ rate }, x);
}

struct tensor *nn_pad_channels(struct net *n, struct tensor *x, int channels, int stride)
{
    return net_unary(n, &op_pad_channels, &(struct pad_channels_attr){ channels, stride }, x);
}

struct tensor *nn_softmax_loss(struct net *n, struct tensor *logits, struct tensor *labels,
                               double smoothing)
{
    return net_binary(n, &op_softmax_loss, &(struct softmax_loss_attr){ smoothing },
                      (struct tensor *[]){ logits, labels });
}
