/* The direct convolution as one of conv.h's algorithms: which shapes it supports and which part
 * serves them.
 */
#include "core/kernels/conv/direct/dense.h"
#include "core/kernels/conv/direct/depthwise.h"
#include "core/kernels/conv/direct/panels.h"

/* The two kinds of shapes and who serves them; the first that takes a shape. */
struct direct_way {
    bool (*supports)(const struct conv_shape *s);
    size_t (*work)(const struct conv_shape *s);
    size_t (*scratch)(const struct conv_shape *s, const struct conv_call *c);
    size_t (*packed)(const struct conv_shape *s, enum conv_pass pass);
    void (*pack)(const struct conv_shape *s, const struct conv_packing *p);
    void (*forward)(const struct conv_shape *s, const struct conv_call *c);
    void (*backward_data)(const struct conv_shape *s, const struct conv_call *c);
    void (*backward_weights)(const struct conv_shape *s, const struct conv_call *c);
};

/* Every shape; groups of very few output channels leave most of a vector empty. */
static bool dense_takes(const struct conv_shape *s)
{
    (void)s;
    return true;
}

static size_t dense_work(const struct conv_shape *s)
{
    const size_t pixels = direct_dense_work(s), weights = direct_weights_work(s);
    return pixels > weights ? pixels : weights;
}

static size_t dense_scratch(const struct conv_shape *s, const struct conv_call *c)
{
    const size_t pixels = direct_dense_scratch(s, c), weights = direct_weights_scratch(s, c);
    return pixels > weights ? pixels : weights;
}

static const struct direct_way direct_ways[] = {
    { direct_depthwise_supports, direct_depthwise_work, direct_depthwise_scratch,
      direct_depthwise_packed, direct_depthwise_pack, direct_depthwise_forward,
      direct_depthwise_backward_data, direct_depthwise_backward_weights },
    { dense_takes, dense_work, dense_scratch, direct_dense_packed, direct_dense_pack,
      direct_dense_forward, direct_dense_backward_data, direct_dense_backward_weights },
};
enum { DIRECT_WAYS = sizeof direct_ways / sizeof *direct_ways };

static const struct direct_way *direct_way(const struct conv_shape *s)
{
    for (int i = 0; i < DIRECT_WAYS; i++)
        if (direct_ways[i].supports(s)) return &direct_ways[i];
    return NULL;
}

static bool direct_supports(const struct conv_shape *s) { return direct_way(s); }

/* Every shape: what is not multiplied as bf16 is widened and narrowed on the way. */
static bool direct_supports_bf16(const struct conv_shape *s) { return direct_supports(s); }

static bool direct_folds_batch_norm(const struct conv_shape *s)
{
    return direct_way(s)->forward == direct_dense_forward;
}

static size_t direct_work(const struct conv_shape *s) { return direct_way(s)->work(s); }

static size_t direct_scratch(const struct conv_shape *s, const struct conv_call *c)
{
    return direct_way(s)->scratch(s, c);
}

static size_t direct_packed(const struct conv_shape *s, enum conv_pass pass)
{
    return direct_way(s)->packed(s, pass);
}

static void direct_pack(const struct conv_shape *s, const struct conv_packing *p)
{
    direct_way(s)->pack(s, p);
}

static void direct_forward(const struct conv_shape *s, const struct conv_call *c)
{
    direct_way(s)->forward(s, c);
}

static void direct_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    direct_way(s)->backward_data(s, c);
}

static void direct_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    direct_way(s)->backward_weights(s, c);
}

const struct conv_algorithm conv_direct = {
    .name = "direct",
    .supports = direct_supports,
    .supports_bf16 = direct_supports_bf16,
    .work = direct_work,
    .scratch = direct_scratch,
    .packed = direct_packed,
    .pack = direct_pack,
    .folds_batch_norm = direct_folds_batch_norm,
    .fuses_batch_norm = true,
    .forward = direct_forward,
    .backward_data = direct_backward_data,
    .backward_weights = direct_backward_weights,
};

/* Depthwise convolutions are bound by memory: floats do. */
static bool pairs_supports(const struct conv_shape *s)
{
    const struct direct_way *way = direct_way(s);
    return s->bf16_x && s->bf16_y && way && way->forward == direct_dense_forward;
}

static bool pairs_preferred(void) { return direct_isa()->pairs; }

static struct conv_shape in_pairs(const struct conv_shape *s)
{
    struct conv_shape p = *s;
    p.pairs = true;
    return p;
}

static size_t pairs_work(const struct conv_shape *s)
{
    const struct conv_shape p = in_pairs(s);
    return dense_work(&p);
}

static size_t pairs_scratch(const struct conv_shape *s, const struct conv_call *c)
{
    const struct conv_shape p = in_pairs(s);
    return dense_scratch(&p, c);
}

static size_t pairs_packed(const struct conv_shape *s, enum conv_pass pass)
{
    const struct conv_shape p = in_pairs(s);
    return direct_dense_packed(&p, pass);
}

static void pairs_pack(const struct conv_shape *s, const struct conv_packing *packing)
{
    const struct conv_shape p = in_pairs(s);
    direct_dense_pack(&p, packing);
}

static void pairs_forward(const struct conv_shape *s, const struct conv_call *c)
{
    const struct conv_shape p = in_pairs(s);
    direct_dense_forward(&p, c);
}

static void pairs_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    const struct conv_shape p = in_pairs(s);
    direct_dense_backward_data(&p, c);
}

static void pairs_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    const struct conv_shape p = in_pairs(s);
    direct_dense_backward_weights(&p, c);
}

const struct conv_algorithm conv_bf16_dot = {
    .name = "pairs",
    .supports = pairs_supports,
    .supports_bf16 = pairs_supports,
    .preferred = pairs_preferred,
    .work = pairs_work,
    .scratch = pairs_scratch,
    .packed = pairs_packed,
    .pack = pairs_pack,
    .folds_batch_norm = pairs_supports,
    .fuses_batch_norm = true,
    .forward = pairs_forward,
    .backward_data = pairs_backward_data,
    .backward_weights = pairs_backward_weights,
};
