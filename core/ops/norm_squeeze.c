/* The squeeze of a virtual y = a u + b (core/ops/norm.h): its mean follows from the sums that the
 * convolution left, its maximum from one pass over u. Backward leaves the gradient with the norm,
 * which runs later and puts it into u's. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/norm.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

static bool norm_squeeze_infer(struct op_call *c, struct err *e)
{
    (void)e; /* it takes the place of a global pool that was not refused */
    shape_set(c->out, c->in[0]->n, 1, 1, c->in[0]->c);
    return true;
}

static void norm_avg_forward(const struct op_call *c)
{
    struct norm_state s = norm_state(c->in[0]->norm);
    size_t channels = (size_t)c->out->c;
    float share = 1.0f / (float)(c->in[0]->h * c->in[0]->w);
    for (size_t i = 0; i < tensor_len(c->out); i++) {
        size_t j = i % channels;
        c->out->data[i] = s.a[j] * (s.sum[i] * share) + s.b[j];
    }
}

static void norm_avg_backward(const struct op_call *c)
{
    struct norm_state s = norm_state(c->in[0]->norm);
    float share = 1.0f / (float)(c->in[0]->h * c->in[0]->w);
    for (size_t i = 0; i < tensor_len(c->out); i++) s.dsqueeze[i] = c->out->grad[i] * share;
}

/* One image: y a pixel at a time into scratch memory, and into the running maximum. */
static void norm_max_part(const struct op_call *c, struct part p)
{
    struct norm_state s = norm_state(c->in[0]->norm);
    size_t channels = (size_t)c->out->c, pixels = (size_t)c->in[0]->h * (size_t)c->in[0]->w;
    const struct tensor *u = c->in[0]->norm->in[0];
    float *max = c->out->data + p.begin * channels, *at = s.peak + p.begin * channels;
    float *y = parallel_scratch(2 * channels), *room = y + channels;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        const float *row = tensor_floats(u, (p.begin * pixels + pixel) * channels, channels, room);
        kernels->affine(pixel ? y : max, row, s.a, s.b, 1, channels);
        if (pixel)
            kernels->max_row(max, at, y, (float)pixel, channels);
        else
            memset(at, 0, channels * sizeof *at);
    }
}

static void norm_max_forward(const struct op_call *c)
{
    parts_run(c, (size_t)c->out->n, (size_t)c->out->n, norm_max_part);
}

static void norm_max_backward(const struct op_call *c)
{
    struct norm_state s = norm_state(c->in[0]->norm);
    memcpy(s.dsqueeze, c->out->grad, tensor_len(c->out) * sizeof *s.dsqueeze);
}

const struct op op_norm_avg = {
    .name = "norm_avg",
    .n_in = 1,
    .bf16 = READS_IN(0),
    .infer = norm_squeeze_infer,
    .forward = norm_avg_forward,
    .backward = norm_avg_backward,
};

const struct op op_norm_max = {
    .name = "norm_max",
    .n_in = 1,
    .bf16 = READS_IN(0),
    .infer = norm_squeeze_infer,
    .forward = norm_max_forward,
    .backward = norm_max_backward,
};
