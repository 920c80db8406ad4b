/* y = max(x, 0). The gradient at 0 is 0, as in PyTorch. */
#include "core/ops/capped_relu.h"

static void relu_forward(const struct op_call *c) { capped_relu_forward(c, 0); }
static void relu_backward(const struct op_call *c) { capped_relu_backward(c, 0); }

const struct op op_relu = {
    .name = "relu",
    .n_in = 1,
    .backward_reads = READS_OUT,
    .overwrites = READS_IN(0),
    .bf16 = READS_IN(0) | READS_OUT,
    .bf16_alike = true,
    .infer = capped_relu_infer,
    .forward = relu_forward,
    .backward = relu_backward,
};
