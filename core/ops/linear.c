/* y (n x out) = x (n x in) W (in x out) + bias: the classifier and the two layers of a gate.
 * Inputs x (n, 1, 1, in), W (1, 1, in, out), optionally a bias (1, 1, 1, out). Products are cut
 * along the outputs (forward) or the inputs (backward), never along a sum. */
#include "core/kernels/kernels.h"
#include "core/kernels/vector/gemm.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

enum { X, WEIGHTS, BIAS };

static bool linear_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[X], *w = c->in[WEIGHTS], *bias = c->in[BIAS];
    if (x->h != 1 || x->w != 1)
        return err_set(e, "linear: an input of " SHAPE " is no vector per image", SHAPE_OF(x));
    if (!shape_is(w, 1, 1, x->c, w->c))
        return err_set(e, "linear: weights of " SHAPE " for %d inputs", SHAPE_OF(w), x->c);
    if (bias && !shape_is(bias, 1, 1, 1, w->c))
        return err_set(e, "linear: a bias of " SHAPE " for %d outputs", SHAPE_OF(bias), w->c);
    shape_set(c->out, x->n, 1, 1, w->c);
    return true;
}

static void linear_run(const struct op_call *c, int items,
                       void (*f)(const struct op_call *c, struct part p))
{
    size_t others = tensor_len(c->in[WEIGHTS]) / (size_t)items;
    parts_run(c, (size_t)items, part_count((size_t)items, others), f);
}

static void linear_forward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[X], *w = c->in[WEIGHTS];
    struct gemm g = { .m = x->n, .n = (int)(p.end - p.begin), .k = x->c };
    g.a = x->data, g.lda = x->c;
    g.b = w->data + p.begin, g.ldb = w->c;
    g.c = c->out->data + p.begin, g.ldc = w->c;
    gemm(&g);
}

static void linear_forward(const struct op_call *c)
{
    const struct tensor *out = c->out, *bias = c->in[BIAS];
    linear_run(c, out->c, linear_forward_part);
    if (bias) kernels->row_add(out->data, bias->data, (size_t)out->n, (size_t)out->c);
}

/* Inputs [begin, end): their columns of dx = dy W^T and their rows of dW = x^T dy. */
static void linear_backward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[X], *w = c->in[WEIGHTS];
    size_t at = p.begin * (size_t)w->c;
    int inputs = (int)(p.end - p.begin);
    struct gemm dx = { .m = x->n, .n = inputs, .k = w->c, .b_t = true, .add = true };
    dx.a = c->out->grad, dx.lda = w->c;
    dx.b = w->data + at, dx.ldb = w->c;
    struct gemm dw = { .m = inputs, .n = w->c, .k = x->n, .a_t = true, .add = true };
    dw.a = x->data + p.begin, dw.lda = x->c;
    dw.b = c->out->grad, dw.ldb = w->c;
    if (x->grad) {
        dx.c = x->grad + p.begin, dx.ldc = x->c;
        gemm(&dx);
    }
    if (w->grad) {
        dw.c = w->grad + at, dw.ldc = w->c;
        gemm(&dw);
    }
}

static void linear_backward(const struct op_call *c)
{
    const struct tensor *out = c->out, *bias = c->in[BIAS];
    linear_run(c, c->in[X]->c, linear_backward_part);
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
    .infer = linear_infer,
    .forward = linear_forward,
    .backward = linear_backward,
    .macs = linear_macs,
};
