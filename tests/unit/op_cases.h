#ifndef TESTS_UNIT_OP_CASES_H
#define TESTS_UNIT_OP_CASES_H
/* Every op in shapes that are large enough for many chunks. */
#include "tests/unit/trial.h"

#define VECTOR(c)  \
    {              \
        1, 1, 1, c \
    }

static const struct trial_case op_cases[] = {
    { OP_add, .in = { { 4, 32, 32, 24 }, { 4, 32, 32, 24 } } },
    { OP_add, .in = { { 4, 31, 32, 24 }, { 4, 31, 32, 24 } },
      .attr = &(struct add_attr){ { 1, 0.17 } } },
    { OP_avg_pool, .in = { { 4, 33, 32, 20 } }, .attr = &(struct pool_attr){ 3, 2, .pad = 1 } },
    { OP_avg_pool, .in = { { 4, 31, 30, 20 } }, .attr = &(struct pool_attr){ 3, 2, .ceil = true } },
    { OP_avg_pool, .in = { { 4, 30, 31, 70 } },
      .attr = &(struct pool_attr){ 3, 1, 1, .exclude_pad = true } },
    { OP_batch_norm, .in = { { 5, 31, 32, 24 }, VECTOR(24), VECTOR(24), VECTOR(24), VECTOR(24) },
      .fill = { [4] = FILL_POSITIVE }, .no_grad = 1 << 3 | 1 << 4 },
    { OP_channel_shuffle, .in = { { 4, 32, 31, 60 } },
      .attr = &(struct channel_shuffle_attr){ 3 } },
    { OP_concat, .in = { { 4, 32, 32, 9 }, { 4, 32, 32, 20 } } },
    { OP_conv2d, .in = { { 5, 17, 15, 12 }, { 3, 3, 12, 40 }, VECTOR(40) },
      .attr = &(struct conv2d_attr){ .stride = 2, .pad = PADDING(1) } },
    { OP_conv2d, .in = { { 4, 16, 16, 48 }, { 1, 1, 48, 300 } } },
    { OP_conv2d, .in = { { 5, 16, 16, 16 }, { 3, 3, 4, 32 } },
      .attr = &(struct conv2d_attr){ .pad = PADDING(1), .groups = 4 } },
    { OP_conv2d, .in = { { 5, 17, 16, 40 }, { 3, 3, 1, 40 }, VECTOR(40) },
      .attr = &(struct conv2d_attr){ .pad = PADDING(1), .groups = 40 } },
    { OP_dropout, .in = { { 9, 16, 16, 40 } }, .attr = &(struct dropout_attr){ 0.2 } },
    { OP_flatten, .in = { { 9, 16, 16, 40 } } },
    { OP_global_avg_pool, .in = { { 9, 16, 16, 40 } } },
    { OP_global_max_pool, .in = { { 9, 16, 16, 40 } } },
    { OP_linear, .in = { { 33, 1, 1, 300 }, { 1, 1, 300, 400 }, VECTOR(400) } },
    { OP_linear, .in = { { 33, 1, 1, 360 }, { 3, 3, 40, 400 }, VECTOR(400) } },
    { OP_max_pool, .in = { { 5, 33, 32, 20 } }, .attr = &(struct pool_attr){ 3, 2, .pad = 1 } },
    { OP_max_pool, .in = { { 5, 32, 33, 20 } }, .attr = &(struct pool_attr){ 3, 2, .ceil = true } },
    { OP_maximum, .in = { { 4, 32, 32, 24 }, { 4, 32, 32, 24 } } },
    { OP_pad_channels, .in = { { 5, 33, 32, 20 } }, .attr = &(struct pad_channels_attr){ 40, 2 } },
    { OP_relu, .in = { { 4, 32, 32, 24 } } },
    { OP_relu6, .in = { { 4, 32, 31, 24 } }, .fill = { FILL_SPREAD } },
    { OP_scale_channels, .in = { { 9, 16, 16, 40 }, { 9, 1, 1, 40 } } },
    { OP_scale_channels, .in = { { 9, 16, 16, 40 }, { 9, 16, 16, 40 } } },
    { OP_shake, .in = { { 9, 16, 16, 40 }, { 9, 16, 16, 40 } },
      .attr = &(struct shake_attr){ .backward = SHAKE_SHAKE } },
    { OP_shake, .in = { { 9, 16, 15, 40 }, { 9, 16, 15, 40 } },
      .attr = &(struct shake_attr){ SHAKE_EVEN, .batch = true } },
    { OP_sigmoid, .in = { { 4, 32, 32, 24 } } },
    { OP_softmax_loss, .in = { { 65, 1, 1, 1000 }, { 65, 1, 1, 1 } },
      .fill = { [1] = FILL_LABEL } },
    { OP_tanh, .in = { { 4, 32, 32, 24 } } },
};
enum { OP_CASES = sizeof op_cases / sizeof *op_cases };
#endif
