/* y = x w and dx = dy w^T. A task owns a block of columns of the result, goes through the sum in
 * steps of DEPTH, packs that part of the right factor into panels, lets all rows of the left factor
 * meet them, and adds to what the steps before have left in the result. So weights are packed a
 * cache's worth at a time, once, and used at once.
 *
 * dx has two ways. To transpose weights takes as long as to multiply some 30 rows with them, so
 * where there are more weights than elements of dy and dx, those are transposed instead:
 * dx^T = w dy^T. The weights are the left factor then and are read as they stand, and a task owns
 * rows of the result.
 *
 * Letters: C (rows x columns) = A (rows x depth) B (depth x columns). */
#include "core/kernels/matmul/matmul.h"
#include "core/base/parallel.h"
#include "core/kernels/matmul/cut.h"
#include <string.h>

enum {
    DEPTH = 256, /* of the sum in one go: a tile's rows (14 KiB) and a panel (32 KiB) share the
                  * first-level cache */
    COPIED_ROW = DEPTH + DIRECT_LANES, /* floats from one copied row of a tile to the next */
    PACKED_ROWS = 8, /* of B that go into all panels before the next ones: reading a panel's whole
                      * depth first, memory would be read two lines here and two lines there */
};

struct product {
    const struct direct_isa *isa;
    int rows, depth, columns;
    const float *a;     /* [rows][depth] */
    const float *b;     /* [depth][columns]; b_transposed: [columns][depth] */
    const float *start; /* [columns], added to each row; or NULL */
    float *c;           /* [rows][columns]; c_transposed: [columns][rows] */
    float *panels;      /* all of B, packed; NULL: tasks pack their part */
    bool b_transposed, c_transposed, add;
    int task_rows, task_columns; /* of a task's block of C */
};

/* A task's block of C, and its scratch memory. */
struct product_task {
    const struct product *p;
    int row, rows, column, columns;
    float *c; /* row by row: within p->c; or c_transposed, in scratch, whole panels wide */
    ptrdiff_t c_row;
    float *copied; /* [rows of a tile][COPIED_ROW]: those of A */
    float *packed; /* the panels of one step */
};

/* One step: [from, from + depth) of the sum. The panel of column n of the task begins at panels +
 * n panel_depth, with `skip` rows that are not of this step. */
struct product_step {
    int from, depth;
    const float *panels;
    ptrdiff_t panel_depth, skip;
};

/* Whether a tile's rows of A are copied: where they stand, they would fight for the same sets of
 * the first-level cache. */
static bool product_copies(const struct product *p) { return p->depth % DIRECT_ALIASED == 0; }

static int product_panels(const struct product *p, int columns)
{
    return direct_div_up(columns, 2 * p->isa->lanes);
}

static void pack_rows(const struct product *p, int column, int columns,
                      const struct product_step *s, float *out)
{
    struct direct_copy copy = { .x_pixel = p->columns };
    for (int r = 0; r < s->depth; r += PACKED_ROWS)
        for (int n = 0, width; n < columns; n += width) {
            width = direct_panel_width(p->isa, columns, n);
            copy.x = p->b + (ptrdiff_t)(s->from + r) * p->columns + column + n;
            copy.out = out + (ptrdiff_t)n * s->depth + r * width, copy.out_pixel = width;
            copy.pixels = direct_min(PACKED_ROWS, s->depth - r);
            copy.c = direct_min(width, columns - n);
            direct_copy_filled(p->isa, DIRECT_FLOATS, &copy);
        }
}

static void pack_columns(const struct product *p, int column, int columns,
                         const struct product_step *s, float *out)
{
    struct direct_columns from = { .rows = s->depth, .apart = p->depth };
    for (int n = 0, width; n < columns; n += width) {
        width = direct_panel_width(p->isa, columns, n);
        from.w = p->b + (ptrdiff_t)(column + n) * p->depth + s->from;
        from.valid = direct_min(width, columns - n);
        direct_pack_columns(out + (ptrdiff_t)n * s->depth, &from, width);
    }
}

static struct product_step task_step(const struct product_task *t, int from)
{
    const struct product *p = t->p;
    struct product_step s = { .from = from, .depth = direct_min(DEPTH, p->depth - from) };
    if (p->panels) {
        s.panels = p->panels, s.panel_depth = p->depth, s.skip = from;
        return s;
    }
    (p->b_transposed ? pack_columns : pack_rows)(p, t->column, t->columns, &s, t->packed);
    s.panels = t->packed, s.panel_depth = s.depth;
    return s;
}

/* The part of B that the task's next step packs. */
static struct direct_ahead task_next_step(const struct product_task *t,
                                          const struct product_step *s)
{
    const struct product *p = t->p;
    const int from = s->from + s->depth;
    if (p->b_transposed || from == p->depth) return (struct direct_ahead){ 0 };
    const int bytes = (int)sizeof *p->b, rows = direct_min(DEPTH, p->depth - from);
    return direct_pixels_ahead(p->b + (ptrdiff_t)from * p->columns + t->column, rows,
                               t->columns * bytes, (ptrdiff_t)p->columns * bytes);
}

/* The rows of A that the task's next tile reads, about as many as this one does. */
static struct direct_ahead task_next_tile(const struct product_task *t,
                                          const struct product_step *s, int row, int rows)
{
    const struct product *p = t->p;
    const int bytes = (int)sizeof *p->a;
    return direct_pixels_ahead(p->a + (ptrdiff_t)(t->row + row) * p->depth + s->from,
                               direct_min(rows, t->rows - row), s->depth * bytes,
                               (ptrdiff_t)p->depth * bytes);
}

/* A tile whose panel is wider than what it may write: through a buffer. */
static void tile_narrowed(const struct direct_isa *isa, const struct direct_tile *t, int rows,
                          int width, int valid)
{
    float y[DIRECT_ROWS * DIRECT_WIDTH] = { 0 }, start[DIRECT_WIDTH] = { 0 };
    struct direct_tile u = *t;
    u.y[0] = y, u.y[1] = y + (rows + 1) / 2 * width, u.y_pixel = width;
    if (t->start) u.start = memcpy(start, t->start, (size_t)valid * sizeof *start);
    struct direct_copy copy = { .out = y, .x = t->y[0], .out_pixel = width, .x_pixel = t->y_pixel };
    copy.pixels = rows, copy.c = valid;
    if (t->add) isa->copy[DIRECT_FLOATS](&copy);
    isa->tile[0][width / isa->lanes][rows](&u);
    copy.out = t->y[0], copy.x = y, copy.out_pixel = t->y_pixel, copy.x_pixel = width;
    isa->copy[DIRECT_FLOATS](&copy);
}

/* What a tile of rows [row, row + rows) of the task has in common for all panels. */
static struct direct_tile task_tile(const struct product_task *t, const struct product_step *s,
                                    int row, int rows)
{
    static const ptrdiff_t one_tap[1];
    const struct product *p = t->p;
    const float *a = p->a + (ptrdiff_t)(t->row + row) * p->depth + s->from;
    struct direct_tile tile = { .x_pixel = p->depth, .taps = one_tap, .n_taps = 1 };
    tile.depth = s->depth;
    if (product_copies(p)) {
        struct direct_copy copy = { .out = t->copied, .x = a, .x_pixel = p->depth };
        copy.out_pixel = tile.x_pixel = COPIED_ROW, copy.pixels = rows, copy.c = s->depth;
        p->isa->copy[DIRECT_FLOATS](&copy);
        a = t->copied;
    }
    tile.x[0] = a, tile.x[1] = a + (rows + 1) / 2 * tile.x_pixel;
    tile.y_pixel = t->c_row;
    tile.add = s->from > 0 || (p->add && !p->c_transposed);
    return tile;
}

/* Rows [row, row + rows) of the task with all its panels, asking meanwhile for `lines` a panel of
 * what is ahead. */
static void task_panels(const struct product_task *t, const struct product_step *s, int row,
                        int rows, struct direct_ahead *ahead, int lines)
{
    const struct product *p = t->p;
    struct direct_tile tile = task_tile(t, s, row, rows);
    tile.ahead = ahead, tile.ahead_lines = lines;
    for (int n = 0, width; n < t->columns; n += width) {
        width = direct_panel_width(p->isa, t->columns, n);
        const int valid = direct_min(width, t->columns - n);
        float *c = t->c + row * t->c_row + n;
        tile.panel = s->panels + n * s->panel_depth + s->skip * width;
        tile.y[0] = c, tile.y[1] = c + (rows + 1) / 2 * t->c_row;
        tile.start = p->start && s->from == 0 ? p->start + t->column + n : NULL;
        if (valid == width)
            p->isa->tile[0][width / p->isa->lanes][rows](&tile);
        else
            tile_narrowed(p->isa, &tile, rows, width, valid);
    }
}

static void task_run_step(const struct product_task *t, const struct product_step *s)
{
    const struct product *p = t->p;
    const int count = direct_div_up(t->rows, p->isa->tile_rows[t->columns > p->isa->lanes ? 2 : 1]);
    const int panels = product_panels(p, t->columns);
    struct direct_ahead ahead = task_next_step(t, s);
    int lines = direct_div_up(ahead.left, count * panels);
    for (int i = 0, row = 0, rows; i < count; i++, row += rows) {
        rows = direct_part(t->rows, count, i);
        if (p->panels) { /* A is read where it stands, once: it comes from memory */
            ahead = task_next_tile(t, s, row + rows, rows);
            lines = direct_div_up(ahead.left, panels);
        }
        task_panels(t, s, row, rows, &ahead, lines);
    }
}

/* The task's block goes from scratch to its place. In blocks of 16 rows, whose lines stay in the
 * first-level cache until they are used up. */
static void task_transpose(const struct product_task *t)
{
    const struct product *p = t->p;
    for (int r0 = 0; r0 < t->rows; r0 += 16) {
        const int r1 = direct_min(t->rows, r0 + 16);
        for (int n = 0; n < p->columns; n++) {
            float *c = p->c + (ptrdiff_t)n * p->rows + t->row;
            for (int r = r0; r < r1; r++) c[r] = (p->add ? c[r] : 0) + t->c[r * t->c_row + n];
        }
    }
}

static void product_chunk(void *ctx, size_t chunk)
{
    const struct product *p = ctx;
    const int down = direct_div_up(p->rows, p->task_rows);
    struct product_task t = { .p = p, .c_row = p->columns };
    t.row = (int)chunk % down * p->task_rows, t.column = (int)chunk / down * p->task_columns;
    t.rows = direct_min(p->task_rows, p->rows - t.row);
    t.columns = direct_min(p->task_columns, p->columns - t.column);
    t.c = p->c + (ptrdiff_t)t.row * p->columns + t.column;

    const int whole = direct_round_up(t.columns, p->isa->lanes);
    const size_t copied = product_copies(p) ? DIRECT_ROWS * COPIED_ROW : 0;
    t.copied =
        parallel_scratch(copied + (size_t)whole * (size_t)(p->c_transposed ? p->task_rows : DEPTH));
    t.packed = t.copied + copied;
    if (p->c_transposed) t.c = t.packed, t.c_row = t.columns = whole;
    for (int from = 0; from < p->depth; from += DEPTH) {
        const struct product_step s = task_step(&t, from);
        task_run_step(&t, &s);
    }
    if (p->c_transposed) task_transpose(&t);
}

static void product_run(struct product *p)
{
    const int down = direct_div_up(p->rows, p->task_rows),
              across = direct_div_up(p->columns, p->task_columns);
    parallel_for((size_t)down * (size_t)across, product_chunk, p);
}

/* How many of `units` rows or columns a task takes. */
static int product_share(const struct product *p, int units)
{
    return direct_div_up(units, matmul_tasks((ptrdiff_t)p->rows * p->depth * p->columns));
}

/* Tasks own columns of C, at most as many as leave a step's panels in the second-level cache. */
static void product_by_columns(struct product *p)
{
    const int lanes = p->isa->lanes, share = product_share(p, p->columns);
    p->task_rows = p->rows;
    p->task_columns = direct_round_up(share, share > lanes ? 2 * lanes : lanes);
    p->task_columns = direct_min(p->task_columns, p->isa->cache / 2 / DEPTH);
    product_run(p);
}

/* A panel's rows of one step. */
static void panel_chunk(void *ctx, size_t chunk)
{
    const struct product *p = ctx;
    const int panels = product_panels(p, p->columns), from = (int)chunk / panels * DEPTH;
    const int panel = 2 * p->isa->lanes, column = (int)chunk % panels * panel;
    const int columns = direct_min(panel, p->columns - column);
    const struct product_step s = { .from = from, .depth = direct_min(DEPTH, p->depth - from) };
    pack_columns(p, column, columns, &s,
                 p->panels + (ptrdiff_t)column * p->depth +
                     (ptrdiff_t)from * direct_round_up(columns, p->isa->lanes));
}

/* Tasks own rows of C, about as many as leave their block in the second-level cache. */
static void product_by_rows(struct product *p)
{
    const int lanes = p->isa->lanes, tile = p->isa->tile_rows[p->columns > lanes ? 2 : 1];
    const int share = product_share(p, p->rows),
              fit = p->isa->cache / 2 / direct_round_up(p->columns, lanes);
    p->task_rows = direct_round_up(direct_max(1, direct_min(share, fit)), tile);
    p->task_columns = p->columns;
    parallel_for((size_t)product_panels(p, p->columns) * (size_t)direct_div_up(p->depth, DEPTH),
                 panel_chunk, p);
    product_run(p);
}

void matmul_forward(const struct matmul *layer)
{
    struct product p = {
        .isa = direct_isa(), .rows = layer->m, .depth = layer->k, .columns = layer->n
    };
    p.a = layer->x, p.b = layer->w, p.start = layer->bias, p.c = layer->y;
    product_by_columns(&p);
}

/* Whether weights are better read as they stand than transposed. */
static bool matmul_weights_stay(const struct matmul *layer)
{
    return (ptrdiff_t)layer->k * layer->n > (ptrdiff_t)layer->m * (layer->k + layer->n);
}

size_t matmul_work(const struct matmul *layer)
{
    if (!matmul_weights_stay(layer)) return 0;
    return (size_t)direct_round_up(layer->m, DIRECT_LANES) * (size_t)layer->n;
}

void matmul_backward_data(const struct matmul *layer)
{
    struct product p = {
        .isa = direct_isa(), .depth = layer->n, .c = layer->dx, .add = !layer->overwrite
    };
    p.b_transposed = true;
    if (matmul_weights_stay(layer)) {
        p.rows = layer->k, p.columns = layer->m;
        p.a = layer->w, p.b = layer->dy, p.panels = layer->work, p.c_transposed = true;
        product_by_rows(&p);
    } else {
        p.rows = layer->m, p.columns = layer->k;
        p.a = layer->dy, p.b = layer->w;
        product_by_columns(&p);
    }
}
