/* Depthwise and narrowly grouped convolutions: vectors run along the channels, a lane meets the
 * channels of its own group only. A task is a block of rows of the output. Where it can, it reads
 * its input in place, and pixels at the border leave out the taps that lie outside; where the input
 * is bf16, or relu(scale x + shift), or has pixels so far apart that caches hold few of them, it
 * copies its part into scratch with a border of zeros. All three passes are this walk over pixels
 * and taps: the weight gradient is forward with dy in the place of y, and with another inner loop.
 *
 * Packed weights are [tap][channel of the group][c, padded], those of a backward pass with the
 * group's input and output channels exchanged. */
#include "core/kernels/conv/direct/depthwise.h"
#include "core/base/parallel.h"
#include "core/kernels/conv/direct/panels.h"
#include "core/kernels/conv/sums.h"
#include "core/kernels/tiles/tiles.h"
#include <string.h>

enum {
    DEPTHWISE_CACHE = 48 * 1024, /* floats that a task reads (192 KiB): again for each row of taps,
                                  * and the second-level cache must hold what streams past, too */
    DEPTHWISE_ALIASED = 512, /* channels: pixels so far apart share two of the first-level cache's
                              * sets */
    DEPTHWISE_TAPS = 25,     /* 5x5 is the largest kernel that networks have here */
};

struct depthwise {
    const struct direct_isa *isa;
    const struct conv_shape *s;
    const struct conv_call *call;
    bool forward;
    bool bf16_in, bf16_out;
    const void *in;
    void *out;                    /* what is written; of weight gradients dy, which is read */
    int group;                    /* channels of a group, in and out */
    int h, w, oh, ow;             /* of in and out */
    int step, phases;             /* as in dense.c */
    int rows;                     /* of a phase, the most */
    int top, bottom, left, right; /* rows and columns of in that out-pixel 0 of any phase sees */
    int cols;                     /* of the copy */
    int row_blocks, block_rows;
    bool in_place;   /* the input is read where it is; else a copy with its border */
    ptrdiff_t pixel; /* floats of a pixel as it is read; whole vectors in a copy */
    ptrdiff_t w_row; /* floats of a row of packed weights */
    const float *weights;
    float *partial; /* [n][row_blocks][2][c] or NULL */
    bool stream;    /* out is written past the caches */
};

bool direct_depthwise_supports(const struct conv_shape *s)
{
    const int group = s->c / s->groups;
    return s->c == s->k && s->kh * s->kw <= DEPTHWISE_TAPS && group < direct_isa()->lanes &&
           (group == 1 || group == 4 || group == 8);
}

static ptrdiff_t depthwise_w_row(const struct conv_shape *s)
{
    return direct_pixel(s->c, DIRECT_LANES);
}

size_t direct_depthwise_packed(const struct conv_shape *s, enum conv_pass pass)
{
    if (pass == CONV_BACKWARD_WEIGHTS) return 0;
    return (size_t)(s->kh * s->kw * (s->c / s->groups)) * (size_t)depthwise_w_row(s);
}

void direct_depthwise_pack(const struct conv_shape *s, const struct conv_packing *p)
{
    const int group = s->c / s->groups;
    const ptrdiff_t row = depthwise_w_row(s);
    float *out = p->packed;
    memset(out, 0, direct_depthwise_packed(s, p->pass) * sizeof *out);
    for (int tap = 0; tap < s->kh * s->kw; tap++)
        for (int i = 0; i < group; i++)
            for (int k = 0; k < s->k; k++) {
                const int other = k % group, first = k - other;
                const float *from =
                    p->pass == CONV_FORWARD
                        ? p->w + ((ptrdiff_t)tap * group + i) * s->k + k
                        : p->w + ((ptrdiff_t)tap * group + other) * s->k + first + i;
                out[((ptrdiff_t)tap * group + i) * row + k] = *from;
            }
}

static int depthwise_window_rows(const struct depthwise *l, int rows)
{
    return (rows - 1) * l->step + l->bottom - l->top + 1;
}

/* Whole lines only. */
static bool depthwise_streams(const struct depthwise *l)
{
    const struct conv_shape *s = l->s;
    return (l->forward || l->call->overwrite) && !l->bf16_out && s->c % DIRECT_LANES == 0 &&
           direct_streams(l->out, direct_bytes(false, (ptrdiff_t)s->n * l->oh * l->ow * s->c));
}

static struct depthwise depthwise_plan(const struct conv_shape *s, const struct conv_call *c,
                                       enum conv_pass pass)
{
    const bool forward = pass != CONV_BACKWARD_DATA, weights = pass == CONV_BACKWARD_WEIGHTS;
    struct depthwise l = { .isa = direct_isa(), .s = s, .call = c, .forward = forward };
    l.bf16_in = forward ? s->bf16_x : s->bf16_y, l.bf16_out = forward ? s->bf16_y : s->bf16_x;
    l.in = forward ? c->x : c->dy;
    l.out = weights ? (void *)(uintptr_t)c->dy : forward ? c->y : c->dx;
    l.group = s->c / s->groups;
    l.h = forward ? s->h : s->oh, l.w = forward ? s->w : s->ow;
    l.oh = forward ? s->oh : s->h, l.ow = forward ? s->ow : s->w;
    l.stream = !weights && depthwise_streams(&l);
    l.step = forward ? s->stride : 1, l.phases = forward ? 1 : s->stride;
    l.rows = direct_div_up(l.oh, l.phases);
    direct_reach(s, l.forward, CONV_ROWS, &l.top, &l.bottom);
    direct_reach(s, l.forward, CONV_COLUMNS, &l.left, &l.right);
    l.cols = (direct_div_up(l.ow, l.phases) - 1) * l.step + l.right - l.left + 1;
    l.in_place = !l.bf16_in && !(forward && c->in_scale) && s->c % l.isa->lanes == 0 &&
                 s->c % DEPTHWISE_ALIASED;
    const ptrdiff_t copied = direct_pixel(s->c, l.isa->lanes);
    l.pixel = l.in_place ? s->c : copied;
    l.w_row = depthwise_w_row(s);
    /* the same cut whether x is copied or not: direct_depthwise_work cannot know */
    const int cache = weights ? DEPTHWISE_CACHE / 2 : DEPTHWISE_CACHE; /* dy is as large */
    const int fit = direct_max(1, (int)(cache / (l.cols * copied * l.step)));
    const int fewest = direct_min(l.rows, direct_div_up(DIRECT_TASKS, s->n));
    l.row_blocks = direct_max(fewest, direct_div_up(l.rows, fit));
    l.block_rows = direct_div_up(l.rows, l.row_blocks);
    l.row_blocks = direct_div_up(l.rows, l.block_rows);
    return l;
}

/* From the first one that counts to behind the last one. */
struct depthwise_range {
    int from, to;
};

static struct depthwise_range depthwise_inside(int first, int count, int size)
{
    const int from = direct_max(0, -first);
    return (struct depthwise_range){ from, direct_max(from, direct_min(count, size - first)) };
}

struct depthwise_task {
    int image, row, rows;             /* of the output, in rows of a phase */
    const float *x;                   /* the image, or a copy of a part of it: */
    int top, left;                    /* its first pixel, */
    int x_rows, x_cols;               /* its size */
    float *sums, *dw;                 /* what this task adds to, or NULL */
    struct direct_ahead next, next_y; /* what the task after this one reads, of in and of dy, */
    int next_lines;                   /* and how much of it each tile asks for */
};

/* Where a row of out-pixels of one phase reads and writes. */
struct depthwise_line {
    const struct depthwise *l;
    struct depthwise_task *task;
    struct direct_phase down, across;
    struct depthwise_range rows; /* of the taps, that lie in x */
    int left;                    /* column in x of the first pixel's first tap */
    ptrdiff_t x;                 /* floats from x to its row, column 0 */
    char *y;
};

/* The taps of columns `cols`, as the inner loop walks them: rows of a span of columns, or one by
 * one. */
struct depthwise_taps {
    int span; /* an index of direct_isa.depthwise_tile */
    int rows;
    ptrdiff_t x_rows[DEPTHWISE_TAPS], w_rows[DEPTHWISE_TAPS];
};

static int depthwise_span(const struct depthwise *l, int across)
{
    if (across == 3 && l->step == 1) return DEPTHWISE_TRIPLE;
    if (across == 3 && l->step == 2) return LANES_TRIPLE_2;
    return across == 2 && l->step == 1 ? DEPTHWISE_PAIR : DEPTHWISE_ONE;
}

/* The tap of a kernel that a phase's i-th is. */
static int depthwise_tap(const struct depthwise *l, const struct direct_phase *p, int i)
{
    return l->forward ? i : p->first + l->s->stride * (p->taps - 1 - i);
}

static void depthwise_taps(const struct depthwise_line *r, struct depthwise_range cols,
                           struct depthwise_taps *t)
{
    const struct depthwise *l = r->l;
    t->span = depthwise_span(l, cols.to - cols.from);
    t->rows = 0;
    if (t->span != DEPTHWISE_ONE) cols.to = cols.from + 1;
    for (int y = r->rows.from; y < r->rows.to; y++)
        for (int x = cols.from; x < cols.to; x++, t->rows++) {
            const int row = depthwise_tap(l, &r->down, y), col = depthwise_tap(l, &r->across, x);
            t->x_rows[t->rows] = r->x + ((ptrdiff_t)y * r->task->x_cols + r->left + x) * l->pixel;
            t->w_rows[t->rows] = (ptrdiff_t)(row * l->s->kw + col) * l->group * l->w_row;
        }
}

/* Pixels [from, to), which see the same columns of the kernel, cut into what the inner loops take
 * at once. */
static void depthwise_pixels(const struct depthwise_line *r, struct depthwise_range cols, int from,
                             int to)
{
    const struct depthwise *l = r->l;
    struct depthwise_task *task = r->task;
    const int *count = l->isa->depthwise_pixels, most = *count, c = l->s->c;
    struct depthwise_taps taps;
    depthwise_taps(r, cols, &taps);
    struct direct_depthwise t = {
        .x = task->x + from * l->step * l->pixel,
        .w = l->weights,
        .start = l->forward ? l->call->bias : NULL,
        .dw = task->dw,
        .x_pixel = taps.span == DEPTHWISE_ONE ? l->step * l->pixel : l->pixel,
        .w_column = (l->forward ? 1 : -l->s->stride) * l->group * l->w_row,
        .w_channel = l->w_row,
        .x_rows = taps.x_rows,
        .w_rows = taps.w_rows,
        .rows = taps.rows,
        .group = l->group,
        .y = r->y + direct_bytes(l->bf16_out, (ptrdiff_t)from * l->phases * c),
        .y_pixel = (ptrdiff_t)l->phases * c,
        .sum = task->sums,
        .square = task->sums ? task->sums + c : NULL,
        .channels = c,
        .narrow = l->bf16_out,
        .add = !l->forward && !l->call->overwrite,
        .stream = l->stream,
        .ahead_lines = task->next_lines,
    };
    void (*const *tile)(const struct direct_depthwise *) =
        l->isa->depthwise_tile[l->group > 1][taps.span];
    void (*const *outer)(const struct direct_depthwise *) =
        l->isa->depthwise_outer[l->group > 1][taps.span];
    for (int left = to - from; left > 0; left -= *count) {
        t.ahead = task->next.left ? &task->next : &task->next_y;
        const int even = direct_div_up(left, direct_div_up(left, most));
        while (*count > even) count++;
        (task->dw ? outer : tile)[*count](&t);
        t.x += *count * l->step * l->pixel;
        t.y = (char *)t.y + direct_bytes(t.narrow, *count * t.y_pixel);
    }
}

/* The columns of the kernel that lie in x, for pixel p. */
static struct depthwise_range depthwise_cols(const struct depthwise_line *r, int p)
{
    return depthwise_inside(r->left + p * r->l->step, r->across.taps, r->task->x_cols);
}

/* The pixels of one phase in out-row `row`: neighbours that see the same columns go together. */
static void depthwise_line(const struct depthwise *l, struct depthwise_task *task, int row,
                           int phase)
{
    const int pixels = direct_div_up(l->ow - phase, l->phases);
    struct depthwise_line r = { .l = l, .task = task };
    r.down = direct_pass_phase(l->s, l->forward, CONV_ROWS, row % l->phases);
    r.across = direct_pass_phase(l->s, l->forward, CONV_COLUMNS, phase);
    const int top = row / l->phases * l->step + r.down.offset - task->top;
    r.rows = depthwise_inside(top, r.down.taps, task->x_rows);
    r.left = r.across.offset - task->left;
    r.x = (ptrdiff_t)top * task->x_cols * l->pixel;
    const ptrdiff_t y = ((ptrdiff_t)task->image * l->oh + row) * l->ow + phase;
    r.y = (char *)l->out + direct_bytes(l->bf16_out, y * l->s->c);
    for (int p = 0, to; p < pixels; p = to) {
        const struct depthwise_range cols = depthwise_cols(&r, p);
        for (to = p + 1; to < pixels; to++) {
            const struct depthwise_range next = depthwise_cols(&r, to);
            if (next.from != cols.from || next.to != cols.to) break;
        }
        depthwise_pixels(&r, cols, p, to);
    }
}

static size_t depthwise_tasks(const struct depthwise *l)
{
    return (size_t)l->s->n * (size_t)l->row_blocks;
}

static struct depthwise_task depthwise_task(const struct depthwise *l, size_t chunk)
{
    struct depthwise_task t = { .image = (int)chunk / l->row_blocks,
                                .row = (int)chunk % l->row_blocks * l->block_rows };
    t.rows = direct_min(l->block_rows, l->rows - t.row);
    return t;
}

/* The part of the input that this thread's next task will most likely read. */
static void depthwise_look_ahead(const struct depthwise *l, struct depthwise_task *t, size_t next)
{
    if (next >= depthwise_tasks(l)) return;
    const struct depthwise_task then = depthwise_task(l, next);
    const int top = direct_max(0, direct_min(l->h, then.row * l->step + l->top));
    const int rows = direct_min(l->h - top, depthwise_window_rows(l, then.rows));
    const ptrdiff_t at = ((ptrdiff_t)then.image * l->h + top) * l->w * l->s->c,
                    pixel = direct_bytes(l->bf16_in, l->s->c);
    const int calls = direct_div_up(l->s->c, l->isa->lanes) * t->rows * l->phases *
                      direct_div_up(l->ow, l->isa->depthwise_pixels[0]);
    t->next = direct_pixels_ahead((const char *)l->in + direct_bytes(l->bf16_in, at), rows * l->w,
                                  (int)pixel, pixel);
    if (t->dw) {
        const ptrdiff_t y = ((ptrdiff_t)then.image * l->oh + then.row) * l->ow * l->s->k,
                        y_pixel = direct_bytes(l->bf16_out, l->s->k);
        t->next_y = direct_pixels_ahead((const char *)l->out + direct_bytes(l->bf16_out, y),
                                        then.rows * l->ow, (int)y_pixel, y_pixel);
    }
    t->next_lines = direct_div_up(t->next.left + t->next_y.left, calls);
}

static size_t depthwise_copy_len(const struct depthwise *l)
{
    return l->in_place ? 0
                       : (size_t)(depthwise_window_rows(l, l->block_rows) * (l->cols * l->pixel));
}

/* What the task reads: the image itself, or a copy of its part with the border. */
static void depthwise_read(const struct depthwise *l, struct depthwise_task *t)
{
    const struct conv_shape *s = l->s;
    const char *image =
        (const char *)l->in + direct_bytes(l->bf16_in, (ptrdiff_t)t->image * l->h * l->w * s->c);
    if (l->in_place) {
        t->x = (const void *)image, t->x_rows = l->h, t->x_cols = l->w;
        return;
    }
    t->top = t->row * l->step + l->top, t->left = l->left;
    t->x_rows = depthwise_window_rows(l, t->rows), t->x_cols = l->cols;
    float *copy = parallel_scratch(depthwise_copy_len(l));
    direct_window_copy(
        &(struct direct_window){
            .isa = l->isa,
            .kind = l->bf16_in ? DIRECT_WIDEN : DIRECT_FLOATS,
            .x = image,
            .h = l->h,
            .w = l->w,
            .c = s->c,
            .row = t->top,
            .col = t->left,
            .rows = t->x_rows,
            .cols = t->x_cols,
            .step = 1,
            .channels = s->c,
            .pixel = l->pixel,
            .scale = l->forward ? l->call->in_scale : NULL,
            .shift = l->forward ? l->call->in_shift : NULL,
            .cap = l->call->in_cap,
        },
        copy);
    t->x = copy;
}

static void depthwise_rows(const struct depthwise *l, struct depthwise_task *t)
{
    const int end = direct_min(l->oh, (t->row + t->rows) * l->phases);
    depthwise_read(l, t);
    for (int row = t->row * l->phases; row < end; row++)
        for (int phase = 0; phase < direct_min(l->phases, l->ow); phase++)
            depthwise_line(l, t, row, phase);
}

static void depthwise_chunk(void *ctx, size_t chunk)
{
    const struct depthwise *l = ctx;
    struct depthwise_task t = depthwise_task(l, chunk);
    depthwise_look_ahead(l, &t, chunk + (size_t)parallel_threads());
    if (l->partial) {
        t.sums = l->partial + (ptrdiff_t)chunk * 2 * l->s->c;
        memset(t.sums, 0, 2 * (size_t)l->s->c * sizeof *t.sums);
    }
    depthwise_rows(l, &t);
}

static void depthwise_run(struct depthwise *l, enum conv_pass pass)
{
    l->weights = l->call->packed;
    if (!l->weights) {
        direct_depthwise_pack(
            l->s, &(struct conv_packing){ .pass = pass, .w = l->call->w, .packed = l->call->work });
        l->weights = l->call->work;
    }
    if (l->forward && l->call->sums)
        l->partial = l->call->work + direct_depthwise_packed(l->s, pass);
    parallel_for(depthwise_tasks(l), depthwise_chunk, l);
    if (l->partial) direct_add_sums(l->s, l->call, l->partial, l->row_blocks);
}

void direct_depthwise_forward(const struct conv_shape *s, const struct conv_call *c)
{
    struct depthwise l = depthwise_plan(s, c, CONV_FORWARD);
    depthwise_run(&l, CONV_FORWARD);
}

void direct_depthwise_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    struct depthwise l = depthwise_plan(s, c, CONV_BACKWARD_DATA);
    depthwise_run(&l, CONV_BACKWARD_DATA);
}

/* Weight gradients: tasks are dealt out to parts, in order. Each part sums those of its own, and
 * the parts are added up in order: work is [parts], each like packed weights. */
static size_t depthwise_parts(const struct depthwise *l)
{
    return depthwise_tasks(l) < DIRECT_TASKS ? depthwise_tasks(l) : DIRECT_TASKS;
}

static void depthwise_weights_chunk(void *ctx, size_t chunk)
{
    const struct depthwise *l = ctx;
    const size_t len = direct_depthwise_packed(l->s, CONV_FORWARD);
    float *part = l->call->work + chunk * len;
    size_t begin, end;
    memset(part, 0, len * sizeof *part);
    parallel_part(depthwise_tasks(l), depthwise_parts(l), chunk, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        struct depthwise_task t = depthwise_task(l, i);
        t.dw = part;
        depthwise_look_ahead(l, &t, i + 1);
        depthwise_rows(l, &t);
    }
}

/* dw[tap][i][k] += the sum of the parts. */
static void depthwise_weights_add(void *ctx, size_t chunk)
{
    const struct depthwise *l = ctx;
    const int c = l->s->c;
    const size_t len = direct_depthwise_packed(l->s, CONV_FORWARD), parts = depthwise_parts(l);
    const float *part = l->call->work + (ptrdiff_t)chunk * l->w_row;
    float *dw = l->call->dw + (ptrdiff_t)chunk * c, *sum = parallel_scratch((size_t)c);
    memcpy(sum, part, (size_t)c * sizeof *sum);
    for (size_t p = 1; p < parts; p++)
        for (int i = 0; i < c; i++) sum[i] += part[p * len + (size_t)i];
    for (int i = 0; i < c; i++) dw[i] += sum[i];
}

void direct_depthwise_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    struct depthwise l = depthwise_plan(s, c, CONV_BACKWARD_WEIGHTS);
    parallel_for(depthwise_parts(&l), depthwise_weights_chunk, &l);
    parallel_for((size_t)(s->kh * s->kw * l.group), depthwise_weights_add, &l);
}

size_t direct_depthwise_work(const struct conv_shape *s)
{
    const struct conv_call none = { 0 };
    const struct depthwise l = depthwise_plan(s, &none, CONV_FORWARD),
                           w = depthwise_plan(s, &none, CONV_BACKWARD_WEIGHTS);
    const size_t weights = depthwise_parts(&w) * direct_depthwise_packed(s, CONV_FORWARD);
    const size_t sums = (size_t)s->n * (size_t)l.row_blocks * 2 * (size_t)s->c;
    const size_t forward = direct_depthwise_packed(s, CONV_FORWARD) + sums;
    return forward > weights ? forward : weights;
}

size_t direct_depthwise_scratch(const struct conv_shape *s, const struct conv_call *c)
{
    size_t most = 0;
    for (int pass = CONV_FORWARD; pass <= CONV_BACKWARD_WEIGHTS; pass++) {
        const struct depthwise l = depthwise_plan(s, c, (enum conv_pass)pass);
        if (depthwise_copy_len(&l) > most) most = depthwise_copy_len(&l);
    }
    return most;
}
