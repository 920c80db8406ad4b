/* y = tanh x. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static bool tanh_infer(struct op_call *c, struct err *e)
{
    (void)e;
    shape_copy(c->out, c->in[0]);
    return true;
}

static void tanh_forward_floats(const struct op_call *c, size_t at, size_t len)
{
    kernels->tanh(c->out->data + at, c->in[0]->data + at, len);
}

static void tanh_forward(const struct op_call *c) { floats_run(c, tanh_forward_floats); }

static void tanh_backward_floats(const struct op_call *c, size_t at, size_t len)
{
    kernels->tanh_grad_add(c->in[0]->grad + at, c->out->grad + at, c->out->data + at, len);
}

static void tanh_backward(const struct op_call *c)
{
    if (c->in[0]->grad) floats_run(c, tanh_backward_floats);
}

const struct op op_tanh = {
    .name = "tanh",
    .n_in = 1,
    .backward_reads = READS_OUT,
    .infer = tanh_infer,
    .forward = tanh_forward,
    .backward = tanh_backward,
};
