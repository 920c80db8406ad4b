/* Convolution by im2col: the input cells under the kernel are laid out as a matrix, one row per
 * output pixel, and OpenBLAS multiplies. Work goes in blocks of output rows whose matrix fits a
 * thread's scratch memory.
 *
 * Letters: K = kh kw cg, the cells under the kernel in one group; cg, kg = input and output
 * channels of a group; "rows" are output rows of all images, numbered image * oh + row. */
#include "core/base/err.h"
#include "core/base/parallel.h"
#include "core/kernels/conv/conv.h"
#include "core/kernels/kernels.h"
#include "core/kernels/vector/gemm.h"
#include <string.h>

enum {
    SCRATCH = 1 << 17,  /* floats of a block's matrix at most, unless one row needs more: 512 KiB */
    ROW_CHUNKS = 64,    /* of a forward pass, at least where there are as many rows */
    WEIGHT_CHUNKS = 16, /* of the gradient of the weights, about */
    WEIGHT_COLUMNS = 128 /* output channels of one of them at most */
};

struct conv_job {
    const struct conv_shape *s;
    const struct conv_call *c;
    size_t rows_each; /* rows of a chunk */
};

struct block { /* rows [begin, end), one group */
    size_t begin, end;
    int group;
};

static int group_in(const struct conv_shape *s) { return s->c / s->groups; }
static int group_out(const struct conv_shape *s) { return s->k / s->groups; }
static int cells(const struct conv_shape *s) { return s->kh * s->kw * group_in(s); }
static size_t row_count(const struct conv_shape *s) { return (size_t)s->n * (size_t)s->oh; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* The input is the matrix already. */
static bool is_product(const struct conv_shape *s)
{
    return s->kh == 1 && s->kw == 1 && s->stride == 1 && s->pad_top == 0 && s->pad_left == 0 &&
           s->oh == s->h && s->ow == s->w;
}

/* How many rows a thread's scratch memory holds. */
static size_t rows_fitting(const struct conv_shape *s)
{
    size_t row = (size_t)s->ow * (size_t)cells(s), fitting = SCRATCH / row;
    return fitting ? fitting : 1;
}

static size_t rows_each(const struct conv_shape *s)
{
    size_t share = 1 + (row_count(s) - 1) / ROW_CHUNKS;
    return is_product(s) ? share : smaller(share, rows_fitting(s));
}

static const float *dy_of(const struct conv_job *j, struct block b)
{
    const struct conv_shape *s = j->s;
    return (const float *)j->c->dy + b.begin * (size_t)s->ow * (size_t)s->k +
           b.group * group_out(s);
}

static int pixels_of(const struct conv_shape *s, struct block b)
{
    return (int)(b.end - b.begin) * s->ow;
}

/* The cells of one kernel row under one output pixel that lie inside the image. */
struct run {
    int first, last;   /* kernel columns [first, last) */
    const float *from; /* the cell under `first`, this group's channels; NULL: no such cell */
};

static struct run run_at(const struct conv_shape *s, const float *image, int iy, int ix)
{
    int first = ix < 0 ? -ix : 0, last = s->w - ix < s->kw ? s->w - ix : s->kw;
    if (iy < 0 || iy >= s->h || first >= last) return (struct run){ 0, 0, NULL };
    return (struct run){
        first, last, image + ((size_t)iy * (size_t)s->w + (size_t)(ix + first)) * (size_t)s->c
    };
}

static void run_gather(const struct conv_shape *s, float *to, struct run r)
{
    size_t cg = (size_t)group_in(s), first = (size_t)r.first, len = (size_t)(r.last - r.first);
    memset(to, 0, first * cg * sizeof *to);
    if (s->groups == 1 && len)
        memcpy(to + first * cg, r.from, len * cg * sizeof *to);
    else
        for (size_t i = 0; i < len; i++)
            memcpy(to + (first + i) * cg, r.from + i * (size_t)s->c, cg * sizeof *to);
    memset(to + (size_t)r.last * cg, 0, (size_t)(s->kw - r.last) * cg * sizeof *to);
}

static void run_scatter(const struct conv_shape *s, float *to, const float *from, struct run r)
{
    size_t cg = (size_t)group_in(s), first = (size_t)r.first, len = (size_t)(r.last - r.first);
    if (s->groups == 1)
        kernels->add(to, to, from + first * cg, len * cg);
    else
        for (size_t i = 0; i < len; i++) {
            float *cell = to + i * (size_t)s->c;
            kernels->add(cell, cell, from + (first + i) * cg, cg);
        }
}

/* Walks the kernel rows under the pixels of a block: `matrix` is pixels x K, image the tensor of
 * the input or, with `gradient`, of its gradient, into which the matrix is then added. */
static void block_walk(const struct conv_shape *s, struct block b, float *matrix,
                       const float *image, float *gradient)
{
    const float *tensor = gradient ? gradient : image;
    size_t step = (size_t)s->kw * (size_t)group_in(s);
    for (size_t row = b.begin; row < b.end; row++) {
        size_t at = row / (size_t)s->oh * (size_t)s->h * (size_t)s->w * (size_t)s->c;
        const float *from = tensor + at + b.group * group_in(s);
        int iy = (int)(row % (size_t)s->oh) * s->stride - s->pad_top;
        for (int i = 0; i < s->ow * s->kh; i++, matrix += step) {
            struct run r = run_at(s, from, iy + i % s->kh, i / s->kh * s->stride - s->pad_left);
            if (gradient && r.from)
                run_scatter(s, gradient + (r.from - tensor), matrix, r);
            else if (!gradient)
                run_gather(s, matrix, r);
        }
    }
}

/* The matrix of a block and the distance of its rows: in scratch memory, or the input itself. */
static const float *block_matrix(const struct conv_job *j, struct block b, int *distance)
{
    const struct conv_shape *s = j->s;
    *distance = is_product(s) ? s->c : cells(s);
    if (is_product(s))
        return (const float *)j->c->x + b.begin * (size_t)s->ow * (size_t)s->c +
               b.group * group_in(s);
    float *matrix = parallel_scratch((size_t)pixels_of(s, b) * (size_t)cells(s));
    block_walk(s, b, matrix, j->c->x, NULL);
    return matrix;
}

static size_t row_chunks(const struct conv_job *j)
{
    BUG_IF(j->rows_each == 0, "chunks without rows");
    return (row_count(j->s) + j->rows_each - 1) / j->rows_each;
}

static void forward_chunk(void *ctx, size_t chunk)
{
    const struct conv_job *j = ctx;
    const struct conv_shape *s = j->s;
    struct block b = { chunk * j->rows_each, smaller((chunk + 1) * j->rows_each, row_count(s)), 0 };
    float *y = (float *)j->c->y + b.begin * (size_t)s->ow * (size_t)s->k;
    for (; b.group < s->groups; b.group++) {
        struct gemm g = { .m = pixels_of(s, b), .n = group_out(s), .k = cells(s) };
        g.a = block_matrix(j, b, &g.lda);
        g.b = j->c->w + b.group * g.n, g.ldb = s->k;
        g.c = y + b.group * g.n, g.ldc = s->k;
        gemm(&g);
    }
    if (j->c->bias) kernels->row_add(y, j->c->bias, (size_t)pixels_of(s, b), (size_t)s->k);
}

static void reference_forward(const struct conv_shape *s, const struct conv_call *c)
{
    struct conv_job j = { .s = s, .c = c, .rows_each = rows_each(s) };
    parallel_for(row_chunks(&j), forward_chunk, &j);
}

/* The gradient of a block's matrix: pixels x K = dy (pixels x kg) W^T, into its place in dx. */
static void data_block(const struct conv_job *j, struct block b)
{
    const struct conv_shape *s = j->s;
    struct gemm g = { .m = pixels_of(s, b), .n = cells(s), .k = group_out(s), .b_t = true };
    g.a = dy_of(j, b), g.lda = s->k;
    g.b = j->c->w + b.group * g.k, g.ldb = s->k;
    if (is_product(s)) {
        g.c = (float *)j->c->dx + b.begin * (size_t)s->ow * (size_t)s->c + b.group * group_in(s);
        g.ldc = s->c, g.add = true;
        gemm(&g);
    } else {
        g.c = parallel_scratch((size_t)g.m * (size_t)g.n), g.ldc = g.n;
        gemm(&g);
        block_walk(s, b, g.c, NULL, j->c->dx);
    }
}

static void data_chunk(void *ctx, size_t chunk)
{
    const struct conv_job *j = ctx;
    size_t end = smaller((chunk + 1) * j->rows_each, row_count(j->s));
    size_t step = is_product(j->s) ? j->rows_each : rows_fitting(j->s);
    for (size_t row = chunk * j->rows_each; row < end; row += step)
        for (int group = 0; group < j->s->groups; group++)
            data_block(j, (struct block){ row, smaller(row + step, end), group });
}

/* Output pixels of one image share cells of dx, so an image is a chunk, but for plain products. */
static void reference_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    struct conv_job j = { .s = s, .c = c };
    j.rows_each = is_product(s) ? rows_each(s) : (size_t)s->oh;
    parallel_for(row_chunks(&j), data_chunk, &j);
}

/* The gradient of the weights is a sum over all pixels. Chunks: `parts` of the rows, each with a
 * partial sum of its own in work, times the column blocks of the result in each group. */
static size_t column_blocks(const struct conv_shape *s)
{
    return (size_t)((group_out(s) + WEIGHT_COLUMNS - 1) / WEIGHT_COLUMNS);
}

static size_t weight_parts(const struct conv_shape *s)
{
    size_t parts = WEIGHT_CHUNKS / (column_blocks(s) * (size_t)s->groups);
    return smaller(parts ? parts : 1, row_count(s));
}

static size_t weight_len(const struct conv_shape *s) { return (size_t)cells(s) * (size_t)s->k; }

static size_t reference_work(const struct conv_shape *s)
{
    return weight_parts(s) > 1 ? weight_parts(s) * weight_len(s) : 0;
}

static void reference_weights_chunk(void *ctx, size_t chunk)
{
    const struct conv_job *j = ctx;
    const struct conv_shape *s = j->s;
    size_t parts = weight_parts(s), part = chunk % parts, column = chunk / parts;
    size_t begin, end, left, right;
    parallel_part(row_count(s), parts, part, &begin, &end);
    parallel_part((size_t)group_out(s), column_blocks(s), column % column_blocks(s), &left, &right);
    struct block b = { .group = (int)(column / column_blocks(s)) };
    float *into = parts > 1 ? j->c->work + part * weight_len(s) : j->c->dw;
    size_t first = (size_t)(b.group * group_out(s)) + left;
    for (b.begin = begin; b.begin < end; b.begin = b.end) {
        b.end = smaller(b.begin + rows_fitting(s), end);
        struct gemm g = {
            .m = cells(s), .n = (int)(right - left), .k = pixels_of(s, b), .a_t = true
        };
        g.a = block_matrix(j, b, &g.lda);
        g.b = dy_of(j, b) + left, g.ldb = s->k;
        g.c = into + first, g.ldc = s->k;
        g.add = parts == 1 || b.begin > begin;
        gemm(&g);
    }
}

static void weights_sum_chunk(void *ctx, size_t chunk)
{
    const struct conv_job *j = ctx;
    size_t begin, end;
    parallel_part(weight_len(j->s), WEIGHT_CHUNKS, chunk, &begin, &end);
    for (size_t part = 0; part < weight_parts(j->s); part++)
        kernels->add(j->c->dw + begin, j->c->dw + begin,
                     j->c->work + part * weight_len(j->s) + begin, end - begin);
}

static void reference_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    struct conv_job j = { .s = s, .c = c };
    parallel_for(weight_parts(s) * column_blocks(s) * (size_t)s->groups, reference_weights_chunk,
                 &j);
    if (weight_parts(s) > 1) parallel_for(WEIGHT_CHUNKS, weights_sum_chunk, &j);
}

const struct conv_algorithm conv_reference = {
    .name = "reference",
    .work = reference_work,
    .forward = reference_forward,
    .backward_data = reference_backward_data,
    .backward_weights = reference_backward_weights,
};
