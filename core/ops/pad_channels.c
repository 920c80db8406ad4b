/* The parameter-free shortcut of He et al. 2016 (option A): every stride-th pixel in both
 * directions, and zero channels around the old ones, half of them on each side (the odd one
 * behind). */
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

static int pad_channels_stride(const struct op_call *c)
{
    const struct pad_channels_attr *a = c->attr;
    return a && a->stride ? a->stride : 1;
}

static bool pad_channels_infer(struct op_call *c, struct err *e)
{
    const struct pad_channels_attr *a = c->attr;
    const struct tensor *x = c->in[0];
    int stride = pad_channels_stride(c), channels = a ? a->channels : 0;
    if (stride < 1) return err_set(e, "pad_channels: stride %d is below 1", stride);
    if (channels < x->c)
        return err_set(e, "pad_channels: %d channels cannot be padded to %d", x->c, channels);
    shape_set(c->out, x->n, (x->h + stride - 1) / stride, (x->w + stride - 1) / stride, channels);
    return true;
}

/* The pixel of x, as an offset in floats, that an output pixel takes. */
static size_t pad_channels_from(const struct op_call *c, size_t pixel)
{
    const struct tensor *x = c->in[0], *y = c->out;
    size_t stride = (size_t)pad_channels_stride(c), row = pixel / (size_t)y->w;
    size_t i = row % (size_t)y->h * stride, j = pixel % (size_t)y->w * stride;
    return ((row / (size_t)y->h * (size_t)x->h + i) * (size_t)x->w + j) * (size_t)x->c;
}

static size_t pad_channels_before(const struct op_call *c)
{
    return (size_t)(c->out->c - c->in[0]->c) / 2;
}

static void pad_channels_run(const struct op_call *c,
                             void (*f)(const struct op_call *c, struct part p))
{
    size_t pixels = tensor_pixels(c->out);
    parts_run(c, pixels, part_count(pixels, (size_t)c->out->c), f);
}

static void pad_channels_forward_part(const struct op_call *c, struct part p)
{
    const size_t to = (size_t)c->out->c, before = pad_channels_before(c);
    const size_t bytes = (p.end - p.begin) * to * (c->out->bf16 ? sizeof(bf16) : sizeof(float));
    memset(tensor_data(c->out, p.begin * to), 0, bytes);
    for (size_t i = p.begin; i < p.end; i++)
        pixel_copy((struct pixel){ c->out, i * to + before },
                   (struct pixel){ c->in[0], pad_channels_from(c, i) }, (size_t)c->in[0]->c);
}

static void pad_channels_forward(const struct op_call *c)
{
    pad_channels_run(c, pad_channels_forward_part);
}

static void pad_channels_backward_part(const struct op_call *c, struct part p)
{
    const size_t to = (size_t)c->out->c, before = pad_channels_before(c);
    for (size_t i = p.begin; i < p.end; i++)
        pixel_pass((struct pixel){ c->in[0], pad_channels_from(c, i) },
                   (struct pixel){ c->out, i * to + before }, (size_t)c->in[0]->c, false);
}

static void pad_channels_backward(const struct op_call *c)
{
    if (c->in[0]->grad) pad_channels_run(c, pad_channels_backward_part);
}

static void pad_channels_describe(const struct op_call *c, struct text *t)
{
    text_addf(t, "to %d channels /%d", c->out->c, pad_channels_stride(c));
}

const struct op op_pad_channels = {
    .name = "pad_channels",
    .n_in = 1,
    .attr_size = sizeof(struct pad_channels_attr),
    .bf16 = READS_IN(0) | READS_OUT,
    .infer = pad_channels_infer,
    .forward = pad_channels_forward,
    .backward = pad_channels_backward,
    .describe = pad_channels_describe,
};
