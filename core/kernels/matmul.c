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
#include "core/kernels/matmul.h"
#include "core/base/parallel.h"
#include "core/kernels/matmul_cut.h"
#include <string.h>

enum {
    DEPTH = 256, /* of the sum in one go: a tile's rows (14 KiB) and a panel (32 KiB) share the
                  * first-level cache */
    COPIED_ROW = DEPTH + DIRECT_LANES,
};

struct product {
    const struct direct_isa *isa;
    int rows, depth, columns;
    const float *a;     /* [rows][depth] */
    const float *b;     /* [depth][columns]; b_transposed: [columns][depth] */
    const float *start; /* [columns], added to each row; or NULL */
    float *c;           /* [rows][columns]; c_transposed: [columns][rows] */
    float *panels;      /* all of b, packed; NULL: tasks pack their part */
    bool b_transposed, c_transposed, add;
    int task_rows, task_columns; /* of a task's block of c */
};

/* A task's block of c, and its scratch memory. */
struct product_task {
    const struct product *p;
    int row, rows, column, columns;
    float *c; /* row by row: within p->c; or c_transposed, in scratch, whole panels wide */
    ptrdiff_t c_row;
    float *near;   /* [rows of a tile][COPIED_ROW]: those of a */
    float *packed; /* the panels of one step */
};

/* One step: [from, from + depth) of the sum. The panel of column n of the task begins at panels +
 * n panel_depth, with its first `skip` rows, which are not of this step. */
struct product_step {
    int from, depth;
    const float *panels;
    ptrdiff_t panel_depth, skip;
};

/* Whether a tile's rows of a are copied: where they stand, they would fight for the same sets of
 * the first-level cache. */
static bool product_copies(const struct product *p) { return p->depth % DIRECT_ALIASED == 0; }

/* Panels of columns [column, column + columns) of b, rows [from, from + depth). */
static void product_pack(const struct product *p, int column, int columns,
                         const struct product_step *s, float *out)
{
    for (int n = 0, width; n < columns; n += width, out += (ptrdiff_t)s->depth * width) {
        width = direct_panel_width(p->isa, columns, n);
        const int valid = direct_min(width, columns - n), from = column + n;
        if (p->b_transposed) {
            const float *b = p->b + (ptrdiff_t)from * p->depth + s->from;
            direct_pack_columns(out, &(struct direct_columns){ b, s->depth, valid, p->depth },
                                width);
            continue;
        }
        struct direct_copy copy = { .out = out, .out_pixel = width, .x_pixel = p->columns };
        copy.x = p->b + (ptrdiff_t)s->from * p->columns + from;
        copy.pixels = s->depth, copy.c = valid;
        direct_copy_filled(p->isa, DIRECT_FLOATS, &copy);
    }
}

static struct product_step task_step(const struct product_task *t, int from)
{
    const struct product *p = t->p;
    struct product_step s = { .from = from, .depth = direct_min(DEPTH, p->depth - from) };
    if (p->panels) {
        s.panels = p->panels, s.panel_depth = p->depth, s.skip = from;
    } else {
        product_pack(p, t->column, t->columns, &s, t->packed);
        s.panels = t->packed, s.panel_depth = s.depth;
    }
    return s;
}

/* A tile whose panel is wider than what it may write: through a buffer. */
static void tile_narrowed(const struct direct_isa *isa, const struct direct_tile *t, int rows,
                          int width, int valid)
{
    float y[DIRECT_ROWS * DIRECT_WIDTH], start[DIRECT_WIDTH] = { 0 };
    struct direct_tile u = *t;
    u.y[0] = y, u.y[1] = y + (rows + 1) / 2 * width, u.y_pixel = width;
    if (t->start) u.start = memcpy(start, t->start, (size_t)valid * sizeof *start);
    struct direct_copy copy = { .out = y, .x = t->y[0], .out_pixel = width, .x_pixel = t->y_pixel };
    copy.pixels = rows, copy.c = valid;
    if (t->add) direct_copy_filled(isa, DIRECT_FLOATS, &copy);
    isa->tile[0][width / isa->lanes][rows](&u);
    copy.out = t->y[0], copy.x = y, copy.out_pixel = t->y_pixel, copy.x_pixel = width;
    isa->copy[DIRECT_FLOATS](&copy);
}

/* A tile's rows of a, for one step. */
static struct direct_tile task_tile(const struct product_task *t, const struct product_step *s,
                                    int row, int rows)
{
    static const ptrdiff_t one_tap[1];
    const struct product *p = t->p;
    const float *a = p->a + (ptrdiff_t)(t->row + row) * p->depth + s->from;
    struct direct_tile tile = { .x_pixel = p->depth, .taps = one_tap, .n_taps = 1 };
    tile.depth = s->depth;
    if (product_copies(p)) {
        struct direct_copy copy = { .out = t->near, .x = a, .x_pixel = p->depth, .pixels = rows };
        copy.out_pixel = tile.x_pixel = COPIED_ROW, copy.c = s->depth;
        p->isa->copy[DIRECT_FLOATS](&copy);
        a = t->near;
    }
    tile.x[0] = a, tile.x[1] = a + (rows + 1) / 2 * tile.x_pixel;
    tile.y_pixel = t->c_row;
    tile.add = s->from > 0 || (p->add && !p->c_transposed);
    return tile;
}

/* Rows [row, row + rows) of the task, a tile's, with all its panels. */
static void task_panels(const struct product_task *t, const struct product_step *s, int row,
                        int rows)
{
    const struct product *p = t->p;
    struct direct_tile tile = task_tile(t, s, row, rows);
    for (int n = 0, width; n < t->columns; n += width) {
        width = direct_panel_width(p->isa, t->columns, n);
        const int valid = direct_min(width, t->columns - n);
        tile.panel = s->panels + n * s->panel_depth + s->skip * width;
        tile.y[0] = t->c + row * t->c_row + n;
        tile.y[1] = (float *)tile.y[0] + (rows + 1) / 2 * t->c_row;
        tile.start = p->start && s->from == 0 ? p->start + t->column + n : NULL;
        if (valid == width)
            p->isa->tile[0][width / p->isa->lanes][rows](&tile);
        else
            tile_narrowed(p->isa, &tile, rows, width, valid);
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
    const int lanes = p->isa->lanes, down = direct_div_up(p->rows, p->task_rows);
    struct product_task t = { .p = p };
    t.row = (int)chunk % down * p->task_rows, t.column = (int)chunk / down * p->task_columns;
    t.rows = direct_min(p->task_rows, p->rows - t.row);
    t.columns = direct_min(p->task_columns, p->columns - t.column);
    t.c = p->c + (ptrdiff_t)t.row * p->columns + t.column, t.c_row = p->columns;

    const int whole = direct_round_up(t.columns, lanes);
    const size_t near = product_copies(p) ? DIRECT_ROWS * COPIED_ROW : 0;
    t.near = parallel_scratch(near + (size_t)whole * (size_t)direct_max(DEPTH, t.rows));
    t.packed = t.near + near;
    if (p->c_transposed) t.c = t.packed, t.c_row = t.columns = whole;

    const int count = direct_div_up(t.rows, p->isa->tile_rows[t.columns > lanes ? 2 : 1]);
    for (int from = 0; from < p->depth; from += DEPTH) {
        const struct product_step s = task_step(&t, from);
        for (int i = 0, row = 0, rows; i < count; i++, row += rows)
            task_panels(&t, &s, row, rows = direct_part(t.rows, count, i));
    }
    if (p->c_transposed) task_transpose(&t);
}

static void product_run(struct product *p)
{
    const int down = direct_div_up(p->rows, p->task_rows),
              across = direct_div_up(p->columns, p->task_columns);
    parallel_for((size_t)down * (size_t)across, product_chunk, p);
}

static ptrdiff_t product_macs(const struct product *p)
{
    return (ptrdiff_t)p->rows * p->depth * p->columns;
}

/* Tasks own columns of c, as many as leave a step's panels in the second-level cache. */
static void product_by_columns(struct product *p)
{
    const int panel = 2 * p->isa->lanes, share = matmul_share(p->columns, product_macs(p));
    p->task_rows = p->rows;
    p->task_columns = direct_round_up(share, share > p->isa->lanes ? panel : p->isa->lanes);
    p->task_columns = direct_min(p->task_columns, p->isa->cache / 2 / DEPTH);
    product_run(p);
}

static void pack_chunk(void *ctx, size_t chunk)
{
    const struct product *p = ctx;
    const int panel = 2 * p->isa->lanes, column = (int)chunk * panel;
    const struct product_step all = { .depth = p->depth };
    product_pack(p, column, direct_min(panel, p->columns - column), &all,
                 p->panels + (ptrdiff_t)column * p->depth);
}

/* Tasks own rows of c, as many as leave their block in the second-level cache. */
static void product_by_rows(struct product *p)
{
    const int lanes = p->isa->lanes, tile = p->isa->tile_rows[p->columns > lanes ? 2 : 1];
    const int share = matmul_share(p->rows, product_macs(p)),
              fit = p->isa->cache / 2 / direct_round_up(p->columns, lanes);
    p->task_rows = direct_round_up(direct_max(1, direct_min(share, fit)), tile);
    p->task_columns = p->columns;
    parallel_for((size_t)direct_div_up(p->columns, 2 * lanes), pack_chunk, p);
    product_run(p);
}

void matmul_forward(const struct matmul *q)
{
    struct product p = { .isa = direct_isa(), .rows = q->m, .depth = q->k, .columns = q->n };
    p.a = q->x, p.b = q->w, p.start = q->bias, p.c = q->y;
    product_by_columns(&p);
}

/* Whether weights are better read as they stand than transposed. */
static bool matmul_weights_stay(const struct matmul *q)
{
    return (ptrdiff_t)q->k * q->n > (ptrdiff_t)q->m * (q->k + q->n);
}

size_t matmul_work(const struct matmul *q)
{
    if (!matmul_weights_stay(q)) return 0;
    return (size_t)direct_round_up(q->m, DIRECT_LANES) * (size_t)q->n;
}

void matmul_backward_data(const struct matmul *q)
{
    struct product p = { .isa = direct_isa(), .depth = q->n, .c = q->dx, .add = !q->overwrite };
    p.b_transposed = true;
    if (matmul_weights_stay(q)) {
        p.rows = q->k, p.columns = q->m;
        p.a = q->w, p.b = q->dy, p.panels = q->work, p.c_transposed = true;
        product_by_rows(&p);
    } else {
        p.rows = q->m, p.columns = q->k;
        p.a = q->dy, p.b = q->w;
        product_by_columns(&p);
    }
}
