/* y = max(a, b), of equal shapes. The gradient goes to the larger, half of it to each where they
 * are equal, as in PyTorch. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static bool maximum_infer(struct op_call *c, struct err *e)
{
    const struct tensor *a = c->in[0], *b = c->in[1];
    if (!shape_same(a, b))
        return err_set(e, "maximum: shapes " SHAPE " and " SHAPE " differ", SHAPE_OF(a),
                       SHAPE_OF(b));
    shape_copy(c->out, a);
    return true;
}

static void maximum_forward_floats(const struct op_call *c, size_t at, size_t len)
{
    maps_for(c->out->bf16)
        ->max(&(struct max_map){ .y = tensor_data(c->out, at),
                                 .x = tensor_data(c->in[0], at),
                                 .z = tensor_data(c->in[1], at),
                                 .n = len });
}

static void maximum_forward(const struct op_call *c) { floats_run(c, maximum_forward_floats); }

static void maximum_backward_floats(const struct op_call *c, size_t at, size_t len)
{
    for (int i = 0; i < 2; i++)
        if (c->in[i]->grad)
            maps_for(c->out->bf16)
                ->max_grad(&(struct max_grad_map){ .dx = tensor_grad(c->in[i], at),
                                                   .dy = tensor_grad(c->out, at),
                                                   .x = tensor_data(c->in[i], at),
                                                   .z = tensor_data(c->in[1 - i], at),
                                                   .n = len,
                                                   .add = !(c->fresh & READS_IN(i)) });
}

static void maximum_backward(const struct op_call *c) { floats_run(c, maximum_backward_floats); }

const struct op op_maximum = {
    .name = "maximum",
    .n_in = 2,
    .backward_reads = READS_IN(0) | READS_IN(1),
    .overwrites = READS_IN(0) | READS_IN(1),
    .bf16 = READS_IN(0) | READS_IN(1) | READS_OUT,
    .bf16_alike = true,
    .infer = maximum_infer,
    .forward = maximum_forward,
    .backward = maximum_backward,
};
