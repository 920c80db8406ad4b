/* Depthwise convolution: one filter a channel, so a cell under the kernel is a vector along the
 * channels times the weights of its tap. Bound by memory; no matrix is built. */
#include "core/base/parallel.h"
#include "core/kernels/conv.h"
#include "core/kernels/kernels.h"
#include <string.h>

enum { ROW_CHUNKS = 64, WEIGHT_PARTS = 16 };

struct depthwise_job {
    const struct conv_shape *s;
    const struct conv_call *c;
};

static bool depthwise_takes(const struct conv_shape *s)
{
    return s->groups == s->c && s->k == s->c;
}

static size_t row_count(const struct conv_shape *s) { return (size_t)s->n * (size_t)s->oh; }
static size_t weight_len(const struct conv_shape *s)
{
    return (size_t)(s->kh * s->kw) * (size_t)s->c;
}
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t weight_parts(const struct conv_shape *s)
{
    return smaller(WEIGHT_PARTS, row_count(s));
}

/* Does one row of output pixels: target += source * other, c floats each, for every tap inside the
 * image, where the three are given by their distance from the start of their tensor. */
struct taps {
    float *y, *dx, *dw; /* exactly one is the target */
    const float *x, *w, *dy;
};

static void tap(const struct conv_shape *s, const struct taps *t, const size_t at[3])
{
    size_t c = (size_t)s->c, out = at[0], in = at[1], weight = at[2];
    if (t->y)
        kernels->mul_add(t->y + out, t->x + in, t->w + weight, c);
    else if (t->dx)
        kernels->mul_add(t->dx + in, t->dy + out, t->w + weight, c);
    else
        kernels->mul_add(t->dw + weight, t->dy + out, t->x + in, c);
}

static void row_taps(const struct conv_shape *s, const struct taps *t, size_t row)
{
    size_t c = (size_t)s->c, image = row / (size_t)s->oh;
    int iy0 = (int)(row % (size_t)s->oh) * s->stride - s->pad;
    for (int i = 0; i < s->ow * s->kh * s->kw; i++) {
        int ox = i / (s->kh * s->kw), k = i % (s->kh * s->kw);
        int iy = iy0 + k / s->kw, ix = ox * s->stride - s->pad + k % s->kw;
        if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w) continue;
        size_t pixel = (image * (size_t)s->h + (size_t)iy) * (size_t)s->w + (size_t)ix;
        tap(s, t, (size_t[]){ (row * (size_t)s->ow + (size_t)ox) * c, pixel * c, (size_t)k * c });
    }
}

static void forward_chunk(void *ctx, size_t chunk)
{
    const struct depthwise_job *j = ctx;
    size_t begin, end, row = (size_t)j->s->ow * (size_t)j->s->c;
    parallel_part(row_count(j->s), smaller(ROW_CHUNKS, row_count(j->s)), chunk, &begin, &end);
    float *y = (float *)j->c->y + begin * row;
    memset(y, 0, (end - begin) * row * sizeof *y);
    for (size_t i = begin; i < end; i++)
        row_taps(j->s, &(struct taps){ .y = j->c->y, .x = j->c->x, .w = j->c->w }, i);
    if (j->c->bias)
        kernels->row_add(y, j->c->bias, (end - begin) * (size_t)j->s->ow, (size_t)j->s->c);
}

static void depthwise_forward(const struct conv_shape *s, const struct conv_call *c)
{
    struct depthwise_job j = { .s = s, .c = c };
    parallel_for(smaller(ROW_CHUNKS, row_count(s)), forward_chunk, &j);
}

static void data_chunk(void *ctx, size_t image)
{
    const struct depthwise_job *j = ctx;
    size_t rows = (size_t)j->s->oh;
    for (size_t i = image * rows; i < (image + 1) * rows; i++)
        row_taps(j->s, &(struct taps){ .dx = j->c->dx, .dy = j->c->dy, .w = j->c->w }, i);
}

static void depthwise_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    struct depthwise_job j = { .s = s, .c = c };
    parallel_for((size_t)s->n, data_chunk, &j);
}

static size_t depthwise_work(const struct conv_shape *s) { return weight_parts(s) * weight_len(s); }

static void weights_chunk(void *ctx, size_t part)
{
    const struct depthwise_job *j = ctx;
    size_t begin, end, len = weight_len(j->s);
    float *sum = j->c->work + part * len;
    memset(sum, 0, len * sizeof *sum);
    parallel_part(row_count(j->s), weight_parts(j->s), part, &begin, &end);
    for (size_t i = begin; i < end; i++)
        row_taps(j->s, &(struct taps){ .dw = sum, .dy = j->c->dy, .x = j->c->x }, i);
}

static void depthwise_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    struct depthwise_job j = { .s = s, .c = c };
    parallel_for(weight_parts(s), weights_chunk, &j);
    for (size_t part = 0; part < weight_parts(s); part++)
        kernels->add(c->dw, c->dw, c->work + part * weight_len(s), weight_len(s));
}

const struct conv_kernels conv_depthwise = {
    .name = "depthwise",
    .takes = depthwise_takes,
    .work = depthwise_work,
    .forward = depthwise_forward,
    .backward_data = depthwise_backward_data,
    .backward_weights = depthwise_backward_weights,
};
