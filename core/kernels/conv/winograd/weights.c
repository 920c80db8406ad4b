/* Weight gradients by Winograd: a task owns a block of input x output channels and one of `parts`
 * of the blocks of tiles. Block of tiles after block of tiles it splits x and dy into cells and
 * adds each cell's outer products, [in][tiles] [tiles][out], to its sums. At last the parts' sums
 * are added in order and joined to the gradients of the nine taps. */
#include "core/kernels/conv/winograd/weights.h"
#include "core/base/parallel.h"
#include "core/kernels/conv/winograd/pack.h"
#include "core/kernels/conv/winograd/split.h"

enum {
    GRADIENT_SIDE =
        128, /* input and output channels of a block, at most: its cells are split once */
    GRADIENT_NARROW = 64,      /* the same where only that gives enough blocks without parts */
    GRADIENT_BLOCK_TILES = 64, /* of a block of tiles: sums are read and written once for so many */
    GRADIENT_PARTS = 8,        /* of the tiles, at most */
};

struct gradient_pass {
    const struct direct_isa *isa;
    const struct conv_call *call;
    const struct conv_shape *s;
    struct winograd_source x, dy; /* the channels of the largest block */
    struct winograd_cut cut;
    int all, depth, width; /* groups or bundles; channels in, out of each */
    int side;              /* of a block at most, in a group */
    int groups; /* of a block at most: several whole ones, or one of one or more blocks */
    int group_blocks, channel_blocks, column_blocks, blocks, parts;
    ptrdiff_t plane, block_len; /* floats of a cell's sums, and of a block's */
    float *sums;                /* [parts][blocks][cells][group][panel][in][width] */
};

static void winograd_weights_blocks(struct gradient_pass *w, int side)
{
    w->side = side;
    w->groups = direct_max(1, direct_min(w->all, side / direct_max(w->depth, w->width)));
    w->group_blocks = direct_div_up(w->all, w->groups);
    w->channel_blocks = direct_div_up(w->depth, side);
    w->column_blocks = direct_div_up(w->width, side);
    w->blocks = w->group_blocks * w->channel_blocks * w->column_blocks;
}

static struct gradient_pass winograd_weights_plan(const struct conv_shape *s,
                                                  const struct conv_call *c)
{
    struct gradient_pass w = { .isa = direct_isa(), .call = c, .s = s };
    w.all = winograd_groups(s);
    w.depth = s->c / w.all, w.width = s->k / w.all;
    winograd_weights_blocks(&w, GRADIENT_SIDE);
    if (w.blocks < DIRECT_TASKS) {
        winograd_weights_blocks(&w, GRADIENT_NARROW);
        if (w.blocks < DIRECT_TASKS) winograd_weights_blocks(&w, GRADIENT_SIDE);
    }
    w.x = (struct winograd_source){ .isa = w.isa,
                                    .x = c->x,
                                    .is_bf16 = s->bf16_x,
                                    .h = s->h,
                                    .w = s->w,
                                    .c = s->c,
                                    .channels = w.groups * direct_min(w.side, w.depth),
                                    .size = WINOGRAD_IN,
                                    .pad_top = s->pad_top,
                                    .pad_left = s->pad_left,
                                    .scale = c->in_scale,
                                    .shift = c->in_shift,
                                    .cap = c->in_cap };
    w.dy = (struct winograd_source){ .isa = w.isa,
                                     .x = c->dy,
                                     .is_bf16 = s->bf16_y,
                                     .h = s->oh,
                                     .w = s->ow,
                                     .c = s->k,
                                     .channels = w.groups * direct_min(w.side, w.width),
                                     .size = WINOGRAD_OUT };
    const int fit = 2 * w.isa->cache / (WINOGRAD_CELLS * (w.x.channels + w.dy.channels));
    w.cut = winograd_cut(s->n, s->oh, s->ow, direct_max(GRADIENT_BLOCK_TILES, fit));
    w.parts =
        direct_min(direct_min(GRADIENT_PARTS, direct_div_up(DIRECT_TASKS, w.blocks)), w.cut.blocks);
    w.plane = winograd_plane((ptrdiff_t)w.x.channels * w.dy.channels / w.groups);
    w.block_len = WINOGRAD_CELLS * w.plane;
    return w;
}

/* Which channels a block has. */
struct winograd_weights_block {
    const struct gradient_pass *w;
    struct winograd_source x, dy;
    int groups, row;  /* row: its first input channel's number in its group */
    int depth, width; /* channels in, out of each group */
    float *sums;
};

static struct winograd_weights_block winograd_weights_block(const struct gradient_pass *w,
                                                            int block)
{
    const int each = w->channel_blocks * w->column_blocks, group = block / each * w->groups;
    const int from = block % each / w->column_blocks * w->side,
              column = block % w->column_blocks * w->side;
    struct winograd_weights_block b = { .w = w, .x = w->x, .dy = w->dy, .row = from };
    b.groups = direct_min(w->groups, w->all - group);
    b.depth = direct_min(w->side, w->depth - from);
    b.width = direct_min(w->side, w->width - column);
    b.x.from = group * w->depth + from, b.x.channels = b.groups * b.depth;
    b.dy.from = group * w->width + column, b.dy.channels = b.groups * b.width;
    return b;
}

/* A panel of a block: output channels [from, from + width) of its group'th. */
struct winograd_weights_panel {
    int group, from, width;
    ptrdiff_t sums; /* where those of its input channel 0 begin in a cell */
};

static int block_panels(const struct winograd_weights_block *b)
{
    return b->groups * direct_div_up(b->width, 2 * b->w->isa->lanes);
}

static struct winograd_weights_panel winograd_weights_panel(const struct winograd_weights_block *b,
                                                            int i)
{
    const int each = block_panels(b) / b->groups;
    struct winograd_weights_panel p = { .group = i / each,
                                        .from = i % each * 2 * b->w->isa->lanes };
    p.width = direct_panel_width(b->w->isa, b->width, p.from);
    p.sums = ((ptrdiff_t)p.group * b->width + p.from) * b->depth;
    return p;
}

/* sums[panel][in][width] of one cell += x[tiles][in] dy[panel][tiles][width]. */
static void block_multiply(const struct winograd_weights_block *b, int tiles, const float *x,
                           const float *dy, float *sums, bool add)
{
    const struct direct_isa *isa = b->w->isa;
    const ptrdiff_t row = 0;
    for (int i = 0; i < block_panels(b); i++) {
        const struct winograd_weights_panel p = winograd_weights_panel(b, i);
        const int vectors = p.width / isa->lanes;
        const int count = direct_div_up(b->depth, isa->outer_rows[vectors]);
        const int least = b->depth / count, longer = b->depth % count;
        struct direct_outer o = { .a = x + p.group * b->depth,
                                  .b = dy + ((ptrdiff_t)p.group * b->width + p.from) * tiles,
                                  .a_rows = &row,
                                  .b_rows = &row,
                                  .a_pixel = winograd_pitch(b->x.channels),
                                  .b_pixel = p.width,
                                  .rows = 1,
                                  .pixels = tiles,
                                  .d = sums + p.sums,
                                  .d_row = p.width,
                                  .add = add };
        for (int k = 0; k < count; k++) {
            const int m = least + (k < longer);
            isa->outer[0][vectors][m](&o);
            o.a += m, o.d += (ptrdiff_t)m * p.width;
        }
    }
}

/* dw of a bundle's rows += what the groups of `sums`, [tap][rows][columns], have in common. */
static void bundle_add(const struct winograd_weights_block *b, int row, int rows, int to,
                       const float *sums)
{
    const struct conv_shape *s = b->w->s;
    const int c = s->c / s->groups, columns = b->width;
    for (int tap = 0; tap < WINOGRAD_TAPS; tap++)
        for (int r = row; r < row + rows; r++, sums += columns) {
            float *dw = b->w->call->dw + ((ptrdiff_t)tap * c + r % c) * s->k + to;
            for (int n = r / c * c; n < r / c * c + c; n++) dw[n] += sums[n];
        }
}

/* dw of rows [row, row + rows) of the block's groups += its parts' sums. */
static void block_join(const struct winograd_weights_block *b, int row, int rows, int parts,
                       ptrdiff_t part)
{
    const struct conv_shape *s = b->w->s;
    for (int i = 0; i < block_panels(b); i++) {
        const struct winograd_weights_panel p = winograd_weights_panel(b, i);
        const int to = b->dy.from + p.group * b->width + p.from;
        float bundle[WINOGRAD_TAPS * DIRECT_LANES * DIRECT_LANES] = { 0 };
        struct winograd_gradient g = {
            .cells = b->sums + p.sums + (ptrdiff_t)row * p.width,
            .plane = b->w->plane,
            .part = part,
            .parts = parts,
            .rows = rows,
            .width = p.width,
            .dw = b->w->call->dw + (ptrdiff_t)(b->row + row) * s->k + to,
            .tap = (ptrdiff_t)b->w->depth * s->k,
            .row = s->k,
        };
        const bool bundled = b->w->all < s->groups;
        if (bundled) g.dw = bundle + p.from, g.tap = (ptrdiff_t)rows * b->width, g.row = b->width;
        winograd_isa()->gradient(&g);
        if (bundled) bundle_add(b, row, rows, to - p.from, bundle);
    }
}

/* How the scratch of a block's parts is divided, in floats. */
struct winograd_weights_room {
    size_t own; /* its sums, where they have no place of their own */
    ptrdiff_t x_plane, dy_plane;
    size_t all;
};

static struct winograd_weights_room winograd_weights_room(const struct winograd_weights_block *b)
{
    const struct gradient_pass *w = b->w;
    const int most = winograd_block_tiles(&w->cut);
    const size_t windows[] = { winograd_window(&w->cut, &b->x), winograd_window(&w->cut, &b->dy) };
    struct winograd_weights_room r = { .own = w->parts == 1 ? (size_t)w->block_len : 0,
                                       .x_plane =
                                           winograd_plane(most * winograd_pitch(b->x.channels)),
                                       .dy_plane =
                                           winograd_plane((ptrdiff_t)most * b->dy.channels) };
    r.all = r.own + (size_t)(WINOGRAD_CELLS * (r.x_plane + r.dy_plane)) +
            (windows[0] > windows[1] ? windows[0] : windows[1]);
    return r;
}

size_t winograd_weights_scratch(const struct conv_shape *s, const struct conv_call *c)
{
    const struct gradient_pass w = winograd_weights_plan(s, c);
    const struct winograd_weights_block first = winograd_weights_block(&w, 0); /* as large as any */
    return winograd_weights_room(&first).all;
}

static void winograd_weights_chunk(void *ctx, size_t chunk)
{
    const struct gradient_pass *w = ctx;
    const int part = (int)chunk % w->parts, block = (int)chunk / w->parts;
    struct winograd_weights_block b = winograd_weights_block(w, block);
    const struct winograd_weights_room room = winograd_weights_room(&b);
    const size_t own = room.own;
    const ptrdiff_t x_plane = room.x_plane, dy_plane = room.dy_plane;
    float *scratch = parallel_scratch(room.all);
    b.sums = own ? scratch : w->sums + ((ptrdiff_t)part * w->blocks + block) * w->block_len;
    scratch += own;
    float *x = scratch, *dy = x + WINOGRAD_CELLS * x_plane,
          *window = dy + WINOGRAD_CELLS * dy_plane;

    size_t begin, end;
    parallel_part((size_t)w->cut.blocks, (size_t)w->parts, (size_t)part, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const struct winograd_block tiles = winograd_block(&w->cut, (int)i);
        winograd_split_block(&w->cut, &tiles, &b.x,
                             &(struct winograd_cells){ x, window, x_plane, b.x.channels });
        winograd_split_block(&w->cut, &tiles, &b.dy,
                             &(struct winograd_cells){ dy, window, dy_plane,
                                                       direct_panel_width(w->isa, b.width, 0) });
        for (int cell = 0; cell < WINOGRAD_CELLS; cell++)
            block_multiply(&b, tiles.tiles, x + cell * x_plane, dy + cell * dy_plane,
                           b.sums + cell * w->plane, i > begin);
    }
    if (own) block_join(&b, 0, b.depth, 1, 0);
}

enum { JOIN_ROWS = 8 }; /* of a block in a chunk of the final sum */

static int join_slices(const struct gradient_pass *w)
{
    return direct_div_up(direct_min(w->side, w->depth), JOIN_ROWS);
}

static void join_chunk(void *ctx, size_t chunk)
{
    const struct gradient_pass *w = ctx;
    const int slices = join_slices(w), block = (int)chunk / slices,
              row = (int)chunk % slices * JOIN_ROWS;
    struct winograd_weights_block b = winograd_weights_block(w, block);
    b.sums = w->sums + block * w->block_len;
    const int rows = direct_min(JOIN_ROWS, b.depth - row);
    if (rows > 0) block_join(&b, row, rows, w->parts, w->blocks * w->block_len);
}

size_t winograd_weights_work(const struct conv_shape *s)
{
    const struct gradient_pass w = winograd_weights_plan(s, &(struct conv_call){ 0 });
    return w.parts == 1 ? 0 : (size_t)w.parts * (size_t)w.blocks * (size_t)w.block_len;
}

void winograd_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    struct gradient_pass w = winograd_weights_plan(s, c);
    w.sums = c->work;
    parallel_for((size_t)(w.blocks * w.parts), winograd_weights_chunk, &w);
    if (w.parts > 1) parallel_for((size_t)(w.blocks * join_slices(&w)), join_chunk, &w);
}
