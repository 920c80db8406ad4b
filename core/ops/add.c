/* y = a + b, of equal shapes: where a residual branch meets its shortcut. Either may have a
 * constant factor (the residual scaling of Szegedy et al. 2016; two halves are an average). */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

double add_scale(const struct add_attr *a, int input)
{
    return a && a->scale[input] != 0 ? a->scale[input] : 1;
}

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
    maps_for(c->out->bf16)
        ->mix(&(struct mix_map){ .y = tensor_data(c->out, at),
                                 .x = tensor_data(c->in[0], at),
                                 .z = tensor_data(c->in[1], at),
                                 .a = (float)add_scale(c->attr, 0),
                                 .b = (float)add_scale(c->attr, 1),
                                 .n = len });
}

static void add_forward(const struct op_call *c) { floats_run(c, add_forward_floats); }

/* Where both inputs are one tensor its gradient is rounded once. */
static void add_backward_floats(const struct op_call *c, size_t at, size_t len)
{
    double factor[2] = { add_scale(c->attr, 0), add_scale(c->attr, 1) };
    const bool twice = c->in[0] == c->in[1];
    if (twice) factor[0] += factor[1];
    for (int i = 0; i < (twice ? 1 : 2); i++)
        if (c->in[i]->grad)
            maps_for(c->out->bf16)
                ->pass(&(struct pass_map){ .dx = tensor_grad(c->in[i], at),
                                           .dy = tensor_grad(c->out, at),
                                           .factor = (float)factor[i],
                                           .n = len,
                                           .add = !(c->fresh & READS_IN(i)) });
}

static void add_backward(const struct op_call *c) { floats_run(c, add_backward_floats); }

static uint64_t add_macs(const struct op_call *c) { return tensor_len(c->out); }

/* A plain sum has nothing to say. */
static void add_describe(const struct op_call *c, struct text *t)
{
    const double a = add_scale(c->attr, 0), b = add_scale(c->attr, 1);
    if (a == 1 && b == 1) return;
    text_add(t, "scaled by ");
    text_real(t, a);
    text_add(t, " and ");
    text_real(t, b);
}

const struct op op_add = {
    .name = "add",
    .n_in = 2,
    .attr_size = sizeof(struct add_attr),
    .overwrites = READS_IN(0) | READS_IN(1),
    .bf16 = READS_IN(0) | READS_IN(1) | READS_OUT,
    .bf16_alike = true,
    .infer = add_infer,
    .forward = add_forward,
    .backward = add_backward,
    .macs = add_macs,
    .describe = add_describe,
};
