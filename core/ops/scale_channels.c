/* y = gate * x: the excitation's last step. The gate is a number for each image and channel,
 * (n, 1, 1, c), or for each element, (n, h, w, c). */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static bool scale_channels_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[0], *gate = c->in[1];
    if (!shape_is(gate, x->n, 1, 1, x->c) && !shape_same(gate, x))
        return err_set(e, "scale_channels: a gate of " SHAPE " does not fit an input of " SHAPE,
                       SHAPE_OF(gate), SHAPE_OF(x));
    shape_copy(c->out, x);
    return true;
}

/* Items are what has a gate vector of its own: images, or pixels. */
static size_t scale_channels_items(const struct op_call *c) { return tensor_pixels(c->in[1]); }

static size_t scale_channels_rows(const struct op_call *c)
{
    return tensor_pixels(c->in[0]) / scale_channels_items(c);
}

static void scale_channels_run(const struct op_call *c,
                               void (*f)(const struct op_call *c, struct part p))
{
    size_t items = scale_channels_items(c);
    parts_run(c, items, part_count(items, tensor_len(c->out) / items), f);
}

static void scale_channels_forward_part(const struct op_call *c, struct part p)
{
    size_t rows = scale_channels_rows(c), channels = (size_t)c->out->c;
    const float *x = c->in[0]->data, *gate = c->in[1]->data;
    size_t at = p.begin * channels, len = (p.end - p.begin) * channels;
    if (rows == 1)
        kernels->mul(c->out->data + at, x + at, gate + at, len);
    else
        for (size_t i = p.begin; i < p.end; i++)
            kernels->scale(c->out->data + i * rows * channels, x + i * rows * channels,
                           gate + i * channels, rows, channels);
}

static void scale_channels_forward(const struct op_call *c)
{
    scale_channels_run(c, scale_channels_forward_part);
}

static void scale_channels_backward_part(const struct op_call *c, struct part p)
{
    size_t rows = scale_channels_rows(c), channels = (size_t)c->out->c;
    const struct tensor *x = c->in[0], *gate = c->in[1];
    for (size_t i = p.begin; i < p.end; i++) {
        size_t at = i * rows * channels, g = i * channels;
        const float *dy = c->out->grad + at;
        if (x->grad) kernels->scale_add(x->grad + at, dy, gate->data + g, rows, channels);
        if (gate->grad) kernels->dot_add(gate->grad + g, dy, x->data + at, rows, channels);
    }
}

static void scale_channels_backward(const struct op_call *c)
{
    scale_channels_run(c, scale_channels_backward_part);
}

static uint64_t scale_channels_macs(const struct op_call *c) { return tensor_len(c->out); }

const struct op op_scale_channels = {
    .name = "scale_channels",
    .n_in = 2,
    .backward_reads = READS_IN(0) | READS_IN(1),
    .infer = scale_channels_infer,
    .forward = scale_channels_forward,
    .backward = scale_channels_backward,
    .macs = scale_channels_macs,
};
