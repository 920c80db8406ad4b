/* Maximum over square windows. Padding cells do not exist; the gradient goes to the first pixel,
 * row by row, that holds the maximum.
 * saved: that pixel's number in its image for each output, as a float. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/fused.h"
#include "core/ops/parts.h"
#include "core/ops/window.h"
#include <string.h>

static bool max_pool_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[0];
    if ((int64_t)x->h * x->w > 1 << 24)
        return err_set(e, "max_pool: %dx%d pixels are more than 2^24", x->h, x->w);
    return window_infer(c, "max_pool", e);
}

static size_t max_pool_saved(const struct op_call *c) { return tensor_len(c->out); }

/* Pixel rows [top, bottom) of an image as floats: where they are, or worked out in room. A deferred
 * input is that of a norm with a ReLU (core/ops/fused.h). */
static const float *max_pool_rows(const struct op_call *c, size_t image, struct window_span v,
                                  float *room)
{
    const struct tensor *x = c->in[0], *u = x->deferred ? x->producer->in[0] : x;
    const size_t row = (size_t)x->w * (size_t)x->c;
    const size_t len = (size_t)(v.bottom - v.top) * row;
    const float *rows = tensor_floats(u, (image * (size_t)x->h + (size_t)v.top) * row, len, room);
    if (!x->deferred || fused_norm_folds(x->producer)) return rows;
    const struct fused_norm_state s = fused_norm_state(x->producer);
    const struct fused_norm_attr *attr = x->producer->attr;
    kernels->fused->norm(&(struct norm_rows){ .y = room,
                                              .x = rows,
                                              .a = s.a,
                                              .b = s.b,
                                              .rows = len / (size_t)x->c,
                                              .c = (size_t)x->c,
                                              .relu = true,
                                              .cap = attr->cap });
    return room;
}

/* The rectangle s of images of h x w pixels of which t is one: x is its first pixel. */
static struct window_map max_pool_map(const struct tensor *t, struct window_span s, const void *x)
{
    return (struct window_map){ .x = x,
                                .rows = (size_t)(s.bottom - s.top),
                                .columns = (size_t)(s.right - s.left),
                                .c = (size_t)t->c,
                                .pitch = (size_t)t->w * (size_t)t->c };
}

/* One output pixel. rows: those of its window as floats, where x is not read as it is. */
static void max_pool_pixel(const struct op_call *c, size_t row, int column, const float *rows,
                           float *room)
{
    const struct tensor *x = c->in[0], *y = c->out;
    const struct window_span s = window_span(c, row, column);
    const size_t to = (row * (size_t)y->w + (size_t)column) * (size_t)y->c;
    const bool narrow = rows && y->bf16;
    const void *from = rows ? (const void *)(rows + (size_t)s.left * (size_t)x->c)
                            : tensor_data(x, window_pixel(x, row / (size_t)y->h, s.top, s.left));
    maps_for(y->bf16 && !rows)
        ->window_max(&(struct window_max){ .w = max_pool_map(x, s, from),
                                           .y = narrow ? room : tensor_data(y, to),
                                           .at = c->saved + to,
                                           .first = (size_t)s.top * (size_t)x->w + (size_t)s.left,
                                           .width = (size_t)x->w });
    if (narrow) kernels->narrow(tensor_data(y, to), room, (size_t)y->c);
}

static void max_pool_forward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[0], *y = c->out;
    const size_t channels = (size_t)y->c, window = (size_t)window_of(c).size;
    const bool as_is = !x->deferred && x->bf16 == y->bf16;
    float *max = parallel_scratch(channels + window * (size_t)x->w * channels);
    for (size_t row = p.begin; row < p.end; row++) {
        const struct window_span s = window_span(c, row, 0);
        const float *rows = as_is ? NULL : max_pool_rows(c, row / (size_t)y->h, s, max + channels);
        for (int j = 0; j < y->w; j++) max_pool_pixel(c, row, j, rows, max);
    }
}

static void max_pool_forward(const struct op_call *c)
{
    size_t rows = (size_t)c->out->n * (size_t)c->out->h;
    parts_run(c, rows, part_count(rows, window_macs(c) / rows), max_pool_forward_part);
}

/* Each pixel of dx is summed over the outputs that have it in their windows. */
static void max_pool_backward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[0], *y = c->out;
    const size_t channels = (size_t)y->c;
    for (size_t row = p.begin; row < p.end; row++)
        for (int j = 0; j < x->w; j++) {
            const struct window_span s = window_span_over(c, row, j);
            const size_t from = window_pixel(y, row / (size_t)x->h, s.top, s.left);
            maps_for(y->bf16)->window_max_grad(&(struct window_max_grad){
                .w = max_pool_map(y, s, tensor_grad(y, from)),
                .dx = tensor_grad(x, (row * (size_t)x->w + (size_t)j) * channels),
                .at = c->saved + from,
                .number = row % (size_t)x->h * (size_t)x->w + (size_t)j,
                .add = !(c->fresh & READS_IN(0)) });
        }
}

static void max_pool_backward(const struct op_call *c)
{
    const size_t rows = (size_t)c->in[0]->n * (size_t)c->in[0]->h;
    if (c->in[0]->grad)
        parts_run(c, rows, part_count(rows, window_macs(c) / rows), max_pool_backward_part);
}

const struct op op_max_pool = {
    .name = "max_pool",
    .n_in = 1,
    .attr_size = sizeof(struct pool_attr),
    .infer = max_pool_infer,
    .overwrites = READS_IN(0),
    .bf16 = READS_IN(0) | READS_OUT,
    .saved = max_pool_saved,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
    .macs = window_macs,
    .describe = window_describe,
};
