/* Dense convolutions forward and backward to the input: the same product of pixels with panels,
 * seen from its output. A task takes whole images or a block of rows of one, copies the part of the
 * input that they see into scratch with its zero border (1x1 kernels read the input where it
 * stands), cuts the output pixels into register tiles, and runs all tiles with all panels
 * (dense_block.c). */
#include "core/kernels/conv/direct/dense.h"
#include "core/base/parallel.h"
#include "core/kernels/conv/direct/dense_block.h"
#include "core/kernels/conv/direct/panels.h"
#include "core/kernels/conv/sums.h"
#include <string.h>

enum {
    GROUP_PIXELS = 196, /* small images are taken together up to here: 14 full tiles of 14 */
    SUMS = 8,           /* that keep a processor busy: the latency of a product, 4, times 2 units */
};

static int dense_window_rows(const struct dense *d, int rows)
{
    return (rows - 1) * dense_copy_step(d) + d->bottom - d->top + 1;
}

static int dense_window_cols(const struct dense *d)
{
    return (d->cols - 1) * dense_copy_step(d) + d->right - d->left + 1;
}

static ptrdiff_t dense_window_len(const struct dense *d)
{
    return d->in_place ? 0
                       : dense_window_rows(d, d->block_rows) * (dense_window_cols(d) * d->pixel);
}

/* Cuts the output into tasks. Depends on the shape and the instruction set alone. */
static void dense_cut(struct dense *d)
{
    const int n = d->s->n;
    const ptrdiff_t row = dense_window_cols(d) * d->pixel * dense_copy_step(d);
    const int fit = (int)direct_max(1, (int)(d->isa->cache / row));

    d->images = 1;
    if (fit >= d->rows) {
        const int together = direct_max(1, GROUP_PIXELS / (d->rows * d->cols));
        d->images =
            direct_min(direct_min(fit / d->rows, together), direct_max(1, n * 2 / DIRECT_TASKS));
    }
    const int fewest = d->images > 1 ? 1 : direct_min(d->rows, direct_div_up(DIRECT_TASKS, n));
    d->row_blocks = direct_max(fewest, direct_div_up(d->rows, fit));
    d->block_rows = direct_div_up(d->rows, d->row_blocks);
    d->row_blocks = direct_div_up(d->rows, d->block_rows);

    const int tasks = direct_div_up(n, d->images) * d->row_blocks,
              parts = direct_min(d->n_panels, direct_div_up(DIRECT_TASKS, tasks));
    d->group_panels = direct_div_up(d->n_panels, parts);
    d->column_groups = direct_div_up(d->n_panels, d->group_panels);
}

static bool dense_streams(const struct dense *d)
{
    const ptrdiff_t bytes = direct_bytes(d->bf16_out, (ptrdiff_t)d->s->n * d->oh * d->ow * d->k);
    const int line = (int)(DIRECT_LINE / direct_bytes(d->bf16_out, 1)); /* channels */
    return (d->forward || d->call->overwrite) && d->columns % line == 0 &&
           direct_streams(d->out, bytes);
}

/* A 1x1 kernel whose output lies over its input, pixel by pixel. */
static bool dense_fits(const struct dense *d)
{
    const struct conv_shape *s = d->s;
    return s->pad_top == 0 && s->pad_left == 0 && s->oh == s->h && s->ow == s->w;
}

static struct dense dense_plan(const struct conv_shape *s, const struct conv_call *c, bool forward)
{
    struct dense d = { .isa = direct_isa(), .s = s, .call = c, .forward = forward };
    d.pairs = direct_pairs(s);
    d.bf16_in = forward ? s->bf16_x : s->bf16_y, d.bf16_out = forward ? s->bf16_y : s->bf16_x;
    d.in = forward ? c->x : c->dy;
    d.out = forward ? c->y : c->dx;
    d.h = forward ? s->h : s->oh, d.w = forward ? s->w : s->ow, d.c = forward ? s->c : s->k;
    d.oh = forward ? s->oh : s->h, d.ow = forward ? s->ow : s->w, d.k = forward ? s->k : s->c;
    d.elements = d.c / (d.pairs ? 2 : 1);
    d.depth = d.elements / s->groups, d.columns = d.k / s->groups;
    d.n_panels = s->groups * direct_div_up(d.columns, 2 * d.isa->lanes);
    d.step = forward ? s->stride : 1;
    d.phases = forward ? 1 : s->stride;
    d.rows = direct_div_up(d.oh, d.phases), d.cols = direct_div_up(d.ow, d.phases);
    direct_reach(s, d.forward, CONV_ROWS, &d.top, &d.bottom);
    direct_reach(s, d.forward, CONV_COLUMNS, &d.left, &d.right);
    d.point = s->kh == 1 && s->kw == 1;
    d.flat = d.point && d.phases == 1;
    d.pixel =
        d.elements * dense_copy_step(&d) % DIRECT_ALIASED ? d.elements : d.elements + DIRECT_LANES;
    d.in_place = d.flat && d.step == 1 && dense_fits(&d) && !c->in_scale && d.pixel == d.elements &&
                 d.pairs == d.bf16_in;
    d.stream = dense_streams(&d);
    dense_cut(&d);
    return d;
}

/* Rows of pixels, all of one length, that a block's tiles are cut from. */
struct dense_row {
    const float *x;
    char *y;
    float *sums;
    int pixels;
};

/* From a pixel of a row to the next: elements of the copy, bytes of the output. */
static ptrdiff_t dense_x_pixel(const struct dense *d) { return d->pixel * dense_copy_step(d); }

static ptrdiff_t dense_y_pixel(const struct dense *d)
{
    return direct_bytes(d->bf16_out, (ptrdiff_t)d->phases * d->k);
}

/* Cuts a row into even tiles; two short rows of equal length, `next` not NULL, into one. */
static int dense_tiles(const struct dense *d, struct dense_tile *tiles, const struct dense_row *row,
                       const struct dense_row *next)
{
    const ptrdiff_t x_pixel = dense_x_pixel(d), y_pixel = dense_y_pixel(d);
    const int most = d->isa->tile_rows[d->columns > d->isa->lanes ? 2 : 1];
    if (next) {
        *tiles = (struct dense_tile){
            { row->x, next->x }, { row->y, next->y }, { row->sums, next->sums }, 2 * row->pixels
        };
        return 1;
    }
    const int count = direct_div_up(row->pixels, most);
    const float *x = row->x;
    char *y = row->y;
    for (int i = 0; i < count; i++) {
        const int m = direct_part(row->pixels, count, i), half = (m + 1) / 2;
        tiles[i] = (struct dense_tile){
            { x, x + half * x_pixel }, { y, y + half * y_pixel }, { row->sums, row->sums }, m
        };
        x += m * x_pixel, y += m * y_pixel;
    }
    return count;
}

/* The part of the output that a task computes, and its scratch. */
struct dense_task {
    int image, images; /* first, how many */
    int row, rows;     /* of each phase */
    float *window;     /* [images][window rows][window cols][pixel] */
};

/* A row of the input. */
static const void *dense_in(const struct dense *d, int image, int row)
{
    const ptrdiff_t at = ((ptrdiff_t)image * d->h + row) * d->w * d->c;
    return (const char *)d->in + direct_bytes(d->bf16_in, at);
}

static float *dense_partial(const struct dense *d, int image, int row)
{
    if (!d->partial) return NULL;
    return d->partial + ((ptrdiff_t)image * d->row_blocks + row / d->block_rows) * 2 * d->k;
}

/* The row-th output row of phase (down, across) of the task's i-th image. */
static struct dense_row dense_row(const struct dense *d, const struct dense_task *t, int i, int row,
                                  const int phase[2])
{
    const struct direct_phase down = direct_pass_phase(d->s, d->forward, CONV_ROWS, phase[0]),
                              across = direct_pass_phase(d->s, d->forward, CONV_COLUMNS, phase[1]);
    const int image = t->image + i, y = row * d->phases + phase[0];
    struct dense_row r = { .sums = dense_partial(d, image, t->row) };
    r.pixels = direct_div_up(d->ow - phase[1], d->phases);
    r.y = (char *)d->out +
          direct_bytes(d->bf16_out, (((ptrdiff_t)image * d->oh + y) * d->ow + phase[1]) * d->k);
    if (d->in_place) {
        r.x = dense_in(d, image, row);
    } else {
        const int window_row = (row - t->row) * dense_copy_step(d) + down.offset - d->top;
        const ptrdiff_t rows = (ptrdiff_t)i * dense_window_rows(d, d->block_rows) + window_row;
        r.x = t->window + (rows * dense_window_cols(d) + across.offset - d->left) * d->pixel;
    }
    return r;
}

/* How many pixels of a row share a tile with as many of the next row: short rows whole; two of
 * those that cut evenly would leave a tile with fewer sums than the units need to be busy. */
static int dense_shared(const struct dense *d, int pixels)
{
    const int vectors = d->columns > d->isa->lanes ? 2 : 1, most = d->isa->tile_rows[vectors];
    if (2 * pixels <= most) return pixels;
    const int least = pixels / direct_div_up(pixels, most);
    return pixels > most && least * vectors < SUMS && pixels - 2 <= most ? 2 : 0;
}

/* Cuts the task's rows of one phase into tiles. */
static int dense_task_tiles(const struct dense *d, const struct dense_task *t, const int phase[2],
                            struct dense_tile *tiles)
{
    const ptrdiff_t x_pixel = dense_x_pixel(d), y_pixel = dense_y_pixel(d);
    struct dense_row waiting = { 0 };
    int count = 0;
    for (int i = 0; i < t->images; i++) {
        if (d->flat) {
            struct dense_row all = dense_row(d, t, i, t->row, phase);
            all.pixels *= t->rows;
            count += dense_tiles(d, tiles + count, &all, NULL);
            continue;
        }
        for (int r = t->row; r < t->row + t->rows && r * d->phases + phase[0] < d->oh; r++) {
            struct dense_row row = dense_row(d, t, i, r, phase);
            const int shared = dense_shared(d, row.pixels), own = row.pixels - shared;
            row.pixels = own;
            if (own) count += dense_tiles(d, tiles + count, &row, NULL);
            if (!shared) continue;
            row.x += own * x_pixel, row.y += own * y_pixel, row.pixels = shared;
            if (waiting.pixels) {
                count += dense_tiles(d, tiles + count, &waiting, &row);
                waiting.pixels = 0;
            } else {
                waiting = row;
            }
        }
    }
    if (waiting.pixels) count += dense_tiles(d, tiles + count, &waiting, NULL);
    return count;
}

/* Where the taps of a phase begin in the copy. Columns of a tap row that follow each other without
 * a gap are one tap. */
static void dense_taps(const struct dense *d, const int phase[2], struct dense_block *b)
{
    const int down = direct_pass_phase(d->s, d->forward, CONV_ROWS, phase[0]).taps,
              across = direct_pass_phase(d->s, d->forward, CONV_COLUMNS, phase[1]).taps;
    const int each = d->pixel == d->depth ? 1 : across;
    b->phase_taps = down * across;
    b->n_taps = across ? down * each : 0;
    b->depth = across && each == 1 ? across * d->depth : d->depth;
    for (int y = 0; y < down; y++)
        for (int x = 0; across && x < each; x++)
            b->taps[y * each + x] = ((ptrdiff_t)y * dense_window_cols(d) + x) * d->pixel;
}

static void dense_window(const struct dense *d, const struct dense_task *t)
{
    const ptrdiff_t len = dense_window_len(d);
    for (int i = 0; i < t->images && !d->in_place; i++)
        direct_window_copy(
            &(struct direct_window){
                .isa = d->isa,
                .kind = d->pairs     ? DIRECT_PAIRS
                        : d->bf16_in ? DIRECT_WIDEN
                                     : DIRECT_FLOATS,
                .x = dense_in(d, t->image + i, 0),
                .h = d->h,
                .w = d->w,
                .c = d->c,
                .row = t->row * d->step + d->top,
                .col = d->left,
                .rows = dense_window_rows(d, t->rows),
                .cols = dense_window_cols(d),
                .step = d->point ? d->step : 1,
                .channels = d->c,
                .pixel = d->pixel,
                .scale = d->forward ? d->call->in_scale : NULL,
                .shift = d->forward ? d->call->in_shift : NULL,
                .cap = d->call->in_cap,
            },
            t->window + i * len);
}

/* Which part of the output a chunk is; its columns in b. */
static struct dense_task dense_task(const struct dense *d, size_t chunk, struct dense_block *b)
{
    const int cut = (int)chunk / d->column_groups;
    struct dense_task t = { .image = cut / d->row_blocks * d->images,
                            .row = cut % d->row_blocks * d->block_rows };
    t.images = direct_min(d->images, d->s->n - t.image);
    t.rows = direct_min(d->block_rows, d->rows - t.row);
    b->from = (int)chunk % d->column_groups * d->group_panels;
    b->to = direct_min(d->n_panels, b->from + d->group_panels);
    return t;
}

/* The part of the input that this thread's next task will most likely copy. */
static struct direct_ahead dense_ahead(const struct dense *d, size_t chunk)
{
    const size_t next = chunk + (size_t)parallel_threads();
    struct dense_block b;
    if (next >= (size_t)d->tasks) return (struct direct_ahead){ 0 };
    const struct dense_task t = dense_task(d, next, &b);
    const int top = direct_max(0, direct_min(d->h, t.row * d->step + d->top));
    const int rows =
        t.images > 1
            ? t.images * d->h
            : direct_min(d->h - top, dense_window_rows(d, t.rows) * (d->point ? d->step : 1));
    const ptrdiff_t pixel = direct_bytes(d->bf16_in, d->c);
    return direct_pixels_ahead(dense_in(d, t.image, top), rows * d->w, (int)pixel, pixel);
}

/* The output channel that a panel begins at; the end of the last one for n_panels. */
static int dense_column(const struct dense *d, int panel)
{
    const int each = d->n_panels / d->s->groups;
    return panel / each * d->columns + panel % each * 2 * d->isa->lanes;
}

/* Floats that so many bytes take up, to the end of a line. */
static size_t dense_scratch(size_t bytes) { return (bytes + 63) / 64 * 16; }

/* A task's scratch, in floats: the lists of tiles (never more than pixels), taps and panels, the
 * window. */
struct dense_room {
    size_t tiles, taps, panels, all;
};

static struct dense_room dense_room(const struct dense *d)
{
    const size_t most = (size_t)d->images * (size_t)d->block_rows * (size_t)d->cols;
    struct dense_room r = {
        .tiles = dense_scratch(most * sizeof(struct dense_tile)),
        .taps = dense_scratch((size_t)d->s->kh * (size_t)d->s->kw * sizeof(ptrdiff_t)),
        .panels = dense_scratch((size_t)d->group_panels * sizeof(struct dense_panel))
    };
    r.all = r.tiles + r.taps + r.panels + (size_t)(d->images * dense_window_len(d));
    return r;
}

size_t direct_dense_scratch(const struct conv_shape *s, const struct conv_call *c)
{
    const struct dense forward = dense_plan(s, c, true), data = dense_plan(s, c, false);
    const size_t one = dense_room(&forward).all, other = dense_room(&data).all;
    return one > other ? one : other;
}

static void dense_chunk(void *ctx, size_t chunk)
{
    const struct dense *d = ctx;
    struct direct_ahead next = dense_ahead(d, chunk);
    struct dense_block b = { .d = d, .next = &next };
    struct dense_task t = dense_task(d, chunk, &b);

    const struct dense_room room = dense_room(d);
    float *scratch = parallel_scratch(room.all);
    b.tiles = (struct dense_tile *)(void *)scratch;
    b.taps = (ptrdiff_t *)(void *)(scratch + room.tiles);
    b.panels = (struct dense_panel *)(void *)(scratch + room.tiles + room.taps);
    t.window = scratch + room.tiles + room.taps + room.panels;

    dense_window(d, &t);
    for (int i = 0; i < t.images && d->partial; i++) {
        float *sums = dense_partial(d, t.image + i, t.row);
        const int from = dense_column(d, b.from), to = dense_column(d, b.to);
        memset(sums + from, 0, (size_t)(to - from) * sizeof *sums);
        memset(sums + d->k + from, 0, (size_t)(to - from) * sizeof *sums);
    }
    for (int p = 0; p < d->phases * d->phases; p++) {
        const int phase[2] = { p / d->phases, p % d->phases };
        if (phase[1] >= d->ow) continue;
        dense_taps(d, phase, &b);
        b.phases_left = d->phases * d->phases - p;
        b.count = dense_task_tiles(d, &t, phase, b.tiles);
        b.weights = d->panels +
                    (d->forward ? 0 : direct_phase_panels(d->s, d->isa->lanes, phase[0], phase[1]));
        if (b.count) direct_dense_block(&b);
    }
}

static void dense_run(struct dense *d, enum conv_pass pass)
{
    const size_t packed = direct_dense_packed(d->s, pass);
    d->panels = d->call->packed;
    if (!d->panels) {
        direct_dense_pack(
            d->s, &(struct conv_packing){ .pass = pass, .w = d->call->w, .packed = d->call->work });
        d->panels = d->call->work;
    }
    if (d->forward && d->call->sums) d->partial = d->call->work + packed;
    d->tasks = direct_div_up(d->s->n, d->images) * d->row_blocks * d->column_groups;
    parallel_for((size_t)d->tasks, dense_chunk, d);
    if (d->partial) direct_add_sums(d->s, d->call, d->partial, d->row_blocks);
}

void direct_dense_forward(const struct conv_shape *s, const struct conv_call *c)
{
    struct dense d = dense_plan(s, c, true);
    dense_run(&d, CONV_FORWARD);
}

void direct_dense_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    struct dense d = dense_plan(s, c, false);
    dense_run(&d, CONV_BACKWARD_DATA);
}

static size_t dense_pass_work(const struct conv_shape *s, enum conv_pass pass)
{
    const struct dense d = dense_plan(s, &(struct conv_call){ 0 }, pass == CONV_FORWARD);
    const size_t sums = (size_t)s->n * (size_t)d.row_blocks * 2 * (size_t)s->k;
    return direct_dense_packed(s, pass) + (pass == CONV_FORWARD ? sums : 0);
}

size_t direct_dense_work(const struct conv_shape *s)
{
    const size_t forward = dense_pass_work(s, CONV_FORWARD);
    const size_t data = dense_pass_work(s, CONV_BACKWARD_DATA);
    return forward > data ? forward : data;
}
