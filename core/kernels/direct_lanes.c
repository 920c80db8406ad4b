/* Depthwise and narrowly grouped convolutions forward and backward to the input: vectors run along
 * the channels, a lane meets the channels of its own group only. A task copies a block of rows with
 * its zero border into scratch and goes through the channels a vector at a time.
 *
 * Packed weights are [tap][channel of the group][c up to whole vectors], those of a backward pass
 * with the group's input and output channels exchanged. */
#include "core/base/parallel.h"
#include "core/kernels/direct.h"
#include <string.h>

enum {
    LANES_NEAR =
        4 * 1024,     /* floats of rows of the copy (16 KiB) that stay in the first-level cache */
    LANES_FEW = 64,   /* channels: fewer together were no faster than a vector alone, but for */
    LANES_PIXEL = 32, /* pixels of so few that they go together whole */
    LANES_CACHE = 48 * 1024, /* floats of a task's copy (192 KiB): it is read again for each row of
                              * taps and leaves the second-level cache to what streams past */
    LANES_TAPS = 25,         /* 5x5 is the largest kernel that networks have here */
};

struct lanes {
    const struct direct_isa *isa;
    const struct conv_shape *s;
    const struct conv_call *call;
    bool forward;
    bool bf16_in, bf16_out;
    const void *in;
    void *out;
    int group;                    /* channels of a group, in and out */
    int h, w, oh, ow;             /* of in and out */
    int step, phases;             /* as in direct_dense.c */
    int rows;                     /* of a phase, the most */
    int top, bottom, left, right; /* rows and columns of in that out-pixel 0 of any phase sees */
    int cols;                     /* of the copy */
    int row_blocks, block_rows;
    ptrdiff_t pixel; /* floats of a pixel in the copy: whole vectors */
    int together;    /* channels that go through all rows of a task together: as many as leave the
                      * rows that one output row sees in the first-level cache, or a vector */
    ptrdiff_t w_row; /* floats of a row of packed weights */
    const float *weights;
    float *partial; /* [n][row_blocks][2][c] or NULL */
    bool stream;    /* out is written past the caches */
};

bool direct_lanes_takes(const struct conv_shape *s)
{
    const int group = s->c / s->groups;
    return s->c == s->k && s->kh * s->kw <= LANES_TAPS && group < direct_isa()->lanes &&
           (group == 1 || group == 4 || group == 8);
}

static ptrdiff_t lanes_w_row(const struct conv_shape *s)
{
    return direct_round_up(s->c, DIRECT_LANES);
}

size_t direct_lanes_packed(const struct conv_shape *s, enum conv_pass pass)
{
    if (pass == CONV_BACKWARD_WEIGHTS) return 0;
    return (size_t)(s->kh * s->kw * (s->c / s->groups)) * (size_t)lanes_w_row(s);
}

void direct_lanes_pack(const struct conv_shape *s, const struct conv_packing *p)
{
    const int group = s->c / s->groups;
    const ptrdiff_t row = lanes_w_row(s);
    float *out = p->packed;
    memset(out, 0, direct_lanes_packed(s, p->pass) * sizeof *out);
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

static int lanes_window_rows(const struct lanes *l, int rows)
{
    return (rows - 1) * l->step + l->bottom - l->top + 1;
}

/* Whole lines only: where a vector is one. */
static bool lanes_streams(const struct lanes *l)
{
    const struct conv_shape *s = l->s;
    return (l->forward || l->call->overwrite) && !l->bf16_out && l->isa->lanes == DIRECT_LANES &&
           s->c % DIRECT_LANES == 0 &&
           direct_streams(l->out, direct_bytes(false, (ptrdiff_t)s->n * l->oh * l->ow * s->c));
}

static struct lanes lanes_plan(const struct conv_shape *s, const struct conv_call *c, bool forward)
{
    struct lanes l = { .isa = direct_isa(), .s = s, .call = c, .forward = forward };
    l.bf16_in = forward ? s->bf16_x : s->bf16_y, l.bf16_out = forward ? s->bf16_y : s->bf16_x;
    l.in = forward ? c->x : c->dy, l.out = forward ? c->y : c->dx;
    l.group = s->c / s->groups;
    l.h = forward ? s->h : s->oh, l.w = forward ? s->w : s->ow;
    l.oh = forward ? s->oh : s->h, l.ow = forward ? s->ow : s->w;
    l.stream = lanes_streams(&l);
    l.step = forward ? s->stride : 1, l.phases = forward ? 1 : s->stride;
    l.rows = direct_div_up(l.oh, l.phases);
    direct_reach(s, l.forward, s->kh, &l.top, &l.bottom);
    direct_reach(s, l.forward, s->kw, &l.left, &l.right);
    l.cols = (direct_div_up(l.ow, l.phases) - 1) * l.step + l.right - l.left + 1;
    l.pixel = direct_pixel(s->c, l.isa->lanes);
    l.w_row = lanes_w_row(s);
    l.together = LANES_NEAR / ((l.bottom - l.top + 1) * l.cols) / DIRECT_LANES * DIRECT_LANES;
    if (l.together < LANES_FEW) l.together = s->c <= LANES_PIXEL ? s->c : l.isa->lanes;
    const int fit = direct_max(1, (int)(LANES_CACHE / (l.cols * l.pixel * l.step)));
    const int fewest = direct_min(l.rows, direct_div_up(DIRECT_TASKS, s->n));
    l.row_blocks = direct_max(fewest, direct_div_up(l.rows, fit));
    l.block_rows = direct_div_up(l.rows, l.row_blocks);
    l.row_blocks = direct_div_up(l.rows, l.block_rows);
    return l;
}

/* The taps of a phase, as the inner loop walks them: rows of `span` columns. */
struct lanes_taps {
    int span; /* an index of direct_isa.lanes_tile */
    int rows;
    ptrdiff_t x_rows[LANES_TAPS], w_rows[LANES_TAPS];
    ptrdiff_t x_pixel, w_column;
};

static int lanes_span(const struct lanes *l, int across)
{
    if (across == 3 && l->step == 1) return LANES_TRIPLE;
    if (across == 3 && l->step == 2) return LANES_TRIPLE_2;
    return across == 2 && l->step == 1 ? LANES_PAIR : LANES_ONE;
}

static void lanes_taps(const struct lanes *l, const int phase[2], struct lanes_taps *t)
{
    const struct direct_phase down = direct_pass_phase(l->s, l->forward, l->s->kh, phase[0]);
    const struct direct_phase across = direct_pass_phase(l->s, l->forward, l->s->kw, phase[1]);
    const ptrdiff_t tap = l->group * l->w_row;
    t->span = lanes_span(l, across.taps);
    t->w_column = (l->forward ? 1 : -l->s->stride) * tap;
    t->x_pixel = t->span == LANES_ONE ? l->step * l->pixel : l->pixel;
    t->rows = 0;
    for (int y = 0; y < down.taps; y++)
        for (int x = 0; x < (t->span == LANES_ONE ? across.taps : 1); x++, t->rows++) {
            const int row = l->forward ? y : down.first + l->s->stride * (down.taps - 1 - y);
            const int col = l->forward ? x : across.first + l->s->stride * (across.taps - 1 - x);
            t->x_rows[t->rows] = ((ptrdiff_t)y * l->cols + x) * l->pixel;
            t->w_rows[t->rows] = (ptrdiff_t)(row * l->s->kw + col) * tap;
        }
    if (!across.taps) t->rows = 0;
}

struct lanes_task {
    int image, row, rows;
    float *window, *sums;
    struct direct_ahead next; /* what the task after this one reads, */
    int next_lines;           /* and how much of it each tile asks for */
};

/* On to the next channels, or back. Field by field: a copy of the whole struct would have to wait
 * until what was just stored in it, and so all of y, has reached the cache. */
static void lanes_move(struct direct_lanes *t, int channels)
{
    t->x += channels, t->w += channels;
    t->y = (char *)t->y + direct_bytes(t->narrow, channels);
    if (t->start) t->start += channels;
    if (t->sum) t->sum += channels, t->square += channels;
}

/* One row of out-pixels, cut into what the inner loops take at once, and that into vectors. */
static void lanes_row(const struct lanes *l, struct direct_lanes *t, int span, int pixels,
                      int channels)
{
    const int *count = l->isa->lanes_pixels, most = *count, lanes = l->isa->lanes;
    const int back = direct_round_up(channels, lanes);
    for (int left = pixels; left > 0; left -= *count) {
        const int even = direct_div_up(left, direct_div_up(left, most));
        while (*count > even) count++;
        for (int n0 = 0; n0 < channels; n0 += lanes, lanes_move(t, lanes)) {
            t->valid = direct_min(lanes, channels - n0);
            l->isa->lanes_tile[l->group > 1][span][*count](t);
        }
        lanes_move(t, -back);
        t->x += *count * l->step * l->pixel;
        t->y = (char *)t->y + direct_bytes(t->narrow, *count * t->y_pixel);
    }
}

static void lanes_task_phase(const struct lanes *l, struct lanes_task *task, const int phase[2])
{
    const struct direct_phase down = direct_pass_phase(l->s, l->forward, l->s->kh, phase[0]);
    const struct direct_phase across = direct_pass_phase(l->s, l->forward, l->s->kw, phase[1]);
    const int c = l->s->c, pixels = direct_div_up(l->ow - phase[1], l->phases);
    struct lanes_taps taps;
    lanes_taps(l, phase, &taps);
    for (int n0 = 0; n0 < c; n0 += l->together)
        for (int r = task->row; r < task->row + task->rows && r * l->phases + phase[0] < l->oh;
             r++) {
            const ptrdiff_t x =
                (ptrdiff_t)((r - task->row) * l->step + down.offset - l->top) * l->cols;
            const ptrdiff_t y =
                ((ptrdiff_t)task->image * l->oh + r * l->phases + phase[0]) * l->ow + phase[1];
            struct direct_lanes t = {
                .x = task->window + (x + across.offset - l->left) * l->pixel + n0,
                .w = l->weights + n0,
                .start = l->forward && l->call->bias ? l->call->bias + n0 : NULL,
                .x_pixel = taps.x_pixel,
                .w_column = taps.w_column,
                .w_channel = l->w_row,
                .x_rows = taps.x_rows,
                .w_rows = taps.w_rows,
                .rows = taps.rows,
                .group = l->group,
                .y = (char *)l->out + direct_bytes(l->bf16_out, y * c + n0),
                .y_pixel = (ptrdiff_t)l->phases * c,
                .sum = task->sums ? task->sums + n0 : NULL,
                .square = task->sums ? task->sums + c + n0 : NULL,
                .narrow = l->bf16_out,
                .add = !l->forward && !l->call->overwrite,
                .stream = l->stream,
                .ahead = &task->next,
                .ahead_lines = task->next_lines,
            };
            lanes_row(l, &t, taps.span, pixels, direct_min(l->together, c - n0));
        }
}

static struct lanes_task lanes_task(const struct lanes *l, size_t chunk)
{
    struct lanes_task t = { .image = (int)chunk / l->row_blocks,
                            .row = (int)chunk % l->row_blocks * l->block_rows };
    t.rows = direct_min(l->block_rows, l->rows - t.row);
    return t;
}

/* The part of the input that this thread's next task will most likely copy. */
static void lanes_look_ahead(const struct lanes *l, struct lanes_task *t, size_t chunk)
{
    const size_t next = chunk + (size_t)parallel_threads();
    if (next >= (size_t)l->s->n * (size_t)l->row_blocks) return;
    const struct lanes_task then = lanes_task(l, next);
    const int top = direct_max(0, direct_min(l->h, then.row * l->step + l->top));
    const int rows = direct_min(l->h - top, lanes_window_rows(l, then.rows));
    const ptrdiff_t at = ((ptrdiff_t)then.image * l->h + top) * l->w * l->s->c,
                    pixel = direct_bytes(l->bf16_in, l->s->c);
    const int calls = direct_div_up(l->s->c, l->isa->lanes) * t->rows * l->phases *
                      direct_div_up(l->ow, l->isa->lanes_pixels[0]);
    t->next = direct_pixels_ahead((const char *)l->in + direct_bytes(l->bf16_in, at), rows * l->w,
                                  (int)pixel, pixel);
    t->next_lines = direct_div_up(t->next.left, calls);
}

static void lanes_chunk(void *ctx, size_t chunk)
{
    const struct lanes *l = ctx;
    const struct conv_shape *s = l->s;
    struct lanes_task t = lanes_task(l, chunk);
    lanes_look_ahead(l, &t, chunk);
    t.window =
        parallel_scratch((size_t)(lanes_window_rows(l, l->block_rows) * (l->cols * l->pixel)));
    direct_window_copy(
        &(struct direct_window){
            .isa = l->isa,
            .kind = l->bf16_in ? DIRECT_WIDEN : DIRECT_FLOATS,
            .x = (const char *)l->in +
                 direct_bytes(l->bf16_in, (ptrdiff_t)t.image * l->h * l->w * s->c),
            .h = l->h,
            .w = l->w,
            .c = s->c,
            .row = t.row * l->step + l->top,
            .col = l->left,
            .rows = lanes_window_rows(l, t.rows),
            .cols = l->cols,
            .step = 1,
            .channels = s->c,
            .pixel = l->pixel,
            .scale = l->forward ? l->call->in_scale : NULL,
            .shift = l->forward ? l->call->in_shift : NULL,
        },
        t.window);
    if (l->partial) {
        t.sums = l->partial + (ptrdiff_t)chunk * 2 * s->c;
        memset(t.sums, 0, 2 * (size_t)s->c * sizeof *t.sums);
    }
    for (int p = 0; p < l->phases * l->phases; p++)
        if (p % l->phases < l->ow) lanes_task_phase(l, &t, (int[]){ p / l->phases, p % l->phases });
}

static void lanes_run(struct lanes *l, enum conv_pass pass)
{
    l->weights = l->call->packed;
    if (!l->weights) {
        direct_lanes_pack(
            l->s, &(struct conv_packing){ .pass = pass, .w = l->call->w, .packed = l->call->work });
        l->weights = l->call->work;
    }
    if (l->forward && l->call->sums) l->partial = l->call->work + direct_lanes_packed(l->s, pass);
    parallel_for((size_t)l->s->n * (size_t)l->row_blocks, lanes_chunk, l);
    if (l->partial) direct_add_sums(l->s, l->call, l->partial, l->row_blocks);
}

void direct_lanes_forward(const struct conv_shape *s, const struct conv_call *c)
{
    struct lanes l = lanes_plan(s, c, true);
    lanes_run(&l, CONV_FORWARD);
}

void direct_lanes_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    struct lanes l = lanes_plan(s, c, false);
    lanes_run(&l, CONV_BACKWARD_DATA);
}

size_t direct_lanes_work(const struct conv_shape *s)
{
    const struct lanes l = lanes_plan(s, &(struct conv_call){ 0 }, true);
    const size_t weights = direct_lanes_weights_work(s);
    const size_t sums = (size_t)s->n * (size_t)l.row_blocks * 2 * (size_t)s->c;
    const size_t forward = direct_lanes_packed(s, CONV_FORWARD) + sums;
    return forward > weights ? forward : weights;
}
