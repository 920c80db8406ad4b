/* dw += x^T dy: outer products of the rows of x and dy, added to dw where it stands. A task owns a
 * block of dw; it packs its columns of dy into panels, and copies its columns of x where these are
 * not all of x. */
#include "core/base/parallel.h"
#include "core/kernels/matmul/cut.h"
#include "core/kernels/matmul/matmul.h"

enum {
    ROWS = 64, /* of a task, about, where dw has as many: packing a column of dy takes as long as
                * multiplying it with two or three rows */
};

struct gradient {
    const struct direct_isa *isa;
    const struct matmul *layer;
    int task_rows, task_columns; /* of a task's block of dw */
};

struct gradient_task {
    const struct gradient *g;
    int row, rows, column, columns; /* the block of dw */
    const float *x;                 /* [m][x_row]: column `row` of x, and on */
    ptrdiff_t x_row;
    float *panels; /* of dy */
};

static void task_pack(const struct gradient_task *t)
{
    const struct matmul *layer = t->g->layer;
    float *out = t->panels;
    for (int n = 0, width; n < t->columns; n += width, out += (ptrdiff_t)layer->m * width) {
        width = direct_panel_width(t->g->isa, t->columns, n);
        struct direct_copy copy = { .out = out, .x = layer->dy + t->column + n };
        copy.out_pixel = width, copy.x_pixel = layer->n;
        copy.pixels = layer->m, copy.c = direct_min(width, t->columns - n);
        direct_copy_filled(t->g->isa, DIRECT_FLOATS, &copy);
    }
}

/* An outer product that is wider than what it may write: through a buffer. */
static void outer_narrowed(const struct direct_isa *isa, const struct direct_outer *o, int rows,
                           int width, int valid)
{
    float d[DIRECT_ROWS * DIRECT_WIDTH] = { 0 };
    struct direct_outer u = *o;
    struct direct_copy copy = { .out = d, .x = o->d, .out_pixel = width, .x_pixel = o->d_row };
    u.d = d, u.d_row = width;
    copy.pixels = rows, copy.c = valid;
    isa->copy[DIRECT_FLOATS](&copy);
    isa->outer[0][width / isa->lanes][rows](&u);
    copy.out = o->d, copy.x = d, copy.out_pixel = o->d_row, copy.x_pixel = width;
    isa->copy[DIRECT_FLOATS](&copy);
}

/* Rows [row, row + rows) of the task, with all panels, each time asking for the sums that the next
 * panel is added to. */
static void task_outer(const struct gradient_task *t, int row, int rows)
{
    static const ptrdiff_t one_row[1];
    const struct matmul *layer = t->g->layer;
    const struct direct_isa *isa = t->g->isa;
    const int bytes = (int)sizeof *layer->dw;
    struct direct_outer o = { .a = t->x + row, .a_rows = one_row, .a_pixel = t->x_row };
    o.b_rows = one_row, o.rows = 1, o.pixels = layer->m;
    o.d_row = layer->n, o.add = true;
    for (int n = 0, width, next; n < t->columns; n += width) {
        width = direct_panel_width(isa, t->columns, n);
        next = direct_min(width, t->columns - n - width);
        o.b = t->panels + (ptrdiff_t)n * layer->m, o.b_pixel = width;
        o.d = layer->dw + (ptrdiff_t)(t->row + row) * layer->n + t->column + n;
        struct direct_ahead ahead = { 0 };
        if (next > 0) ahead = direct_pixels_ahead(o.d + width, rows, next * bytes, o.d_row * bytes);
        o.ahead = &ahead, o.ahead_lines = ahead.left;
        if (t->columns - n >= width)
            isa->outer[0][width / isa->lanes][rows](&o);
        else
            outer_narrowed(isa, &o, rows, width, t->columns - n);
    }
}

static void gradient_chunk(void *ctx, size_t chunk)
{
    const struct gradient *g = ctx;
    const struct matmul *layer = g->layer;
    const int down = direct_div_up(layer->k, g->task_rows);
    struct gradient_task t = { .g = g, .x_row = layer->k };
    t.row = (int)chunk % down * g->task_rows, t.column = (int)chunk / down * g->task_columns;
    t.rows = direct_min(g->task_rows, layer->k - t.row);
    t.columns = direct_min(g->task_columns, layer->n - t.column);
    t.x = layer->x + t.row;

    const size_t copied = t.rows < layer->k ? (size_t)layer->m * (size_t)g->task_rows : 0;
    float *scratch = parallel_scratch(copied + (size_t)layer->m * (size_t)g->task_columns);
    t.panels = scratch + copied;
    if (copied) {
        struct direct_copy copy = {
            .out = scratch, .x = t.x, .x_pixel = layer->k, .pixels = layer->m
        };
        copy.out_pixel = t.x_row = g->task_rows, copy.c = t.rows;
        g->isa->copy[DIRECT_FLOATS](&copy);
        t.x = scratch;
    }
    task_pack(&t);
    const int most = g->isa->outer_rows[t.columns > g->isa->lanes ? 2 : 1];
    const int count = direct_div_up(t.rows, most);
    for (int i = 0, row = 0, rows; i < count; i++, row += rows)
        task_outer(&t, row, rows = direct_part(t.rows, count, i));
}

/* Half of the second-level cache holds a task's panels, a quarter its part of x. */
void matmul_backward_weights(const struct matmul *layer)
{
    struct gradient g = { .isa = direct_isa(), .layer = layer };
    const int panel = 2 * g.isa->lanes, tile = g.isa->outer_rows[2],
              fit = g.isa->cache / 2 / layer->m;
    const int tasks = matmul_tasks((ptrdiff_t)layer->m * layer->k * layer->n);
    const int down = direct_min(tasks, direct_div_up(layer->k, ROWS)), across = tasks / down;
    const int rows = direct_min(direct_div_up(layer->k, down), fit / 2),
              columns = direct_min(direct_div_up(layer->n, across), fit / panel * panel);
    g.task_rows = direct_round_up(direct_max(1, rows), tile);
    g.task_columns = direct_round_up(direct_max(1, columns), panel);
    g.task_columns = direct_min(g.task_columns, direct_round_up(layer->n, g.isa->lanes));
    parallel_for((size_t)direct_div_up(layer->k, g.task_rows) *
                     (size_t)direct_div_up(layer->n, g.task_columns),
                 gradient_chunk, &g);
}
