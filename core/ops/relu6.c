/* y = min(max(x, 0), 6), of the networks made for telephones. The gradient is 0 at both ends, as in
 * PyTorch. */
#include "core/ops/capped_relu.h"

static void relu6_forward(const struct op_call *c) { capped_relu_forward(c, 6); }
static void relu6_backward(const struct op_call *c) { capped_relu_backward(c, 6); }

const struct op op_relu6 = {
    .name = "relu6",
    .n_in = 1,
    .backward_reads = READS_OUT,
    .overwrites = READS_IN(0),
    .bf16 = READS_IN(0) | READS_OUT,
    .bf16_alike = true,
    .infer = capped_relu_infer,
    .forward = relu6_forward,
    .backward = relu6_backward,
};
