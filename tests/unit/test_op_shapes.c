/* What ops refuse and how they say it, what they count, and how they describe themselves. */
#include "core/ops/ops.h"
#include "tests/unit/unit.h"
#include <string.h>

struct shape_case {
    enum op_id op;
    int in[OP_INPUTS][4];
    const void *attr;
    int out[4];       /* n 0: refused with `text` */
    const char *text; /* the refusal, or the description; NULL: none */
    uint64_t macs;
};

#define VECTOR(c)  \
    {              \
        1, 1, 1, c \
    }

static const struct shape_case cases[] = {
    { OP_add, { { 2, 4, 4, 3 }, { 2, 4, 4, 3 } }, NULL, { 2, 4, 4, 3 }, NULL, 96 },
    { OP_add,
      { { 2, 4, 4, 3 }, { 2, 4, 2, 3 } },
      NULL,
      { 0 },
      "add: shapes 2x4x4x3 and 2x4x2x3 differ",
      0 },
    { OP_add,
      { { 2, 4, 4, 3 }, { 2, 4, 4, 3 } },
      &(struct add_attr){ { 0, 0.17 } },
      { 2, 4, 4, 3 },
      "scaled by 1 and 0.17",
      96 },
    { OP_channel_shuffle,
      { { 2, 4, 4, 12 } },
      &(struct channel_shuffle_attr){ 3 },
      { 2, 4, 4, 12 },
      "groups 3",
      0 },
    { OP_channel_shuffle,
      { { 2, 4, 4, 12 } },
      &(struct channel_shuffle_attr){ 5 },
      { 0 },
      "channel_shuffle: 5 groups do not divide 12 channels",
      0 },
    { OP_channel_shuffle,
      { { 2, 4, 4, 12 } },
      &(struct channel_shuffle_attr){ 0 },
      { 0 },
      "channel_shuffle: 0 groups do not divide 12 channels",
      0 },
    { OP_flatten, { { 2, 7, 7, 512 } }, NULL, { 2, 1, 1, 25088 }, NULL, 0 },
    { OP_flatten,
      { { 2, 50000, 50000, 3 } },
      NULL,
      { 0 },
      "flatten: 50000x50000x3 numbers an image are too many",
      0 },
    { OP_maximum, { { 2, 4, 4, 3 }, { 2, 4, 4, 3 } }, NULL, { 2, 4, 4, 3 }, NULL, 0 },
    { OP_maximum,
      { { 2, 4, 4, 3 }, { 2, 4, 4, 2 } },
      NULL,
      { 0 },
      "maximum: shapes 2x4x4x3 and 2x4x4x2 differ",
      0 },
    { OP_relu6, { { 2, 3, 4, 5 } }, NULL, { 2, 3, 4, 5 }, NULL, 0 },
    { OP_shake,
      { { 2, 4, 4, 3 }, { 2, 4, 4, 3 } },
      &(struct shake_attr){ .backward = SHAKE_SHAKE },
      { 2, 4, 4, 3 },
      "shake, one share an image",
      96 },
    { OP_shake,
      { { 2, 4, 4, 3 }, { 2, 4, 4, 3 } },
      &(struct shake_attr){ SHAKE_EVEN, .batch = true },
      { 2, 4, 4, 3 },
      "even, one share a batch",
      96 },
    { OP_shake,
      { { 2, 4, 4, 3 }, { 3, 4, 4, 3 } },
      NULL,
      { 0 },
      "shake: shapes 2x4x4x3 and 3x4x4x3 differ",
      0 },
    { OP_avg_pool,
      { { 2, 8, 8, 3 } },
      &(struct pool_attr){ .size = 8 },
      { 2, 1, 1, 3 },
      "8x8/8 pad 0",
      384 },
    { OP_max_pool,
      { { 1, 112, 112, 64 } },
      &(struct pool_attr){ 3, 2, .pad = 1 },
      { 1, 56, 56, 64 },
      "3x3/2 pad 1",
      1806336 },
    { OP_max_pool,
      { { 1, 112, 112, 64 } },
      &(struct pool_attr){ 3, 2, .ceil = true },
      { 1, 56, 56, 64 },
      "3x3/2 pad 0 ceil",
      1806336 },
    { OP_max_pool, /* a third window would begin in the padding behind */
      { { 1, 3, 4, 1 } },
      &(struct pool_attr){ 2, 2, 1, .ceil = true },
      { 1, 2, 3, 1 },
      "2x2/2 pad 1 ceil",
      24 },
    { OP_avg_pool,
      { { 1, 35, 35, 2 } },
      &(struct pool_attr){ 3, 1, 1, .exclude_pad = true },
      { 1, 35, 35, 2 },
      "3x3/1 pad 1 not counted",
      22050 },
    { OP_max_pool,
      { { 1, 4, 4, 1 } },
      &(struct pool_attr){ 5, 1, .pad = 0 },
      { 0 },
      "max_pool: a 5x5 window does not fit into 4x4 pixels with padding 0",
      0 },
    { OP_max_pool,
      { { 1, 4, 4, 1 } },
      &(struct pool_attr){ 3, 1, .pad = 2 },
      { 0 },
      "max_pool: padding 2 is more than half of the window 3",
      0 },
    { OP_avg_pool,
      { { 1, 4, 4, 1 } },
      &(struct pool_attr){ 0, 1, .pad = 0 },
      { 0 },
      "avg_pool: window 0 and stride 1 must be at least 1",
      0 },
    { OP_max_pool,
      { { 1, 4, 4, 1 } },
      NULL,
      { 0 },
      "max_pool: window 0 and stride 0 must be at least 1",
      0 },
    { OP_batch_norm,
      { { 2, 3, 3, 5 }, VECTOR(5), VECTOR(5), VECTOR(5), VECTOR(5) },
      NULL,
      { 2, 3, 3, 5 },
      "momentum 0.1 epsilon 1e-05",
      0 },
    { OP_batch_norm,
      { { 2, 3, 3, 5 }, VECTOR(5), VECTOR(5), VECTOR(4), VECTOR(5) },
      NULL,
      { 0 },
      "batch_norm: input 3 is 1x1x1x4, not 1x1x1x5",
      0 },
    { OP_batch_norm,
      { VECTOR(5), VECTOR(5), VECTOR(5), VECTOR(5), VECTOR(5) },
      NULL,
      { 0 },
      "batch_norm: an input of 1x1x1x5 has one value per channel and so no variance; use a larger "
      "batch or larger images",
      0 },
    { OP_concat, { { 2, 3, 3, 5 }, { 2, 3, 3, 1 } }, NULL, { 2, 3, 3, 6 }, NULL, 0 },
    { OP_concat,
      { { 2, 3, 3, 5 }, { 2, 3, 2, 5 } },
      NULL,
      { 0 },
      "concat: shapes 2x3x3x5 and 2x3x2x5 differ in more than channels",
      0 },
    { OP_conv2d,
      { { 1, 224, 224, 3 }, { 7, 7, 3, 64 } },
      &(struct conv2d_attr){ 2, PADDING(3), 0 },
      { 1, 112, 112, 64 },
      "7x7/2 pad 3 groups 1",
      118013952 },
    { OP_conv2d,
      { { 1, 14, 14, 512 }, { 3, 3, 16, 512 } },
      &(struct conv2d_attr){ 0, PADDING(1), 32 },
      { 1, 14, 14, 512 },
      "3x3/1 pad 1 groups 32",
      14450688 },
    { OP_conv2d,
      { { 1, 4, 4, 6 }, { 3, 3, 6, 8 } },
      &(struct conv2d_attr){ 1, PADDING(1), 4 },
      { 0 },
      "conv2d: 4 groups do not divide 6 input and 8 output channels",
      0 },
    { OP_conv2d,
      { { 1, 4, 4, 6 }, { 3, 3, 5, 8 } },
      NULL,
      { 0 },
      "conv2d: weights for 5 input channels in a group, but there are 6",
      0 },
    { OP_conv2d,
      { { 1, 2, 4, 6 }, { 3, 3, 6, 8 } },
      NULL,
      { 0 },
      "conv2d: a 3x3 kernel does not fit into 2x4 pixels with padding 0, 0, 0, 0 (top, bottom, "
      "left, right)",
      0 },
    { OP_conv2d,
      { { 1, 4, 4, 6 }, { 3, 3, 6, 8 }, VECTOR(6) },
      NULL,
      { 0 },
      "conv2d: a bias of 1x1x1x6 for 8 channels",
      0 },
    { OP_conv2d,
      { { 1, 4, 4, 6 }, { 3, 3, 6, 8 } },
      &(struct conv2d_attr){ -1, PADDING(0), 0 },
      { 0 },
      "conv2d: stride -1, padding 0 at the top and 0 at the left and groups 0 must not be negative",
      0 },
    { OP_conv2d, /* reads the pixels at -1, 1, ... */
      { { 1, 4, 6, 6 }, { 1, 1, 6, 8 } },
      &(struct conv2d_attr){ 2, { 1, -1, 1, -1 }, 0 },
      { 1, 2, 3, 8 },
      "1x1/2 pad 1,-1,1,-1 groups 1",
      288 },
    { OP_dropout, { VECTOR(5) }, &(struct dropout_attr){ 0.25 }, VECTOR(5), "rate 0.25", 0 },
    { OP_dropout,
      { VECTOR(5) },
      &(struct dropout_attr){ 1 },
      { 0 },
      "dropout: rate 1 is not in [0, 1)",
      0 },
    { OP_global_avg_pool, { { 2, 3, 4, 5 } }, NULL, { 2, 1, 1, 5 }, NULL, 120 },
    { OP_global_max_pool, { { 2, 3, 4, 5 } }, NULL, { 2, 1, 1, 5 }, NULL, 120 },
    { OP_global_max_pool,
      { { 1, 5000, 4000, 1 } },
      NULL,
      { 0 },
      "global_max_pool: 5000x4000 pixels are more than 2^24",
      0 },
    { OP_linear, { { 4, 1, 1, 5 }, { 1, 1, 5, 7 }, VECTOR(7) }, NULL, { 4, 1, 1, 7 }, NULL, 140 },
    { OP_linear,
      { { 4, 2, 1, 5 }, { 1, 1, 5, 7 } },
      NULL,
      { 0 },
      "linear: an input of 4x2x1x5 is no vector per image",
      0 },
    { OP_linear,
      { { 4, 1, 1, 5 }, { 1, 1, 6, 7 } },
      NULL,
      { 0 },
      "linear: weights of 1x1x6x7 for 5 inputs",
      0 },
    { OP_linear,
      { { 4, 1, 1, 5 }, { 1, 1, 5, 7 }, VECTOR(5) },
      NULL,
      { 0 },
      "linear: a bias of 1x1x1x5 for 7 outputs",
      0 },
    { OP_linear, { { 4, 1, 1, 18 }, { 3, 2, 3, 7 }, VECTOR(7) }, NULL, { 4, 1, 1, 7 }, NULL, 504 },
    { OP_pad_channels,
      { { 2, 5, 4, 3 } },
      &(struct pad_channels_attr){ 8, 2 },
      { 2, 3, 2, 8 },
      "to 8 channels /2",
      0 },
    { OP_pad_channels,
      { { 2, 5, 4, 3 } },
      &(struct pad_channels_attr){ 2, 1 },
      { 0 },
      "pad_channels: 3 channels cannot be padded to 2",
      0 },
    { OP_relu, { { 2, 3, 4, 5 } }, NULL, { 2, 3, 4, 5 }, NULL, 0 },
    { OP_scale_channels, { { 2, 3, 4, 5 }, { 2, 1, 1, 5 } }, NULL, { 2, 3, 4, 5 }, NULL, 120 },
    { OP_scale_channels, { { 2, 3, 4, 5 }, { 2, 3, 4, 5 } }, NULL, { 2, 3, 4, 5 }, NULL, 120 },
    { OP_scale_channels,
      { { 2, 3, 4, 5 }, { 1, 1, 1, 5 } },
      NULL,
      { 0 },
      "scale_channels: a gate of 1x1x1x5 does not fit an input of 2x3x4x5",
      0 },
    { OP_sigmoid, { { 2, 3, 4, 5 } }, NULL, { 2, 3, 4, 5 }, NULL, 0 },
    { OP_softmax_loss,
      { { 2, 1, 1, 5 }, { 2, 1, 1, 1 } },
      &(struct softmax_loss_attr){ 0.1 },
      VECTOR(1),
      "smoothing 0.1",
      0 },
    { OP_softmax_loss,
      { { 2, 1, 1, 5 }, { 2, 1, 1, 5 } },
      NULL,
      { 0 },
      "softmax_loss: labels of 2x1x1x5 for 2 images",
      0 },
    { OP_softmax_loss,
      { { 2, 2, 1, 5 }, { 2, 1, 1, 1 } },
      NULL,
      { 0 },
      "softmax_loss: logits of 2x2x1x5 are no vector per image",
      0 },
    { OP_softmax_loss,
      { { 2, 1, 1, 5 }, { 2, 1, 1, 1 } },
      &(struct softmax_loss_attr){ 1.5 },
      { 0 },
      "softmax_loss: smoothing 1.5 is not in [0, 1]",
      0 },
    { OP_tanh, { { 2, 3, 4, 5 } }, NULL, { 2, 3, 4, 5 }, NULL, 0 },
};
enum { CASES = sizeof cases / sizeof *cases };

/* Shapes only: no tensor has memory here. */
START_TEST(shapes_counts_and_words)
{
    const struct shape_case *s = &cases[_i];
    struct tensor in[OP_INPUTS], out = { 0 };
    struct op_call c = { .out = &out, .attr = s->attr };
    struct text words = { 0 };
    struct err e;
    for (int i = 0; i < OP_INPUTS && s->in[i][0]; i++) {
        in[i] = (struct tensor){
            .n = s->in[i][0], .h = s->in[i][1], .w = s->in[i][2], .c = s->in[i][3]
        };
        c.in[i] = &in[i];
    }
    bool taken = ops[s->op]->infer(&c, &e);
    ck_assert_msg(taken == (s->out[0] > 0), "case %d: %s", _i, taken ? "is not refused" : e.text);
    if (!taken) {
        ck_assert_str_eq(e.text, s->text);
        return;
    }
    ck_assert(out.n == s->out[0] && out.h == s->out[1] && out.w == s->out[2] && out.c == s->out[3]);
    ck_assert_uint_eq(ops[s->op]->macs ? ops[s->op]->macs(&c) : 0, s->macs);
    if (ops[s->op]->describe) ops[s->op]->describe(&c, &words);
    ck_assert_pstr_eq(words.s, s->text);
    text_clear(&words);
}
END_TEST

START_TEST(every_op_has_a_case)
{
    for (int op = 0; op < OPS_COUNT; op++) {
        int found = 0;
        for (int i = 0; i < CASES; i++) found += (int)cases[i].op == op && cases[i].out[0];
        ck_assert_msg(found, "%s has no case", ops[op]->name);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("op shapes");
    TCase *c = tcase_create("shapes");
    tcase_add_loop_test(c, shapes_counts_and_words, 0, CASES);
    suite_add_tcase(s, c);
    unit_case(s, "list", 10, UNIT_TESTS(every_op_has_a_case));
    return s;
}
