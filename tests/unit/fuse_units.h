#ifndef TESTS_UNIT_FUSE_UNITS_H
#define TESTS_UNIT_FUSE_UNITS_H
/* The units of the families of networks, as patterns of test_fuse_patterns.c. */
#include "tests/unit/fused_nets.h"

/* ShuffleNet, of stride 2: shuffled groups, a depthwise convolution, a pooled shortcut. */
static struct tensor *build_shuffle_unit(struct net *n, struct tensor *x)
{
    struct tensor *y = nn_conv(
        n, x, "a", (struct conv_layer){ .channels = 2 * CHANNELS, .kernel = 1, .groups = 2 });
    y = nn_channel_shuffle(n, nn_relu(n, nn_batch_norm(n, y, "a_bn")), 2);
    y = nn_conv(n, y, "dw", (struct conv_layer){ 2 * CHANNELS, 3, 2, .groups = 2 * CHANNELS });
    y = conv_bn(n, nn_batch_norm(n, y, "dw_bn"), "b", 1);
    struct tensor *both[] = { nn_avg_pool(n, x, (struct pool_attr){ 3, 2, .pad = 1 }), y };
    return nn_relu(n, nn_concat(n, 2, both));
}

/* MobileNet: depthwise and pointwise convolutions, each with a norm and a ReLU6. */
static struct tensor *build_mobile_unit(struct net *n, struct tensor *x)
{
    const struct conv_layer depthwise = { CHANNELS, 3, .groups = CHANNELS };
    x = nn_relu6(n, conv_bn(n, x, "a", 1));
    x = nn_relu6(n, nn_batch_norm(n, nn_conv(n, x, "dw", depthwise), "dw_bn"));
    return nn_relu6(n, conv_bn(n, x, "b", 1));
}

/* Inception-ResNet: a linear convolution behind a concat, scaled. */
static struct tensor *build_scaled_unit(struct net *n, struct tensor *x)
{
    x = conv_bn_relu(n, x, "stem2", 1);
    struct tensor *in[] = { conv_bn_relu(n, x, "a", 1), conv_bn_relu(n, x, "b", 3) };
    struct tensor *y =
        nn_conv(n, nn_concat(n, 2, in), "c", (struct conv_layer){ CHANNELS, 1, .bias = true });
    return nn_relu(n, nn_add_scaled(n, x, y, 0.17));
}

static struct tensor *build_scaled_se_unit(struct net *n, struct tensor *x)
{
    x = conv_bn_relu(n, x, "stem2", 1);
    struct tensor *y = gated(n, conv_bn(n, x, "a", 3), "gate");
    x = nn_relu(n, nn_add_scaled(n, x, y, 0.2));
    y = nn_conv(n, x, "b", (struct conv_layer){ CHANNELS, 1, .bias = true });
    return nn_add_scaled(n, x, gated(n, y, "gate2"), 0.3);
}

/* Three scaled arms, one of them scaled twice. */
static struct tensor *build_scaled_arms(struct net *n, struct tensor *x)
{
    struct tensor *y = nn_average(n, conv_bn(n, x, "a", 3), conv_bn(n, x, "b", 1));
    return nn_relu(n, nn_add_scaled(n, x, y, 0.5));
}

/* Shake-Shake: norms mixed by a random share. */
static struct tensor *build_shake_unit(struct net *n, struct tensor *x)
{
    struct tensor *in[2];
    x = conv_bn_relu(n, x, "stem2", 1);
    for (int i = 0; i < 2; i++) {
        char name[2][4] = { "a1", "b1" };
        in[i] = conv_bn_relu(n, x, name[i], 3);
        name[i][1] = '2';
        in[i] = conv_bn(n, in[i], name[i], 3);
    }
    return nn_relu(n, nn_add(n, x, nn_shake(n, in, (struct shake_attr){ SHAKE_SHAKE, false })));
}

/* Both paths of Shake-Shake's shortcut. */
static struct tensor *build_shifted_shortcut(struct net *n, struct tensor *x)
{
    x = nn_relu(n, x);
    const struct conv_layer one = { CHANNELS / 2, 1, .stride = 2 };
    const struct conv_layer other = { CHANNELS / 2, 1, .stride = 2, .padding = CONV_SHIFT };
    struct tensor *both[] = { nn_conv(n, x, "a", one), nn_conv(n, x, "b", other) };
    return nn_batch_norm(n, nn_concat(n, 2, both), "bn");
}

/* A squeeze of the average and the maximum, by their maximum and by their average. */
static struct tensor *build_two_pools(struct net *n, struct tensor *x)
{
    x = conv_bn(n, x, "a", 3);
    struct tensor *pools[] = { nn_global_avg_pool(n, x), nn_global_max_pool(n, x) };
    struct tensor *s = nn_maximum(n, pools[0], pools[1]);
    s = nn_add(n, s, nn_average(n, pools[0], pools[1]));
    s = nn_sigmoid(n, nn_linear(n, s, "gate", (struct linear_layer){ .out = CHANNELS }));
    return conv_bn_relu(n, nn_scale_channels(n, x, s), "b", 1);
}

/* VGG: pools and a linear layer over the whole map. */
static struct tensor *build_flattened(struct net *n, struct tensor *x)
{
    x = nn_max_pool(n, conv_bn_relu(n, x, "a", 3), (struct pool_attr){ .size = 2, .ceil = true });
    return nn_relu(n, nn_flatten_linear(n, x, "fc1", (struct linear_layer){ 24, .bias = true }));
}

/* Inception: a pool with a projection beside convolutions, and pools that reach past the map. */
static struct tensor *build_inception(struct net *n, struct tensor *x)
{
    const struct pool_attr average = { 3, 1, 1, .exclude_pad = true },
                           down = { 3, 2, .ceil = true };
    struct tensor *pooled = conv_bn_relu(n, nn_avg_pool(n, x, average), "pool", 1);
    struct tensor *in[] = { conv_bn_relu(n, x, "a", 1), conv_bn_relu(n, x, "b", 3), pooled };
    x = nn_concat(n, 3, in);
    struct tensor *small[] = { nn_max_pool(n, x, down), nn_avg_pool(n, x, down) };
    return conv_bn_relu(n, nn_concat(n, 2, small), "c", 1);
}

#define FUSE_UNITS                                                                             \
    { "ShuffleNet's unit", build_shuffle_unit, .spares = "batch_norm" },                       \
        { "MobileNet's unit", build_mobile_unit, .spares = "relu6", .norms = 4 },              \
        { "Inception-ResNet's unit", build_scaled_unit, .spares = "add" },                     \
        { "Inception-ResNet's with gates", build_scaled_se_unit, .spares = "scale_channels" }, \
        { "scaled arms", build_scaled_arms, .spares = "batch_norm" },                          \
        { "Shake-Shake's unit", build_shake_unit, .spares = "batch_norm" },                    \
        { "Shake-Shake's shortcut", build_shifted_shortcut, .spares = "batch_norm" },          \
        { "squeeze of both pools", build_two_pools, .spares = "batch_norm" },                  \
        { "flattened", build_flattened, .spares = "batch_norm" },                              \
    {                                                                                          \
        "Inception's pools", build_inception, .spares = "batch_norm"                           \
    }
#endif
