/* y (n, 1, 1, c) = mean of x over the pixels of an image: the paper's squeeze. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

static bool global_avg_pool_infer(struct op_call *c, struct err *e)
{
    (void)e;
    shape_set(c->out, c->in[0]->n, 1, 1, c->in[0]->c);
    return true;
}

static size_t global_avg_pool_pixels(const struct op_call *c)
{
    return (size_t)c->in[0]->h * (size_t)c->in[0]->w;
}

static void global_avg_pool_run(const struct op_call *c,
                                void (*f)(const struct op_call *c, struct part p))
{
    size_t images = (size_t)c->out->n, floats = tensor_len(c->in[0]) / images;
    parts_run(c, images, part_count(images, floats), f);
}

/* Pixel by pixel, so that the sums of bf16 are those of floats. */
static void global_avg_pool_forward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[0];
    const size_t channels = (size_t)c->out->c, pixels = global_avg_pool_pixels(c);
    float *room = parallel_scratch(channels);
    for (size_t i = p.begin; i < p.end; i++) {
        float *y = c->out->data + i * channels;
        const size_t at = i * pixels * channels;
        memset(y, 0, channels * sizeof *y);
        for (size_t k = 0; x->bf16 && k < pixels; k++)
            kernels->add(y, y, tensor_floats(x, at + k * channels, channels, room), channels);
        if (!x->bf16) kernels->channel_sum(y, x->data + at, pixels, channels);
        for (size_t j = 0; j < channels; j++) y[j] /= (float)pixels;
    }
}

static void global_avg_pool_forward(const struct op_call *c)
{
    global_avg_pool_run(c, global_avg_pool_forward_part);
}

/* dx += share, in every pixel of an image of bf16. */
static void global_avg_pool_add(const struct tensor *x, size_t image, const float *share,
                                float *room)
{
    const size_t channels = (size_t)x->c, pixels = (size_t)x->h * (size_t)x->w;
    for (size_t at = image * pixels * channels, k = 0; k < pixels; k++, at += channels) {
        kernels->add(room, tensor_grad_floats(x, at, channels, room), share, channels);
        kernels->narrow(tensor_grad(x, at), room, channels);
    }
}

static void global_avg_pool_backward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[0];
    const size_t channels = (size_t)c->out->c, pixels = global_avg_pool_pixels(c);
    float *share = parallel_scratch(2 * channels);
    for (size_t i = p.begin; i < p.end; i++) {
        const float *dy = c->out->grad + i * channels;
        for (size_t j = 0; j < channels; j++) share[j] = dy[j] / (float)pixels;
        if (x->bf16)
            global_avg_pool_add(x, i, share, share + channels);
        else
            kernels->row_add(x->grad + i * pixels * channels, share, pixels, channels);
    }
}

static void global_avg_pool_backward(const struct op_call *c)
{
    if (c->in[0]->grad) global_avg_pool_run(c, global_avg_pool_backward_part);
}

static uint64_t global_avg_pool_macs(const struct op_call *c) { return tensor_len(c->in[0]); }

const struct op op_global_avg_pool = {
    .name = "global_avg_pool",
    .n_in = 1,
    .bf16 = READS_IN(0),
    .infer = global_avg_pool_infer,
    .forward = global_avg_pool_forward,
    .backward = global_avg_pool_backward,
    .macs = global_avg_pool_macs,
};
