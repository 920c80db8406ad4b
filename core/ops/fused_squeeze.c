/* The squeeze of what a fused call makes (core/ops/fused.h): the mean follows from the sums that
 * the writing pass left, the maximum of a deferred y = a u + b from one pass over u. Backward
 * leaves the gradient with that call, which runs later and adds it to the gradient that it passes
 * on. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/fused.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

static bool fused_squeeze_infer(struct op_call *c, struct err *e)
{
    (void)e; /* it takes the place of a global pool that was not refused */
    shape_set(c->out, c->in[0]->n, 1, 1, c->in[0]->c);
    return true;
}

/* One input's channels, from `first` on, of the means or of their gradient. */
static void fused_avg_input(const struct op_call *c, const struct tensor *x, size_t first,
                            bool backward)
{
    const struct squeeze_sums s = x->producer->links.squeezed(x->producer);
    const size_t channels = (size_t)x->c, all = (size_t)c->out->c;
    const float share = 1.0f / (float)(x->h * x->w);
    for (size_t i = 0; i < (size_t)x->n; i++)
        for (size_t j = 0, at = i * channels, to = i * all + first; j < channels; j++, at++, to++) {
            if (backward)
                s.grad[at] = c->out->grad[to] * share;
            else
                c->out->data[to] = s.a ? s.a[j] * (s.sum[at] * share) + s.b[j] : s.sum[at] * share;
        }
}

static void fused_avg_run(const struct op_call *c, bool backward)
{
    size_t first = 0;
    for (int i = 0; i < OP_INPUTS && c->in[i]; first += (size_t)c->in[i++]->c)
        fused_avg_input(c, c->in[i], first, backward);
}

static void fused_avg_forward(const struct op_call *c) { fused_avg_run(c, false); }
static void fused_avg_backward(const struct op_call *c) { fused_avg_run(c, true); }

/* One image: y a pixel at a time into scratch memory, and into the running maximum. */
static void fused_max_part(const struct op_call *c, struct part p)
{
    struct fused_norm_state s = fused_norm_state(c->in[0]->producer);
    size_t channels = (size_t)c->out->c, pixels = (size_t)c->in[0]->h * (size_t)c->in[0]->w;
    const struct tensor *u = c->in[0]->producer->in[0];
    float *max = c->out->data + p.begin * channels, *at = s.argmax + p.begin * channels;
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

static void fused_max_forward(const struct op_call *c)
{
    parts_run(c, (size_t)c->out->n, (size_t)c->out->n, fused_max_part);
}

static void fused_max_backward(const struct op_call *c)
{
    struct fused_norm_state s = fused_norm_state(c->in[0]->producer);
    memcpy(s.dsqueeze, c->out->grad, tensor_len(c->out) * sizeof *s.dsqueeze);
}

const struct op op_fused_global_avg_pool = {
    .name = "fused_global_avg_pool",
    .n_in = 1,
    .n_optional = OP_INPUTS - 1,
    .bf16 = READS_OUT - 1, /* all inputs */
    .infer = fused_squeeze_infer,
    .forward = fused_avg_forward,
    .backward = fused_avg_backward,
};

const struct op op_fused_global_max_pool = {
    .name = "fused_global_max_pool",
    .n_in = 1,
    .bf16 = READS_IN(0),
    .infer = fused_squeeze_infer,
    .forward = fused_max_forward,
    .backward = fused_max_backward,
};
