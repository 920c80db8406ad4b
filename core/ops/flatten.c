/* The map of an image as one vector, (n, 1, 1, h w c), in the order in which it lies in memory:
 * row, column, channel. The weights of the linear layer behind it know that (nn_flatten_linear). */
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static bool flatten_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[0];
    const int64_t len = (int64_t)x->h * x->w * x->c;
    if (len > INT32_MAX)
        return err_set(e, "flatten: %dx%dx%d numbers an image are too many", x->h, x->w, x->c);
    shape_set(c->out, x->n, 1, 1, (int)len);
    return true;
}

static void flatten_forward_part(const struct op_call *c, struct part p)
{
    const size_t channels = (size_t)c->in[0]->c;
    for (size_t i = p.begin; i < p.end; i++)
        pixel_copy((struct pixel){ c->out, i * channels }, (struct pixel){ c->in[0], i * channels },
                   channels);
}

static void flatten_backward_part(const struct op_call *c, struct part p)
{
    const size_t channels = (size_t)c->in[0]->c;
    for (size_t i = p.begin; i < p.end; i++)
        pixel_pass((struct pixel){ c->in[0], i * channels }, (struct pixel){ c->out, i * channels },
                   channels, c->fresh & READS_IN(0));
}

static void flatten_run(const struct op_call *c, void (*f)(const struct op_call *c, struct part p))
{
    const size_t pixels = tensor_pixels(c->in[0]);
    parts_run(c, pixels, part_count(pixels, (size_t)c->in[0]->c), f);
}

static void flatten_forward(const struct op_call *c) { flatten_run(c, flatten_forward_part); }

static void flatten_backward(const struct op_call *c)
{
    if (c->in[0]->grad) flatten_run(c, flatten_backward_part);
}

const struct op op_flatten = {
    .name = "flatten",
    .n_in = 1,
    .overwrites = READS_IN(0),
    .bf16 = READS_IN(0) | READS_OUT,
    .infer = flatten_infer,
    .forward = flatten_forward,
    .backward = flatten_backward,
};
