/* y = 1 / (1 + e^-x): the excitation of the paper. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static bool sigmoid_infer(struct op_call *c, struct err *e)
{
    (void)e;
    shape_copy(c->out, c->in[0]);
    return true;
}

static void sigmoid_forward_floats(const struct op_call *c, size_t at, size_t len)
{
    kernels->sigmoid(c->out->data + at, c->in[0]->data + at, len);
}

static void sigmoid_forward(const struct op_call *c) { floats_run(c, sigmoid_forward_floats); }

static void sigmoid_backward_floats(const struct op_call *c, size_t at, size_t len)
{
    kernels->sigmoid_grad_add(c->in[0]->grad + at, c->out->grad + at, c->out->data + at, len);
}

static void sigmoid_backward(const struct op_call *c)
{
    if (c->in[0]->grad) floats_run(c, sigmoid_backward_floats);
}

const struct op op_sigmoid = {
    .name = "sigmoid",
    .n_in = 1,
    .backward_reads = READS_OUT,
    .infer = sigmoid_infer,
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
};
