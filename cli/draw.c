#include "cli/draw.h"
#include "core/base/grid.h"
#include "core/base/width.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Stands before a bold cell where no bold can be shown. */
#define MARK "▸ "

void prose_draw(struct text *out, const char *first, const char *s, const struct terminal *t)
{
    struct text shown = { 0 };
    text_shown(&shown, s, strlen(s));
    text_wrapped(out, first, shown.len ? shown.s : "", terminal_prose(t));
    text_clear(&shown);
}

void prose_print(FILE *to, const char *fmt, ...)
{
    const struct terminal t = terminal_of(fileno(to));
    struct text s = { 0 }, out = { 0 };
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(&s, fmt, ap);
    va_end(ap);
    prose_draw(&out, "", s.s, &t);
    fputs(out.s, to);
    text_clear(&s);
    text_clear(&out);
}

static struct grid_cell cell_drawn(struct pool *pool, const struct cell *c,
                                   const struct terminal *t)
{
    bool marked = c->best && !t->colour;
    return (struct grid_cell){ marked ? pool_textf(pool, MARK "%s", c->text) : c->text, c->best };
}

static void cells_draw(struct text *out, const struct table *table, const struct terminal *t)
{
    struct pool pool = { 0 };
    const int all = table->n_columns;
    struct grid_column *columns = pool_new(&pool, (size_t)all, sizeof *columns);
    struct grid_cell *cells = pool_new(&pool, (size_t)(all * table->n_rows) + 1, sizeof *cells);
    struct grid g = { .columns = columns, .cells = cells, .n_rows = table->n_rows };
    while (g.n_keys < all - 1 && !table->columns[g.n_keys].number) g.n_keys++;
    for (int c = 0; c < all; c++) g.n_columns += !table->columns[c].machine;
    for (int c = 0, at = 0; c < all; c++) {
        const struct column *of = &table->columns[c];
        if (of->machine) continue;
        const char *title =
            of->unit ? pool_textf(&pool, "%s (%s)", of->title, of->unit) : of->title;
        columns[at] = (struct grid_column){ title, of->number };
        for (int row = 0; row < table->n_rows; row++)
            cells[row * g.n_columns + at] = cell_drawn(&pool, &table->cells[row * all + c], t);
        at++;
    }
    grid_draw(out, &g, t);
    pool_clear(&pool);
}

static bool table_has_best(const struct table *table)
{
    for (int i = 0; i < table->n_rows * table->n_columns; i++)
        if (table->cells[i].best) return true;
    return false;
}

void table_draw(struct text *out, const struct table *table, const struct terminal *t)
{
    text_bold(out, table->title, t);
    text_add(out, "\n\n");
    if (table->question) {
        prose_draw(out, "", table->question, t);
        text_add(out, "\n");
    }
    cells_draw(out, table, t);
    text_add(out, "\n");
    for (int i = 0; i < table->n_notes; i++) prose_draw(out, "• ", table->notes[i], t);
    if (!t->colour && table_has_best(table))
        prose_draw(out, "• ", MARK "stands before what is called bold.", t);
}
