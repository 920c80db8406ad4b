/* Dropout (Srivastava et al. 2014), inverted: in training y = x / (1 - rate) or 0, in an
 * evaluation y = x. What is dropped follows from the run's seed, the step and the node's name.
 * saved: the factor of each element. */
#include "core/kernels/kernels.h"
#include "core/ops/draw.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

static double dropout_rate(const struct op_call *c)
{
    const struct dropout_attr *a = c->attr;
    return a ? a->rate : 0;
}

static bool dropout_infer(struct op_call *c, struct err *e)
{
    if (!(dropout_rate(c) >= 0 && dropout_rate(c) < 1))
        return err_set(e, "dropout: rate %g is not in [0, 1)", dropout_rate(c));
    shape_copy(c->out, c->in[0]);
    return true;
}

static size_t dropout_saved(const struct op_call *c) { return tensor_len(c->out); }

/* One stream for each image. */
static void dropout_draw(const struct op_call *c, size_t image, float *factor, size_t len)
{
    struct rng r = draw_stream(c, RNG_DROPOUT, image);
    uint32_t below = (uint32_t)(dropout_rate(c) * 0x1p32);
    float kept = (float)(1 / (1 - dropout_rate(c)));
    for (size_t i = 0; i < len; i++) factor[i] = rng_u32(&r) < below ? 0 : kept;
}

static void dropout_forward_part(const struct op_call *c, struct part p)
{
    size_t len = tensor_len(c->out) / (size_t)c->out->n;
    for (size_t i = p.begin; i < p.end; i++) {
        float *factor = c->saved + i * len;
        dropout_draw(c, i, factor, len);
        maps_for(c->out->bf16)
            ->gate(&(struct gate_map){ .y = tensor_data(c->out, i * len),
                                       .x = tensor_data(c->in[0], i * len),
                                       .gate = factor,
                                       .rows = 1,
                                       .n = len });
    }
}

static void dropout_forward(const struct op_call *c)
{
    size_t images = (size_t)c->out->n, len = tensor_len(c->out);
    if (c->step->training)
        parts_run(c, images, part_count(images, len / images), dropout_forward_part);
    else
        memcpy(c->out->data, c->in[0]->data, tensor_bytes(c->out));
}

static void dropout_backward_floats(const struct op_call *c, size_t at, size_t len)
{
    void *dx = tensor_grad(c->in[0], at);
    const void *dy = tensor_grad(c->out, at);
    const bool add = !(c->fresh & READS_IN(0));
    const struct map_kernels *maps = maps_for(c->out->bf16);
    if (c->step->training)
        maps->gate(&(struct gate_map){ dx, dy, c->saved + at, .rows = 1, .n = len, .add = add });
    else
        maps->pass(&(struct pass_map){ dx, dy, .factor = 1, .n = len, .add = add });
}

static void dropout_backward(const struct op_call *c)
{
    if (c->in[0]->grad) floats_run(c, dropout_backward_floats);
}

static void dropout_describe(const struct op_call *c, struct text *t)
{
    text_add(t, "rate ");
    text_real(t, dropout_rate(c));
}

const struct op op_dropout = {
    .name = "dropout",
    .n_in = 1,
    .attr_size = sizeof(struct dropout_attr),
    .overwrites = READS_IN(0),
    .bf16 = READS_IN(0) | READS_OUT,
    .bf16_alike = true,
    .infer = dropout_infer,
    .saved = dropout_saved,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .describe = dropout_describe,
};
