/* Joins two to five tensors along the channels, in the order of the inputs. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

static bool concat_infer(struct op_call *c, struct err *e)
{
    const struct tensor *a = c->in[0];
    int channels = a->c;
    for (int i = 1; i < OP_INPUTS && c->in[i]; i++) {
        const struct tensor *b = c->in[i];
        if (!shape_is(b, a->n, a->h, a->w, b->c))
            return err_set(e, "concat: shapes " SHAPE " and " SHAPE " differ in more than channels",
                           SHAPE_OF(a), SHAPE_OF(b));
        channels += b->c;
    }
    shape_set(c->out, a->n, a->h, a->w, channels);
    return true;
}

static void concat_run(const struct op_call *c, void (*f)(const struct op_call *c, struct part p))
{
    size_t pixels = tensor_pixels(c->out);
    parts_run(c, pixels, part_count(pixels, (size_t)c->out->c), f);
}

static void concat_forward_part(const struct op_call *c, struct part p)
{
    float *y = c->out->data + p.begin * (size_t)c->out->c;
    for (size_t pixel = p.begin; pixel < p.end; pixel++)
        for (int i = 0; i < OP_INPUTS && c->in[i]; i++) {
            size_t channels = (size_t)c->in[i]->c;
            memcpy(y, c->in[i]->data + pixel * channels, channels * sizeof *y);
            y += channels;
        }
}

static void concat_forward(const struct op_call *c) { concat_run(c, concat_forward_part); }

static void concat_backward_part(const struct op_call *c, struct part p)
{
    const float *dy = c->out->grad + p.begin * (size_t)c->out->c;
    for (size_t pixel = p.begin; pixel < p.end; pixel++)
        for (int i = 0; i < OP_INPUTS && c->in[i]; i++) {
            size_t channels = (size_t)c->in[i]->c;
            float *dx = c->in[i]->grad ? c->in[i]->grad + pixel * channels : NULL;
            if (dx) kernels->add(dx, dx, dy, channels);
            dy += channels;
        }
}

static void concat_backward(const struct op_call *c) { concat_run(c, concat_backward_part); }

const struct op op_concat = {
    .name = "concat",
    .n_in = 2,
    .n_optional = OP_INPUTS - 2,
    .infer = concat_infer,
    .forward = concat_forward,
    .backward = concat_backward,
};
