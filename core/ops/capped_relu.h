#ifndef CORE_OPS_CAPPED_RELU_H
#define CORE_OPS_CAPPED_RELU_H
#include "core/ops/op.h"

/* y = min(max(x, 0), cap), what relu and relu6 are; cap 0: none. The gradient is 0 at both ends, as
 * in PyTorch.
 */
bool capped_relu_infer(struct op_call *c, struct err *e);
void capped_relu_forward(const struct op_call *c, float cap);
void capped_relu_backward(const struct op_call *c, float cap);
#endif
