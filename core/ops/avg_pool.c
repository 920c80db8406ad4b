/* Mean over square windows. Padding cells are zeros that count, as in PyTorch: the sum is always
 * divided by size^2. */
#include "core/kernels/kernels.h"
#include "core/ops/parts.h"
#include "core/ops/window.h"
#include <string.h>

static bool avg_pool_infer(struct op_call *c, struct err *e)
{
    return window_infer(c, "avg_pool", e);
}

static float avg_pool_share(const struct op_call *c)
{
    int size = window_of(c).size;
    return 1.0f / (float)(size * size);
}

/* One pixel of the output (forward: y += share * x) or of its gradient (backward: dx += share * dy)
 * against the pixels of its window. */
static void avg_pool_pixel(const struct op_call *c, size_t row, int column, bool backward)
{
    const struct tensor *x = c->in[0], *y = c->out;
    struct window_span v = window_span(c, row, column);
    size_t channels = (size_t)y->c, at = (row * (size_t)y->w + (size_t)column) * channels;
    size_t image = row / (size_t)y->h * (size_t)x->h;
    for (int i = v.top; i < v.bottom; i++)
        for (int k = v.left; k < v.right; k++) {
            size_t cell = ((image + (size_t)i) * (size_t)x->w + (size_t)k) * channels;
            if (backward)
                kernels->axpy(x->grad + cell, avg_pool_share(c), y->grad + at, channels);
            else
                kernels->axpy(y->data + at, avg_pool_share(c), x->data + cell, channels);
        }
}

static void avg_pool_forward_part(const struct op_call *c, struct part p)
{
    size_t row_len = (size_t)c->out->w * (size_t)c->out->c;
    memset(c->out->data + p.begin * row_len, 0, (p.end - p.begin) * row_len * sizeof(float));
    for (size_t row = p.begin; row < p.end; row++)
        for (int j = 0; j < c->out->w; j++) avg_pool_pixel(c, row, j, false);
}

static void avg_pool_forward(const struct op_call *c)
{
    size_t rows = (size_t)c->out->n * (size_t)c->out->h;
    parts_run(c, rows, part_count(rows, window_macs(c) / rows), avg_pool_forward_part);
}

static void avg_pool_backward_part(const struct op_call *c, struct part p)
{
    size_t rows = (size_t)c->out->h;
    for (size_t row = p.begin * rows; row < p.end * rows; row++)
        for (int j = 0; j < c->out->w; j++) avg_pool_pixel(c, row, j, true);
}

/* Windows of one image may share pixels, so a part has whole images. */
static void avg_pool_backward(const struct op_call *c)
{
    size_t images = (size_t)c->out->n;
    if (c->in[0]->grad)
        parts_run(c, images, part_count(images, window_macs(c) / images), avg_pool_backward_part);
}

const struct op op_avg_pool = {
    .name = "avg_pool",
    .n_in = 1,
    .attr_size = sizeof(struct pool_attr),
    .infer = avg_pool_infer,
    .forward = avg_pool_forward,
    .backward = avg_pool_backward,
    .macs = window_macs,
    .describe = window_describe,
};
