/* y (n x out) = x (n x in) W (in x out) + bias: the classifier and the two layers of a gate.
 * Inputs x (n, 1, 1, in), W (1, 1, in, out) or, where x is a map of h x w pixels that was
 * flattened, (h, w, in / (h w), out), optionally a bias (1, 1, 1, out). */
#include "core/kernels/kernels.h"
#include "core/kernels/matmul/matmul.h"
#include "core/ops/ops.h"
#include "core/ops/shape.h"

enum { X, WEIGHTS, BIAS };

static bool linear_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[X], *w = c->in[WEIGHTS], *bias = c->in[BIAS];
    if (x->h != 1 || x->w != 1)
        return err_set(e, "linear: an input of " SHAPE " is no vector per image", SHAPE_OF(x));
    if ((int64_t)w->n * w->h * w->w != x->c)
        return err_set(e, "linear: weights of " SHAPE " for %d inputs", SHAPE_OF(w), x->c);
    if (bias && !shape_is(bias, 1, 1, 1, w->c))
        return err_set(e, "linear: a bias of " SHAPE " for %d outputs", SHAPE_OF(bias), w->c);
    shape_set(c->out, x->n, 1, 1, w->c);
    return true;
}

static struct matmul linear_shape(const struct op_call *c)
{
    return (struct matmul){ .m = c->in[X]->n, .k = c->in[X]->c, .n = c->in[WEIGHTS]->c };
}

static size_t linear_work(const struct op_call *c)
{
    const struct matmul p = linear_shape(c);
    return matmul_work(&p);
}

static void linear_forward(const struct op_call *c)
{
    struct matmul p = linear_shape(c);
    p.x = c->in[X]->data, p.w = c->in[WEIGHTS]->data, p.y = c->out->data;
    if (c->in[BIAS]) p.bias = c->in[BIAS]->data;
    matmul_forward(&p);
}

static void linear_backward(const struct op_call *c)
{
    const struct tensor *out = c->out, *bias = c->in[BIAS];
    struct matmul p = linear_shape(c);
    p.x = c->in[X]->data, p.w = c->in[WEIGHTS]->data, p.dy = out->grad;
    p.dx = c->in[X]->grad, p.dw = c->in[WEIGHTS]->grad;
    p.overwrite = c->fresh & READS_IN(X);
    p.work = c->work;
    if (p.dx) matmul_backward_data(&p);
    if (p.dw) matmul_backward_weights(&p);
    if (bias && bias->grad)
        kernels->channel_sum(bias->grad, out->grad, (size_t)out->n, (size_t)out->c);
}

static uint64_t linear_macs(const struct op_call *c)
{
    return tensor_len(c->out) * (uint64_t)c->in[X]->c;
}

const struct op op_linear = {
    .name = "linear",
    .n_in = 2,
    .n_optional = 1,
    .backward_reads = READS_IN(X) | READS_IN(WEIGHTS),
    .overwrites = READS_IN(X),
    .infer = linear_infer,
    .work = linear_work,
    .forward = linear_forward,
    .backward = linear_backward,
    .macs = linear_macs,
};
