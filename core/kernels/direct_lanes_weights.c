/* Weight gradients of depthwise and narrowly grouped convolutions. A task takes one of `parts` of
 * the output rows, copies the input they see a few rows at a time, and keeps the gradients of as
 * many taps as registers hold while all those rows pass by. Parts are partial sums in work, [parts]
 * [tap][channel of the group][c up to whole vectors], added up in order afterwards. */
#include "core/base/parallel.h"
#include "core/kernels/direct.h"
#include "core/kernels/kernels.h"
#include <string.h>

enum { LANES_WEIGHTS_CACHE = 48 * 1024 }; /* floats of the copy, as in direct_lanes.c */

struct lanes_weights {
    const struct direct_isa *isa;
    const struct conv_shape *s;
    const struct conv_call *call;
    int group, cols, parts, piece_rows;
    int span;        /* LANES_ONE: tap by tap; LANES_TRIPLE, LANES_TRIPLE_2: a 3x3 kernel */
    ptrdiff_t pixel; /* floats of a pixel in the copy */
    ptrdiff_t len;   /* of a part */
};

static struct lanes_weights lanes_weights_plan(const struct conv_shape *s,
                                               const struct conv_call *c)
{
    struct lanes_weights w = { .isa = direct_isa(), .s = s, .call = c };
    w.group = s->c / s->groups;
    w.pixel = direct_pixel(s->c, w.isa->lanes);
    w.cols = (s->ow - 1) * s->stride + s->kw;
    w.span = s->kh != 3 || s->kw != 3 || s->stride > 2 ? LANES_ONE
             : s->stride == 1                          ? LANES_TRIPLE
                                                       : LANES_TRIPLE_2;
    w.piece_rows = direct_max(1, (int)(LANES_WEIGHTS_CACHE / (w.cols * w.pixel * s->stride)));
    w.piece_rows = direct_min(w.piece_rows, s->oh);
    w.parts = direct_min(DIRECT_TASKS, s->n * s->oh);
    w.len = (ptrdiff_t)s->kh * s->kw * w.group * direct_round_up(s->c, DIRECT_LANES);
    return w;
}

/* All taps and vectors of a piece; `piece` is that of the first. */
static void piece_products(const struct lanes_weights *w, const struct direct_lanes_weights *piece)
{
    const struct conv_shape *s = w->s;
    const bool triple = w->span != LANES_ONE;
    const int down = triple && w->group == 1 ? 3 : 1, across = triple ? 3 : 1;
    const int group = w->group == 1 ? 0 : w->group == 4 ? 2 : 3; /* its logarithm */
    for (int n0 = 0; n0 < s->c; n0 += w->isa->lanes)
        for (int ky = 0; ky < s->kh; ky += down)
            for (int kx = 0; kx < s->kw; kx += across) {
                struct direct_lanes_weights t = *piece;
                t.x += (ky * w->cols + kx) * w->pixel + n0;
                t.dy += n0;
                t.d += (ptrdiff_t)(ky * s->kw + kx) * w->group * piece->d_row + n0;
                t.valid = direct_min(w->isa->lanes, s->c - n0);
                w->isa->lanes_weights[group][w->span](&t);
            }
}

/* Output rows [y, y + rows) of an image. */
static void lanes_piece(const struct lanes_weights *w, int image, int y, int rows, float *part)
{
    const struct conv_shape *s = w->s;
    const ptrdiff_t row = w->cols * w->pixel, d_row = direct_round_up(s->c, DIRECT_LANES);
    const size_t lists = ((size_t)w->piece_rows * sizeof(ptrdiff_t) + 63) / 64 * 16;
    const int window_rows = (w->piece_rows - 1) * s->stride + s->kh;
    const size_t wide = s->bf16_y ? (size_t)w->piece_rows * (size_t)s->ow * (size_t)s->k : 0;
    float *scratch = parallel_scratch(2 * lists + (size_t)(window_rows * row) + wide);
    ptrdiff_t *x_rows = (ptrdiff_t *)(void *)scratch,
              *dy_rows = (ptrdiff_t *)(void *)(scratch + lists);
    float *x = scratch + 2 * lists;
    const ptrdiff_t at = ((ptrdiff_t)image * s->oh + y) * s->ow * s->k;
    const float *dy = (const float *)w->call->dy + at;
    if (s->bf16_y) {
        float *copy = x + window_rows * row;
        kernels->widen(copy, (const bf16 *)w->call->dy + at,
                       (size_t)rows * (size_t)s->ow * (size_t)s->k);
        dy = copy;
    }

    direct_window_copy(
        &(struct direct_window){
            .isa = w->isa,
            .kind = s->bf16_x ? DIRECT_WIDEN : DIRECT_FLOATS,
            .x = (const char *)w->call->x +
                 direct_bytes(s->bf16_x, (ptrdiff_t)image * s->h * s->w * s->c),
            .h = s->h,
            .w = s->w,
            .c = s->c,
            .row = y * s->stride - s->pad,
            .col = -s->pad,
            .rows = (rows - 1) * s->stride + s->kh,
            .cols = w->cols,
            .step = 1,
            .channels = s->c,
            .pixel = w->pixel,
            .scale = w->call->in_scale,
            .shift = w->call->in_shift,
        },
        x);
    for (int r = 0; r < rows; r++)
        x_rows[r] = r * s->stride * row, dy_rows[r] = (ptrdiff_t)r * s->ow * s->k;
    piece_products(w, &(struct direct_lanes_weights){ .x = x,
                                                      .dy = dy,
                                                      .x_pixel = w->pixel,
                                                      .x_row = row,
                                                      .dy_pixel = s->k,
                                                      .d_row = d_row,
                                                      .x_rows = x_rows,
                                                      .dy_rows = dy_rows,
                                                      .rows = rows,
                                                      .pixels = s->ow,
                                                      .stride = s->stride,
                                                      .d = part });
}
static void lanes_weights_chunk(void *ctx, size_t chunk)
{
    const struct lanes_weights *w = ctx;
    const int oh = w->s->oh;
    float *part = w->call->work + (ptrdiff_t)chunk * w->len;
    size_t begin, end;
    memset(part, 0, (size_t)w->len * sizeof *part);
    parallel_part((size_t)w->s->n * (size_t)oh, (size_t)w->parts, chunk, &begin, &end);
    for (int row = (int)begin, rows; row < (int)end; row += rows) {
        rows = direct_min(w->piece_rows, direct_min((int)end - row, oh - row % oh));
        lanes_piece(w, row / oh, row % oh, rows, part);
    }
}

/* dw[tap][i][k] += the sum of the parts, in order. */
static void lanes_weights_add(void *ctx, size_t chunk)
{
    const struct lanes_weights *w = ctx;
    const int c = w->s->c;
    const ptrdiff_t at = (ptrdiff_t)chunk * direct_round_up(c, DIRECT_LANES);
    float *dw = w->call->dw + (ptrdiff_t)chunk * c;
    float *sum = parallel_scratch((size_t)c);
    memcpy(sum, w->call->work + at, (size_t)c * sizeof *sum);
    for (int p = 1; p < w->parts; p++)
        for (int i = 0; i < c; i++) sum[i] += w->call->work[p * w->len + at + i];
    for (int i = 0; i < c; i++) dw[i] += sum[i];
}

size_t direct_lanes_weights_work(const struct conv_shape *s)
{
    const struct lanes_weights w = lanes_weights_plan(s, &(struct conv_call){ 0 });
    return (size_t)w.parts * (size_t)w.len;
}

void direct_lanes_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    struct lanes_weights w = lanes_weights_plan(s, c);
    parallel_for((size_t)w.parts, lanes_weights_chunk, &w);
    parallel_for((size_t)(s->kh * s->kw * w.group), lanes_weights_add, &w);
}
