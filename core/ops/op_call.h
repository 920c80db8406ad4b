#ifndef CORE_OPS_OP_CALL_H
#define CORE_OPS_OP_CALL_H
#include "core/ops/op.h"

/* How a graph calls an op. Tensors that are bf16, but that the op takes as float only (op.bf16),
 * are copied to floats in work before, and back after. */
size_t op_work(const struct op *op, const struct op_call *c); /* floats, the op's own included */
void op_forward(const struct op *op, const struct op_call *c);
void op_backward(const struct op *op, const struct op_call *c);
#endif
