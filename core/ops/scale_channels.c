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

/* Pixels that share a gate come in one go; where each has its own, all of a part's do. */
static void scale_channels_forward_part(const struct op_call *c, struct part p)
{
    const size_t rows = scale_channels_rows(c), channels = (size_t)c->out->c;
    const size_t step = rows == 1 ? p.end - p.begin : 1;
    for (size_t i = p.begin; i < p.end; i += step)
        maps_for(c->out->bf16)
            ->gate(&(struct gate_map){ .y = tensor_data(c->out, i * rows * channels),
                                       .x = tensor_data(c->in[0], i * rows * channels),
                                       .gate = c->in[1]->data + i * channels,
                                       .rows = rows,
                                       .n = step * channels });
}

static void scale_channels_forward(const struct op_call *c)
{
    scale_channels_run(c, scale_channels_forward_part);
}

static void scale_channels_backward_part(const struct op_call *c, struct part p)
{
    const size_t rows = scale_channels_rows(c), channels = (size_t)c->out->c;
    const size_t step = rows == 1 ? p.end - p.begin : 1;
    const struct tensor *x = c->in[0], *gate = c->in[1];
    const struct map_kernels *maps = maps_for(c->out->bf16);
    for (size_t i = p.begin; i < p.end; i += step) {
        const size_t at = i * rows * channels, g = i * channels, n = step * channels;
        const void *dy = tensor_grad(c->out, at);
        if (x->grad)
            maps->gate(&(struct gate_map){ .y = tensor_grad(x, at),
                                           .x = dy,
                                           .gate = gate->data + g,
                                           .rows = rows,
                                           .n = n,
                                           .add = !(c->fresh & READS_IN(0)) });
        if (gate->grad)
            maps->gate_grad(&(struct gate_grad_map){
                .dgate = gate->grad + g, .dy = dy, .x = tensor_data(x, at), .rows = rows, .n = n });
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
    .overwrites = READS_IN(0),
    .bf16 = READS_IN(0) | READS_OUT,
    .bf16_alike = true,
    .infer = scale_channels_infer,
    .forward = scale_channels_forward,
    .backward = scale_channels_backward,
    .macs = scale_channels_macs,
};
