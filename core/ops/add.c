/* y = a + b, of equal shapes: where a residual branch meets its shortcut. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static bool add_infer(struct op_call *c, struct err *e)
{
    const struct tensor *a = c->in[0], *b = c->in[1];
    if (!shape_same(a, b))
        return err_set(e, "add: shapes " SHAPE " and " SHAPE " differ", SHAPE_OF(a), SHAPE_OF(b));
    shape_copy(c->out, a);
    return true;
}

static void add_forward_floats(const struct op_call *c, size_t at, size_t len)
{
    kernels->add(c->out->data + at, c->in[0]->data + at, c->in[1]->data + at, len);
}

static void add_forward(const struct op_call *c) { floats_run(c, add_forward_floats); }

static void add_backward_floats(const struct op_call *c, size_t at, size_t len)
{
    for (int i = 0; i < 2; i++) {
        float *g = c->in[i]->grad;
        if (g) kernels->add(g + at, g + at, c->out->grad + at, len);
    }
}

static void add_backward(const struct op_call *c) { floats_run(c, add_backward_floats); }

static uint64_t add_macs(const struct op_call *c) { return tensor_len(c->out); }

const struct op op_add = {
    .name = "add",
    .n_in = 2,
    .infer = add_infer,
    .forward = add_forward,
    .backward = add_backward,
    .macs = add_macs,
};
