/* y = max(x, 0). The gradient at 0 is 0, as in PyTorch. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static bool relu_infer(struct op_call *c, struct err *e)
{
    (void)e;
    shape_copy(c->out, c->in[0]);
    return true;
}

static void relu_forward_floats(const struct op_call *c, size_t at, size_t len)
{
    kernels->relu(c->out->data + at, c->in[0]->data + at, len);
}

static void relu_forward(const struct op_call *c) { floats_run(c, relu_forward_floats); }

static void relu_backward_floats(const struct op_call *c, size_t at, size_t len)
{
    kernels->relu_grad_add(c->in[0]->grad + at, c->out->grad + at, c->out->data + at, len);
}

static void relu_backward(const struct op_call *c)
{
    if (c->in[0]->grad) floats_run(c, relu_backward_floats);
}

const struct op op_relu = {
    .name = "relu",
    .n_in = 1,
    .backward_reads = READS_OUT,
    .infer = relu_infer,
    .forward = relu_forward,
    .backward = relu_backward,
};
