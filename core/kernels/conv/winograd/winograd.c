/* Winograd's convolution as one of conv.h's algorithms: forward, and backward to the input, which
 * is a forward pass over dy with the weights turned by half. A task takes a block of tiles and a
 * group of panels of output channels: it splits its tiles into cells, multiplies each cell's matrix
 * of [tiles][in] with its panels, and joins the products to pixels, panel by panel. */
#include "core/base/parallel.h"
#include "core/kernels/conv/sums.h"
#include "core/kernels/conv/winograd/pack.h"
#include "core/kernels/conv/winograd/split.h"
#include "core/kernels/conv/winograd/weights.h"
#include <string.h>

enum {
    WINOGRAD_BLOCK_TILES = 64, /* of a block: weights are read once for so many */
    WINOGRAD_TASK_COLUMNS =
        64, /* fewest output channels of a task: every task transforms its input tiles again */
    WINOGRAD_DEPTH =
        128, /* input channels summed in one go: sums of sums round less than long sums */
};

/* Whether tiles of 4x4 cover so many pixels without computing many that do not exist. */
static bool covers(int rows, int cols)
{
    const int tiles = direct_div_up(rows, WINOGRAD_OUT) * direct_div_up(cols, WINOGRAD_OUT);
    return 3 * tiles * WINOGRAD_CELLS < 2 * rows * cols * WINOGRAD_TAPS;
}

/* Channels of a group that are whole vectors; of one of several groups, whole panels as well, or
 * one vector. */
static bool fills(int channels, int groups)
{
    return channels % (groups == 1 ? DIRECT_LANES : DIRECT_WIDTH) == 0 || channels == DIRECT_LANES;
}

/* Whatever the batch: a part of it takes the same way as the whole. Groups of four would be
 * multiplied with three times as many zeros; the direct convolution is faster. */
static bool winograd_supports(const struct conv_shape *s)
{
    const int groups = winograd_groups(s);
    return s->c / s->groups != 4 && s->kh == 3 && s->kw == 3 && s->stride == 1 && s->pad_top <= 2 &&
           s->pad_left <= 2 && covers(s->h, s->w) && covers(s->oh, s->ow) &&
           fills(s->c / groups, groups) && fills(s->k / groups, groups);
}

/* A pass, seen from what it writes: "in" is x or dy, "out" y or dx. */
struct pass {
    const struct direct_isa *isa;
    const struct conv_shape *s;
    const struct conv_call *call;
    bool forward;
    struct winograd_source in; /* without from and channels */
    void *out;
    bool bf16_out, stream;
    int rows, cols, k;          /* out */
    int groups, depth, columns; /* groups or bundles, and channels in and out of each */
    struct winograd_cut cut;
    int each;            /* panels of a group */
    int n_panels;        /* of all groups */
    int shares, share;   /* of a block's panels: how many, and panels of one at most */
    const float *panels; /* [panel][cell][depth][width] */
    float *partial;      /* [n][row_blocks][2][k]: sums and squares, or NULL */
};

/* Panels of a task: several groups whole; or a part of all, where blocks alone are few tasks. */
static int pass_share(const struct pass *p, int width)
{
    if (p->groups > 1) return direct_max(1, WINOGRAD_TASK_COLUMNS / p->columns) * p->each;
    return direct_max(direct_div_up(p->n_panels, direct_div_up(DIRECT_TASKS, p->cut.blocks)),
                      direct_div_up(WINOGRAD_TASK_COLUMNS, width));
}

static void pass_cut(struct pass *p)
{
    const int width = direct_panel_width(p->isa, p->columns, 0);
    const int in =
        p->groups > 1 ? direct_max(p->depth, WINOGRAD_TASK_COLUMNS) : p->depth; /* of a task */
    const int fit = 2 * p->isa->cache / (WINOGRAD_CELLS * (in + width));
    p->cut = winograd_cut(p->s->n, p->rows, p->cols, direct_max(WINOGRAD_BLOCK_TILES, fit));
    p->each = direct_div_up(p->columns, width);
    p->n_panels = p->groups * p->each;
    p->share = direct_min(p->n_panels, pass_share(p, width));
    p->shares = direct_div_up(p->n_panels, p->share);
}

static bool pass_streams(const struct pass *p)
{
    const ptrdiff_t each = direct_bytes(p->bf16_out, p->k);
    return (p->forward || p->call->overwrite) && each % DIRECT_LINE == 0 &&
           direct_streams(p->out, (ptrdiff_t)p->s->n * p->rows * p->cols * each);
}

static struct pass pass_plan(const struct conv_shape *s, const struct conv_call *c, bool forward)
{
    struct pass p = { .isa = direct_isa(), .s = s, .call = c, .forward = forward };
    p.in = (struct winograd_source){
        .isa = p.isa,
        .x = forward ? c->x : c->dy,
        .is_bf16 = forward ? s->bf16_x : s->bf16_y,
        .h = forward ? s->h : s->oh,
        .w = forward ? s->w : s->ow,
        .c = forward ? s->c : s->k,
        .size = WINOGRAD_IN,
        .pad_top = forward ? s->pad_top : 2 - s->pad_top,
        .pad_left = forward ? s->pad_left : 2 - s->pad_left,
        .scale = forward ? c->in_scale : NULL,
        .shift = forward ? c->in_shift : NULL,
        .cap = c->in_cap,
    };
    p.out = forward ? c->y : c->dx, p.bf16_out = forward ? s->bf16_y : s->bf16_x;
    p.rows = forward ? s->oh : s->h, p.cols = forward ? s->ow : s->w, p.k = forward ? s->k : s->c;
    p.groups = winograd_groups(s);
    p.depth = p.in.c / p.groups, p.columns = p.k / p.groups;
    p.stream = pass_streams(&p);
    pass_cut(&p);
    return p;
}

/* A task: which tiles and panels it has, and its scratch. */
struct task {
    const struct pass *p;
    struct winograd_block b;
    struct winograd_source in;
    int first, last; /* panels */
    float *cells;    /* [cell][tiles][channels of in] */
    float *products; /* [cell][tiles][width] */
    float *window;
    ptrdiff_t plane, products_plane;
    struct direct_ahead next; /* what the next task reads, */
    int next_lines;           /* and how much of it each product of a tile asks for */
};

/* One of its panels: output channels [to, to + width), input channels [from, from + depth). */
struct panel {
    struct task *t;
    int from, to, width;
    const float *weights; /* [cell][depth][width] */
};

/* Panel i of all. */
static struct panel task_panel(struct task *t, int i)
{
    const struct pass *p = t->p;
    const int group = i / p->each, n0 = i % p->each * 2 * p->isa->lanes;
    struct panel a = { .t = t, .from = group * p->depth, .to = group * p->columns + n0 };
    a.width = direct_panel_width(p->isa, p->columns, n0);
    a.weights = p->panels + (ptrdiff_t)WINOGRAD_CELLS * p->depth * a.to;
    return a;
}

/* Each cell's tiles times its weights. */
static void panel_products(const struct panel *a)
{
    const struct task *task = a->t;
    const struct pass *p = task->p;
    const ptrdiff_t pixel = winograd_pitch(task->in.channels), tap = 0;
    const int vectors = a->width / p->isa->lanes, tiles = task->b.tiles;
    const int count = direct_div_up(tiles, p->isa->tile_rows[vectors]);
    const int least = tiles / count, longer = tiles % count;
    struct direct_tile t = { .x_pixel = pixel,
                             .taps = &tap,
                             .n_taps = 1,
                             .panel = a->weights,
                             .y_pixel = a->width,
                             .ahead = &a->t->next,
                             .ahead_lines = task->next_lines };
    for (int cell = 0; cell < WINOGRAD_CELLS; cell++)
        for (int from = 0; from < p->depth; from += WINOGRAD_DEPTH, t.panel += t.depth * a->width) {
            const float *x = task->cells + cell * task->plane + a->from - task->in.from + from;
            float *y = task->products + cell * task->products_plane;
            t.depth = direct_min(WINOGRAD_DEPTH, p->depth - from);
            t.add = from > 0;
            for (int i = 0; i < count; i++) {
                const int rows = least + (i < longer), half = (rows + 1) / 2;
                t.x[0] = x, t.x[1] = x + half * pixel;
                t.y[0] = y, t.y[1] = y + half * a->width;
                p->isa->tile[0][vectors][rows](&t);
                x += rows * pixel, y += rows * a->width;
            }
        }
}

/* Where sums of output channel 0 of the block's i-th image begin. */
static float *pass_sums(const struct pass *p, const struct winograd_block *b, int i)
{
    if (!p->partial) return NULL;
    return p->partial +
           ((ptrdiff_t)(b->image + i) * p->cut.row_blocks + b->row / p->cut.block_rows) * 2 * p->k;
}

static void panel_join(const struct panel *a)
{
    const struct pass *p = a->t->p;
    const struct winograd_block *b = &a->t->b;
    struct winograd_join t = {
        .cells = a->t->products,
        .plane = a->t->products_plane,
        .vectors = a->width / p->isa->lanes,
        .y_row = (ptrdiff_t)p->cols * p->k,
        .y_pixel = p->k,
        .start = p->forward && p->call->bias ? p->call->bias + a->to : NULL,
        .narrow = p->bf16_out,
        .add = !p->forward && !p->call->overwrite,
        .relu = p->forward && p->call->relu,
        .cap = p->call->cap,
        .stream = p->stream,
    };
    for (int row = 0; row < b->images * b->rows; row++) {
        const int image = row / b->rows, y = (b->row + row % b->rows) * WINOGRAD_OUT;
        t.rows = direct_min(WINOGRAD_OUT, p->rows - y);
        t.sum = pass_sums(p, b, image);
        if (t.sum) t.sum += a->to, t.square = t.sum + p->k;
        for (int x = 0; x < p->cols; x += WINOGRAD_OUT, t.cells += a->width) {
            const ptrdiff_t at =
                (((ptrdiff_t)(b->image + image) * p->rows + y) * p->cols + x) * p->k + a->to;
            t.cols = direct_min(WINOGRAD_OUT, p->cols - x);
            t.y = (char *)p->out + direct_bytes(p->bf16_out, at);
            t.next =
                p->stream ? NULL : (char *)t.y + direct_bytes(p->bf16_out, WINOGRAD_OUT * p->k);
            winograd_isa()->join(&t);
        }
    }
}

/* The tiles and panels of a chunk; its input. */
static struct task pass_task(const struct pass *p, size_t chunk)
{
    struct task t = { .p = p, .b = winograd_block(&p->cut, (int)chunk / p->shares), .in = p->in };
    t.first = (int)chunk % p->shares * p->share;
    t.last = direct_min(p->n_panels, t.first + p->share);
    const int group = t.first / p->each, end = direct_div_up(t.last, p->each);
    t.in.from = group * p->depth;
    t.in.channels = (end - group) * p->depth;
    return t;
}

/* The part of the input that this thread's next task will most likely read. */
static struct direct_ahead pass_ahead(const struct pass *p, size_t chunk)
{
    const size_t number = chunk + (size_t)parallel_threads();
    if (number >= (size_t)(p->cut.blocks * p->shares)) return (struct direct_ahead){ 0 };
    const struct task now = pass_task(p, chunk), next = pass_task(p, number);
    const struct winograd_block *b = &next.b;
    if (b->image == now.b.image && b->row == now.b.row && next.in.from == now.in.from)
        return (struct direct_ahead){ 0 };
    const int top = direct_max(0, b->row * WINOGRAD_OUT - p->in.pad_top);
    const int rows =
        b->images > 1 ? b->images * p->in.h : direct_min(p->in.h - top, b->rows * WINOGRAD_OUT + 2);
    const ptrdiff_t at = ((ptrdiff_t)b->image * p->in.h + top) * p->in.w * p->in.c + next.in.from;
    return direct_pixels_ahead((const char *)p->in.x + direct_bytes(p->in.is_bf16, at),
                               rows * p->in.w, (int)direct_bytes(p->in.is_bf16, next.in.channels),
                               direct_bytes(p->in.is_bf16, p->in.c));
}

/* How a task's scratch is divided; returns its floats. */
static size_t task_divide(struct task *t)
{
    const struct pass *p = t->p;
    const int width = direct_panel_width(p->isa, p->columns, 0);
    t->plane = winograd_plane(t->b.tiles * winograd_pitch(t->in.channels));
    t->products_plane = winograd_plane((ptrdiff_t)t->b.tiles * width);
    return (size_t)(WINOGRAD_CELLS * (t->plane + t->products_plane)) +
           winograd_window(&p->cut, &t->in);
}

static void task_scratch(struct task *t)
{
    t->cells = parallel_scratch(task_divide(t));
    t->products = t->cells + WINOGRAD_CELLS * t->plane;
    t->window = t->products + WINOGRAD_CELLS * t->products_plane;
}

static void pass_chunk(void *ctx, size_t chunk)
{
    const struct pass *p = ctx;
    struct task t = pass_task(p, chunk);
    task_scratch(&t);
    winograd_split_block(&p->cut, &t.b, &t.in,
                         &(struct winograd_cells){ t.cells, t.window, t.plane, t.in.channels });
    const struct panel first = task_panel(&t, t.first), last = task_panel(&t, t.last - 1);
    for (int i = 0; i < t.b.images && p->partial; i++) {
        float *sums = pass_sums(p, &t.b, i) + first.to;
        const size_t columns = (size_t)(last.to + last.width - first.to);
        memset(sums, 0, columns * sizeof *sums);
        memset(sums + p->k, 0, columns * sizeof *sums);
    }
    t.next = pass_ahead(p, chunk);
    const int tiles = direct_div_up(t.b.tiles, p->isa->tile_rows[first.width / p->isa->lanes]) *
                      direct_div_up(p->depth, WINOGRAD_DEPTH);
    for (int i = t.first; i < t.last; i++) {
        const struct panel a = task_panel(&t, i);
        t.next_lines = direct_div_up(t.next.left, (t.last - i) * WINOGRAD_CELLS * tiles);
        panel_products(&a);
        panel_join(&a);
    }
}

static void pass_run(struct pass *p, enum conv_pass pass)
{
    p->panels = p->call->packed;
    if (!p->panels) {
        winograd_pack(
            p->s, &(struct conv_packing){ .pass = pass, .w = p->call->w, .packed = p->call->work });
        p->panels = p->call->work;
    }
    if (p->forward && p->call->sums) p->partial = p->call->work + winograd_packed(p->s, pass);
    parallel_for((size_t)(p->cut.blocks * p->shares), pass_chunk, p);
    if (p->partial) direct_add_sums(p->s, p->call, p->partial, p->cut.row_blocks);
}

static void winograd_forward(const struct conv_shape *s, const struct conv_call *c)
{
    struct pass p = pass_plan(s, c, true);
    pass_run(&p, CONV_FORWARD);
}

static void winograd_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    struct pass p = pass_plan(s, c, false);
    pass_run(&p, CONV_BACKWARD_DATA);
}

/* Of the first task, which is as large as any. */
static size_t pass_scratch(const struct conv_shape *s, const struct conv_call *c, bool forward)
{
    const struct pass p = pass_plan(s, c, forward);
    struct task t = pass_task(&p, 0);
    return task_divide(&t);
}

static size_t winograd_scratch(const struct conv_shape *s, const struct conv_call *c)
{
    const size_t forward = pass_scratch(s, c, true), data = pass_scratch(s, c, false),
                 weights = winograd_weights_scratch(s, c), most = forward > data ? forward : data;
    return most > weights ? most : weights;
}

static size_t winograd_work(const struct conv_shape *s)
{
    const struct pass p = pass_plan(s, &(struct conv_call){ 0 }, true);
    const size_t sums = (size_t)s->n * (size_t)p.cut.row_blocks * 2 * (size_t)s->k,
                 pixels = winograd_packed(s, CONV_FORWARD) + sums,
                 weights = winograd_weights_work(s);
    return pixels > weights ? pixels : weights;
}

/* Of a forward pass; the others differ where padding does not keep the size. */
static uint64_t winograd_macs_executed(const struct conv_shape *s)
{
    const struct winograd_cut c = winograd_cut(s->n, s->oh, s->ow, 1);
    return (uint64_t)(s->n * c.tile_rows * c.tile_cols) * WINOGRAD_CELLS *
           (uint64_t)(s->c / winograd_groups(s)) * (uint64_t)s->k;
}

static bool winograd_folds_batch_norm(const struct conv_shape *s)
{
    (void)s;
    return true;
}

const struct conv_algorithm conv_winograd = {
    .name = "winograd",
    .supports = winograd_supports,
    .supports_bf16 = winograd_supports,
    .work = winograd_work,
    .scratch = winograd_scratch,
    .packed = winograd_packed,
    .pack = winograd_pack,
    .macs_executed = winograd_macs_executed,
    .folds_batch_norm = winograd_folds_batch_norm,
    .fuses_batch_norm = true,
    .forward = winograd_forward,
    .backward_data = winograd_backward_data,
    .backward_weights = winograd_backward_weights,
};
