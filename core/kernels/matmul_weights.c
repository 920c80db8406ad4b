/* dw += x^T dy: outer products of the rows of x and dy, added to dw where it stands. A task owns
 * rows of dw; it packs a block of columns of dy into panels, and its columns of x where these are
 * not all of x. */
#include "core/base/parallel.h"
#include "core/kernels/matmul.h"
#include "core/kernels/matmul_cut.h"

struct gradient {
    const struct direct_isa *isa;
    const struct matmul *q;
    int task_rows;
    int block; /* columns of dw whose panels of dy are packed at a time */
};

/* One task: dw's rows [row, row + rows), and its scratch memory. */
struct gradient_task {
    const struct gradient *g;
    int row, rows;
    const float *x; /* [m][x_row]: columns [row, row + rows) of x */
    ptrdiff_t x_row;
    float *panels; /* of dy's columns [column, column + columns) */
    int column, columns;
};

static void task_pack(const struct gradient_task *t)
{
    const struct matmul *q = t->g->q;
    float *out = t->panels;
    for (int n = 0, width; n < t->columns; n += width, out += (ptrdiff_t)q->m * width) {
        width = direct_panel_width(t->g->isa, t->columns, n);
        struct direct_copy copy = { .out = out, .x = q->dy + t->column + n };
        copy.out_pixel = width, copy.x_pixel = q->n;
        copy.pixels = q->m, copy.c = direct_min(width, t->columns - n);
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
    const struct matmul *q = t->g->q;
    const struct direct_isa *isa = t->g->isa;
    const int bytes = (int)sizeof *q->dw;
    struct direct_outer o = { .a = t->x + row, .a_rows = one_row, .a_pixel = t->x_row };
    o.b_rows = one_row, o.rows = 1, o.pixels = q->m;
    o.d_row = q->n, o.add = true;
    for (int n = 0, width, next; n < t->columns; n += width) {
        width = direct_panel_width(isa, t->columns, n);
        next = direct_min(width, t->columns - n - width);
        o.b = t->panels + (ptrdiff_t)n * q->m, o.b_pixel = width;
        o.d = q->dw + (ptrdiff_t)(t->row + row) * q->n + t->column + n;
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
    const struct matmul *q = g->q;
    const bool copies = g->task_rows < q->k;
    struct gradient_task t = { .g = g, .row = (int)chunk * g->task_rows, .x_row = q->k };
    t.rows = direct_min(g->task_rows, q->k - t.row);
    t.x = q->x + t.row;
    const size_t x = copies ? (size_t)q->m * (size_t)g->task_rows : 0;
    float *scratch = parallel_scratch(x + (size_t)q->m * (size_t)g->block);
    t.panels = scratch + x;
    if (copies) {
        struct direct_copy copy = { .out = scratch, .x = t.x, .x_pixel = q->k, .pixels = q->m };
        copy.out_pixel = t.x_row = g->task_rows, copy.c = t.rows;
        g->isa->copy[DIRECT_FLOATS](&copy);
        t.x = scratch;
    }
    for (; t.column < q->n; t.column += g->block) {
        t.columns = direct_min(g->block, q->n - t.column);
        const int most = g->isa->outer_rows[t.columns > g->isa->lanes ? 2 : 1];
        const int count = direct_div_up(t.rows, most);
        task_pack(&t);
        for (int i = 0, row = 0, rows; i < count; i++, row += rows)
            task_outer(&t, row, rows = direct_part(t.rows, count, i));
    }
}

void matmul_backward_weights(const struct matmul *q)
{
    struct gradient g = { .isa = direct_isa(), .q = q };
    const int panel = 2 * g.isa->lanes, fit = g.isa->cache / 2 / q->m, tile = g.isa->outer_rows[2];
    const int share = matmul_share(q->k, (ptrdiff_t)q->m * q->k * q->n);
    g.task_rows = direct_round_up(direct_max(1, direct_min(share, fit / 2)), tile);
    g.block = direct_max(panel, fit / panel * panel);
    g.block = direct_min(g.block, direct_round_up(q->n, g.isa->lanes));
    parallel_for((size_t)direct_div_up(q->k, g.task_rows), gradient_chunk, &g);
}
