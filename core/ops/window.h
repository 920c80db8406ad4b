#ifndef CORE_OPS_WINDOW_H
#define CORE_OPS_WINDOW_H
#include "core/ops/ops.h"

/* The square windows of the two window pools. */
struct window {
    int size, stride, pad;
};
struct window window_of(const struct op_call *c);

/* Sets the output's shape, or refuses; `what` names the op. */
bool window_infer(struct op_call *c, const char *what, struct err *e);

/* The pixels of the input that output row `row` (of all images) and column `column` look at:
 * rows [top, bottom), columns [left, right) of their image, never empty. */
struct window_span {
    int top, bottom, left, right;
};
struct window_span window_span(const struct op_call *c, size_t row, int column);

uint64_t window_macs(const struct op_call *c); /* elements read, the padding's included */
void window_describe(const struct op_call *c, struct text *t);
#endif
