#include "core/ops/capped_relu.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

bool capped_relu_infer(struct op_call *c, struct err *e)
{
    (void)e;
    shape_copy(c->out, c->in[0]);
    return true;
}

struct capped_relu {
    const struct op_call *call;
    float cap;
    size_t parts;
};

static struct part capped_relu_part(const struct capped_relu *r, size_t chunk)
{
    struct part p = { .number = chunk };
    parallel_part(tensor_len(r->call->out), r->parts, chunk, &p.begin, &p.end);
    return p;
}

static void capped_relu_forward_chunk(void *ctx, size_t chunk)
{
    const struct capped_relu *r = ctx;
    const struct part p = capped_relu_part(r, chunk);
    const struct tensor *y = r->call->out;
    maps_for(y->bf16)->relu(&(struct relu_map){ .y = tensor_data(y, p.begin),
                                                .x = tensor_data(r->call->in[0], p.begin),
                                                .cap = r->cap,
                                                .n = p.end - p.begin });
}

static void capped_relu_backward_chunk(void *ctx, size_t chunk)
{
    const struct capped_relu *r = ctx;
    const struct part p = capped_relu_part(r, chunk);
    const struct tensor *y = r->call->out;
    maps_for(y->bf16)->relu_grad(
        &(struct relu_grad_map){ .dx = tensor_grad(r->call->in[0], p.begin),
                                 .dy = tensor_grad(y, p.begin),
                                 .y = tensor_data(y, p.begin),
                                 .cap = r->cap,
                                 .n = p.end - p.begin,
                                 .add = !(r->call->fresh & READS_IN(0)) });
}

static void capped_relu_run(const struct op_call *c, float cap,
                            void (*chunk)(void *ctx, size_t chunk))
{
    const size_t parts = part_count(tensor_len(c->out), 1);
    parallel_for(parts, chunk, &(struct capped_relu){ c, cap, parts });
}

void capped_relu_forward(const struct op_call *c, float cap)
{
    capped_relu_run(c, cap, capped_relu_forward_chunk);
}

void capped_relu_backward(const struct op_call *c, float cap)
{
    if (c->in[0]->grad) capped_relu_run(c, cap, capped_relu_backward_chunk);
}
