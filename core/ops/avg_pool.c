/* Mean over square windows. Padding cells are zeros that count, as in PyTorch, unless the
 * attributes exclude them: the sum is divided by the cells of the window that exist. Of a window
 * that reaches past the padding at the end (ceil), what is past it does not. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/parts.h"
#include "core/ops/window.h"

static bool avg_pool_infer(struct op_call *c, struct err *e)
{
    return window_infer(c, "avg_pool", e);
}

/* Cells that exist of window `i` along `len` pixels. */
static int avg_pool_cells(const struct op_call *c, int i, int len)
{
    const struct pool_attr *a = c->attr;
    const struct window v = window_of(c);
    const int from = i * v.stride - v.pad, to = from + v.size;
    const int first = a->exclude_pad && from < 0 ? 0 : from,
              end = a->exclude_pad ? len : len + v.pad;
    return (to < end ? to : end) - first;
}

/* What an output, row and column of its image, takes of each cell. */
static float avg_pool_share(const struct op_call *c, int row, int column)
{
    const struct tensor *x = c->in[0];
    return 1.0f / (float)(avg_pool_cells(c, row, x->h) * avg_pool_cells(c, column, x->w));
}

/* The shares of the outputs of a rectangle, row by row. */
static void avg_pool_shares(const struct op_call *c, struct window_span s, float *share)
{
    for (int i = s.top; i < s.bottom; i++)
        for (int k = s.left; k < s.right; k++) *share++ = avg_pool_share(c, i, k);
}

static struct window_map avg_pool_map(const struct tensor *t, struct window_span s)
{
    return (struct window_map){ .rows = (size_t)(s.bottom - s.top),
                                .columns = (size_t)(s.right - s.left),
                                .c = (size_t)t->c,
                                .pitch = (size_t)t->w * (size_t)t->c };
}

static void avg_pool_forward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[0], *y = c->out;
    const size_t channels = (size_t)y->c, size = (size_t)window_of(c).size;
    float *share = parallel_scratch(size * size);
    for (size_t row = p.begin; row < p.end; row++)
        for (int j = 0; j < y->w; j++) {
            const struct window_span s = window_span(c, row, j);
            struct window_sum sum = { .w = avg_pool_map(x, s), .share = share };
            const float each = avg_pool_share(c, (int)(row % (size_t)y->h), j);
            for (size_t i = 0; i < sum.w.rows * sum.w.columns; i++) share[i] = each;
            sum.w.x = tensor_data(x, window_pixel(x, row / (size_t)y->h, s.top, s.left));
            sum.y = tensor_data(y, (row * (size_t)y->w + (size_t)j) * channels);
            maps_for(y->bf16)->window_sum(&sum);
        }
}

static void avg_pool_forward(const struct op_call *c)
{
    size_t rows = (size_t)c->out->n * (size_t)c->out->h;
    parts_run(c, rows, part_count(rows, window_macs(c) / rows), avg_pool_forward_part);
}

/* Each pixel of dx is summed over the outputs that have it in their windows. */
static void avg_pool_backward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[0], *y = c->out;
    const size_t channels = (size_t)y->c, size = (size_t)window_of(c).size;
    float *share = parallel_scratch(size * size);
    for (size_t row = p.begin; row < p.end; row++)
        for (int j = 0; j < x->w; j++) {
            const struct window_span s = window_span_over(c, row, j);
            struct window_sum sum = { .w = avg_pool_map(y, s), .share = share };
            avg_pool_shares(c, s, share);
            sum.w.x = tensor_grad(y, window_pixel(y, row / (size_t)x->h, s.top, s.left));
            sum.y = tensor_grad(x, (row * (size_t)x->w + (size_t)j) * channels);
            sum.add = !(c->fresh & READS_IN(0));
            maps_for(y->bf16)->window_sum(&sum);
        }
}

static void avg_pool_backward(const struct op_call *c)
{
    const size_t rows = (size_t)c->in[0]->n * (size_t)c->in[0]->h;
    if (c->in[0]->grad)
        parts_run(c, rows, part_count(rows, window_macs(c) / rows), avg_pool_backward_part);
}

const struct op op_avg_pool = {
    .name = "avg_pool",
    .n_in = 1,
    .attr_size = sizeof(struct pool_attr),
    .overwrites = READS_IN(0),
    .bf16 = READS_IN(0) | READS_OUT,
    .bf16_alike = true,
    .infer = avg_pool_infer,
    .forward = avg_pool_forward,
    .backward = avg_pool_backward,
    .macs = window_macs,
    .describe = window_describe,
};
