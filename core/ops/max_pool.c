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

/* One output pixel, from the rows of its window. */
static void max_pool_pixel(const struct op_call *c, float *y, float *at, const float *rows,
                           struct window_span v)
{
    const size_t channels = (size_t)c->out->c, width = (size_t)c->in[0]->w;
    const float *first = rows + (size_t)v.left * channels;
    memcpy(y, first, channels * sizeof *y);
    for (size_t j = 0; j < channels; j++) at[j] = (float)((size_t)v.top * width + (size_t)v.left);
    for (int i = v.top; i < v.bottom; i++)
        for (int k = v.left; k < v.right; k++) {
            const size_t pixel = (size_t)(i - v.top) * width + (size_t)k;
            kernels->max_row(y, at, rows + pixel * channels, (float)((size_t)i * width + (size_t)k),
                             channels);
        }
}

static void max_pool_forward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[0], *y = c->out;
    const size_t channels = (size_t)y->c, window = (size_t)window_of(c).size;
    float *max = parallel_scratch(channels + window * (size_t)x->w * channels);
    for (size_t row = p.begin; row < p.end; row++) {
        const float *rows =
            max_pool_rows(c, row / (size_t)y->h, window_span(c, row, 0), max + channels);
        for (int j = 0; j < y->w; j++) {
            const size_t at = (row * (size_t)y->w + (size_t)j) * channels;
            max_pool_pixel(c, y->bf16 ? max : y->data + at, c->saved + at, rows,
                           window_span(c, row, j));
            if (y->bf16) kernels->narrow(tensor_data(y, at), max, channels);
        }
    }
}

static void max_pool_forward(const struct op_call *c)
{
    size_t rows = (size_t)c->out->n * (size_t)c->out->h;
    parts_run(c, rows, part_count(rows, window_macs(c) / rows), max_pool_forward_part);
}

static void max_pool_backward_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->out->c, len = tensor_len(c->out) / (size_t)c->out->n;
    size_t image = tensor_len(c->in[0]) / (size_t)c->out->n;
    float *room = parallel_scratch(channels);
    for (size_t i = p.begin; i < p.end; i++) {
        const float *at = c->saved + i * len;
        for (size_t k = 0; k < len; k += channels) {
            const float *dy = tensor_grad_floats(c->out, i * len + k, channels, room);
            for (size_t j = 0; j < channels; j++)
                tensor_grad_add(c->in[0], i * image + (size_t)at[k + j] * channels + j, dy[j]);
        }
    }
}

/* Windows of one image may share pixels, so a part has whole images. */
static void max_pool_backward(const struct op_call *c)
{
    size_t images = (size_t)c->out->n;
    if (c->in[0]->grad)
        parts_run(c, images, part_count(images, tensor_len(c->in[0]) / images),
                  max_pool_backward_part);
}

const struct op op_max_pool = {
    .name = "max_pool",
    .n_in = 1,
    .attr_size = sizeof(struct pool_attr),
    .infer = max_pool_infer,
    .bf16 = READS_IN(0) | READS_OUT,
    .saved = max_pool_saved,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
    .macs = window_macs,
    .describe = window_describe,
};
