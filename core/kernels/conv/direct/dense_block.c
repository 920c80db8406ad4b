/* A block of a dense convolution: tiles of its output times panels of weights, in the order that
 * finds in the caches what is read again. A panel that is wider than its columns goes through a
 * buffer. The order depends on the shape and the instruction set alone. */
#include "core/kernels/conv/direct/dense_block.h"
#include "core/kernels/conv/direct/panels.h"
#include "core/kernels/kernels.h"
#include <string.h>

enum {
    DENSE_DEPTH = 512, /* channels of a 1x1 kernel in one go: a tile's pixels (28 KiB) stay in
                        * the first-level cache, a panel (64 KiB) in the second */
};

/* Panel i of all groups', with the weights of the block's phase. */
static struct dense_panel block_panel(const struct dense_block *b, int i)
{
    const struct dense *d = b->d;
    const int each = d->n_panels / d->s->groups, group = i / each,
              n0 = i % each * 2 * d->isa->lanes;
    const enum conv_pass pass = d->forward ? CONV_FORWARD : CONV_BACKWARD_DATA;
    struct dense_panel p = { .x = group * d->depth, .y = group * d->columns + n0 };
    p.width = direct_panel_width(d->isa, d->columns, n0);
    p.valid = direct_min(p.width, d->columns - n0);
    p.weights = b->weights + (ptrdiff_t)n0 * b->n_taps * b->depth +
                group * direct_group_panels(d->s, pass, d->isa->lanes, b->phase_taps);
    return p;
}

/* Pixel m of a tile's output. */
static void *tile_output(const struct direct_tile *t, int m, int rows)
{
    const int half = (rows + 1) / 2, i = m >= half;
    return (char *)t->y[i] + direct_bytes(t->narrow, (i ? m - half : m) * t->y_pixel);
}

/* A panel whose last columns do not exist: the tile goes through a buffer. */
static void block_tail(const struct dense *d, const struct dense_panel *p,
                       const struct direct_tile *t, int rows)
{
    const int half = (rows + 1) / 2;
    float y[DIRECT_ROWS * DIRECT_WIDTH], start[DIRECT_WIDTH] = { 0 },
                                         sums[2][2][DIRECT_WIDTH] = { 0 };
    const size_t valid = (size_t)p->valid;
    struct direct_tile u = *t;
    u.y[0] = y, u.y[1] = y + half * p->width, u.y_pixel = p->width;
    u.narrow = u.stream = false;
    if (t->start) u.start = memcpy(start, t->start, valid * sizeof *start);
    for (int i = 0; i < 2 && t->sum[0]; i++) u.sum[i] = sums[i][0], u.square[i] = sums[i][1];
    for (int m = 0; t->add && m < rows; m++) {
        const void *from = tile_output(t, m, rows);
        memset(y + m * p->width, 0, (size_t)p->width * sizeof *y);
        if (t->narrow)
            kernels->widen(y + m * p->width, from, valid);
        else
            memcpy(y + m * p->width, from, valid * sizeof *y);
    }
    d->isa->tile[d->pairs][p->width / d->isa->lanes][rows](&u);
    for (int m = 0; m < rows; m++) {
        void *to = tile_output(t, m, rows);
        if (t->narrow)
            kernels->narrow(to, y + m * p->width, valid);
        else
            memcpy(to, y + m * p->width, valid * sizeof *y);
    }
    for (int i = 0; i < 2 && t->sum[0]; i++)
        for (int n = 0; n < p->valid; n++)
            t->sum[i][n] += sums[i][0][n], t->square[i][n] += sums[i][1][n];
}

/* Tile `at` with a panel, channels [from, to) of a tap (all of them, unless 1x1). Asks for `lines`
 * of what is ahead meanwhile. */
static void block_tile(const struct dense_block *b, const struct dense_tile *at,
                       const struct dense_panel *p, int from, int to, struct direct_ahead *ahead,
                       int lines)
{
    const struct dense *d = b->d;
    struct direct_tile t = {
        .x = { at->x[0] + p->x + from, at->x[1] + p->x + from },
        .x_pixel = d->pixel * dense_copy_step(d),
        .taps = b->taps,
        .n_taps = b->n_taps,
        .depth = to - from,
        .panel = p->weights + (ptrdiff_t)from * p->width,
        .y = { at->y[0] + direct_bytes(d->bf16_out, p->y),
               at->y[1] + direct_bytes(d->bf16_out, p->y) },
        .y_pixel = (ptrdiff_t)d->phases * d->k,
        .narrow = d->bf16_out,
        .add = from > 0 || (!d->forward && !d->call->overwrite),
        .stream = d->stream && to - from == b->depth,
        .ahead = ahead,
        .ahead_lines = lines,
        .relu = d->forward && d->call->relu && to == b->depth,
        .cap = d->call->cap,
    };
    if (d->forward && d->call->bias && from == 0) t.start = d->call->bias + p->y;
    if (d->partial && to == b->depth)
        for (int i = 0; i < 2; i++)
            t.sum[i] = at->sums[i] + p->y, t.square[i] = at->sums[i] + d->k + p->y;
    if (p->valid == p->width)
        d->isa->tile[d->pairs][p->width / d->isa->lanes][at->rows](&t);
    else
        block_tail(d, p, &t, at->rows);
}

/* A 1x1 kernel's next tile, read where it stands. */
static struct direct_ahead block_next_tile(const struct dense_block *b, int tile)
{
    if (tile + 1 >= b->count) return (struct direct_ahead){ 0 };
    const struct dense_tile *next = &b->tiles[tile + 1];
    const ptrdiff_t bytes = b->d->pixel * (ptrdiff_t)sizeof *next->x[0];
    return direct_pixels_ahead(next->x[0], next->rows, (int)bytes, bytes);
}

/* Each tile meets all panels before the next tile. */
static void block_run_tiles(const struct dense_block *b)
{
    const int panels = b->to - b->from;
    for (int i = 0; i < b->count; i++) {
        struct direct_ahead tile = block_next_tile(b, i);
        const bool here = b->d->in_place;
        const int lines = here ? direct_div_up(tile.left, panels) : b->next_lines;
        for (int p = 0; p < panels; p++)
            block_tile(b, &b->tiles[i], &b->panels[p], 0, b->depth, here ? &tile : b->next, lines);
    }
}

/* Each panel meets all tiles before the next panel. */
static void block_run_panels(const struct dense_block *b, int depth)
{
    for (int from = 0; from < b->depth; from += depth)
        for (int p = 0; p < b->to - b->from; p++)
            for (int i = 0; i < b->count; i++)
                block_tile(b, &b->tiles[i], &b->panels[p], from, direct_min(b->depth, from + depth),
                           b->next, b->next_lines);
}

void direct_dense_block(struct dense_block *b)
{
    const struct dense *d = b->d;
    const int width = 2 * d->isa->lanes, panels = b->to - b->from;
    /* Panels that stay in the second-level cache beside the pixels: each tile meets all of them
     * before the next tile. */
    const bool resident = (ptrdiff_t)panels * width * b->n_taps * b->depth <= d->isa->cache / 2;
    const bool whole = resident || !d->point || d->bf16_out; /* bf16 takes no partial sums */
    const int depth = whole ? b->depth : DENSE_DEPTH;
    const int calls = b->count * panels * direct_div_up(b->depth, depth) * b->phases_left;
    b->next_lines = direct_div_up(b->next->left, calls);
    for (int i = 0; i < panels; i++) b->panels[i] = block_panel(b, b->from + i);
    if (resident)
        block_run_tiles(b);
    else
        block_run_panels(b, depth);
}
