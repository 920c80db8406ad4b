#ifndef CORE_OPS_WINDOW_H
#define CORE_OPS_WINDOW_H
#include "core/ops/ops.h"

/* The square windows of the two window pools. */
struct window {
    int size, stride, pad;
    bool ceil;
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

/* The other way round: the rows [top, bottom) and columns [left, right) of the outputs of its image
 * that look at a pixel of the input, row `row` (of all images) and column `column`; may be empty.
 */
struct window_span window_span_over(const struct op_call *c, size_t row, int column);

/* Where a pixel of an image begins in t, of the input or of the output. */
static inline size_t window_pixel(const struct tensor *t, size_t image, int row, int column)
{
    const size_t line = image * (size_t)t->h + (size_t)row;
    return (line * (size_t)t->w + (size_t)column) * (size_t)t->c;
}

uint64_t window_macs(const struct op_call *c); /* elements read, the padding's included */
void window_describe(const struct op_call *c, struct text *t);
#endif
