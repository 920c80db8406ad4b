/* y (n, 1, 1, c) = maximum of x over the pixels of an image: the squeeze `max`. The gradient goes
 * to the first pixel that holds it.
 * saved: that pixel's number in its image for each output, as a float. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

static bool global_max_pool_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[0];
    if ((int64_t)x->h * x->w > 1 << 24)
        return err_set(e, "global_max_pool: %dx%d pixels are more than 2^24", x->h, x->w);
    shape_set(c->out, x->n, 1, 1, x->c);
    return true;
}

static size_t global_max_pool_saved(const struct op_call *c) { return tensor_len(c->out); }

static void global_max_pool_run(const struct op_call *c,
                                void (*f)(const struct op_call *c, struct part p))
{
    size_t images = (size_t)c->out->n, floats = tensor_len(c->in[0]) / images;
    parts_run(c, images, part_count(images, floats), f);
}

static void global_max_pool_forward_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->out->c, pixels = (size_t)c->in[0]->h * (size_t)c->in[0]->w;
    float *room = parallel_scratch(channels);
    for (size_t i = p.begin; i < p.end; i++) {
        float *y = c->out->data + i * channels, *at = c->saved + i * channels;
        for (size_t pixel = 0; pixel < pixels; pixel++) {
            const size_t from = (i * pixels + pixel) * channels;
            const float *x = tensor_floats(c->in[0], from, channels, room);
            if (pixel == 0)
                memcpy(y, x, channels * sizeof *y), memset(at, 0, channels * sizeof *at);
            kernels->max_row(y, at, x, (float)pixel, channels);
        }
    }
}

static void global_max_pool_forward(const struct op_call *c)
{
    global_max_pool_run(c, global_max_pool_forward_part);
}

static void global_max_pool_backward_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->out->c, pixels = (size_t)c->in[0]->h * (size_t)c->in[0]->w;
    for (size_t i = p.begin; i < p.end; i++) {
        const float *dy = c->out->grad + i * channels, *at = c->saved + i * channels;
        for (size_t j = 0; j < channels; j++)
            tensor_grad_add(c->in[0], (i * pixels + (size_t)at[j]) * channels + j, dy[j]);
    }
}

static void global_max_pool_backward(const struct op_call *c)
{
    if (c->in[0]->grad) global_max_pool_run(c, global_max_pool_backward_part);
}

static uint64_t global_max_pool_macs(const struct op_call *c) { return tensor_len(c->in[0]); }

const struct op op_global_max_pool = {
    .name = "global_max_pool",
    .n_in = 1,
    .bf16 = READS_IN(0),
    .infer = global_max_pool_infer,
    .saved = global_max_pool_saved,
    .forward = global_max_pool_forward,
    .backward = global_max_pool_backward,
    .macs = global_max_pool_macs,
};
