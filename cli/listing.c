/* Aligned columns and JSON from one set of cells. */
#include "cli/listing.h"
#include "core/base/err.h"
#include "core/base/grid.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static size_t listing_width(const struct listing *l)
{
    size_t n = 0;
    while (l->columns[n].key) n++;
    return n;
}

/* Room for one more; it doubles at the powers of two. */
static void *one_more(void *array, size_t n, size_t size)
{
    return n & (n - 1) ? array : mem_grow(array, n ? 2 * n : 1, size);
}

static void cell_add(struct listing *l, const char *text, const char *machine)
{
    l->cells = one_more(l->cells, l->n_cells, sizeof *l->cells);
    l->cells[l->n_cells++] = (struct listing_cell){ text, machine };
}

void listing_add(struct listing *l, const char *fmt, ...)
{
    struct text t = { 0 };
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(&t, fmt, ap);
    va_end(ap);
    cell_add(l, pool_text(&l->pool, t.s), NULL);
    text_clear(&t);
}

void listing_real(struct listing *l, double v, int decimals)
{
    struct text machine = { 0 };
    text_real(&machine, v);
    cell_add(l, isfinite(v) ? pool_textf(&l->pool, "%.*f", decimals, v) : "",
             pool_text(&l->pool, machine.s));
    text_clear(&machine);
}

void listing_text(struct listing *l, const char *s)
{
    cell_add(l, s ? pool_text(&l->pool, s) : "", s ? NULL : "null");
}

void listing_head(struct listing *l, const char *head)
{
    size_t row = l->n_cells / listing_width(l);
    if (l->head && strcmp(l->head, head) == 0) return;
    while (l->n_heads <= row) {
        l->heads = one_more(l->heads, l->n_heads, sizeof *l->heads);
        l->heads[l->n_heads++] = NULL;
    }
    l->heads[row] = l->head = pool_text(&l->pool, head);
}

/* The heads of n rows, or NULL where there are none to be shown. */
static const char **heads_of(const struct listing *l, size_t n, const struct terminal *t)
{
    if (!l->heads || !t->is) return NULL;
    const char **heads = mem_new(n + 1, sizeof *heads);
    for (size_t i = 0; i < n && i < l->n_heads; i++) heads[i] = l->heads[i];
    return heads;
}

static bool column_shown(const struct listing *l, size_t c, const char *const *heads)
{
    return l->columns[c].title && !(heads && c && c == (size_t)l->head_column);
}

void listing_print(const struct listing *l, FILE *f)
{
    const struct terminal t = terminal_of(fileno(f));
    const size_t n = listing_width(l), rows = l->n_cells / n;
    const char **heads = heads_of(l, rows, &t);
    struct grid_column *columns = mem_new(n, sizeof *columns);
    struct grid_cell *cells = mem_new(l->n_cells + 1, sizeof *cells);
    struct grid g = { columns, 0, (int)rows, l->n_keys ? l->n_keys : 1, cells, heads };
    for (size_t c = 0; c < n; c++) {
        if (!column_shown(l, c, heads)) continue;
        columns[g.n_columns++] = (struct grid_column){ l->columns[c].title, l->columns[c].number };
    }
    for (size_t i = 0, at = 0; i < l->n_cells; i++)
        if (column_shown(l, i % n, heads)) cells[at++].text = l->cells[i].text;
    struct text out = { 0 };
    grid_draw(&out, &g, &t);
    fputs(out.s, f);
    text_clear(&out);
    free(heads);
    free(cells);
    free(columns);
}

static void cell_json(struct text *t, const struct listing_column *c,
                      const struct listing_cell *cell)
{
    char *end;
    const char *s = cell->text;
    text_json(t, c->key);
    text_add(t, ": ");
    if (cell->machine)
        text_add(t, cell->machine);
    else if (c->number && *s && (strtod(s, &end), !*end))
        text_add(t, s);
    else if (c->number)
        text_add(t, "null");
    else
        text_json(t, s);
}

void listing_json(const struct listing *l, struct text *t)
{
    size_t n = listing_width(l);
    BUG_IF(!n, "a listing without columns");
    text_add(t, "[");
    for (size_t i = 0; i < l->n_cells; i++) {
        const struct listing_column *c = &l->columns[i % n];
        if (*c->key) {
            text_add(t, i % n ? ", " : i ? ",\n {" : "\n {");
            cell_json(t, c, &l->cells[i]);
        }
        if (i % n + 1 == n) text_add(t, "}");
    }
    text_add(t, "\n]");
}

void listing_print_json(const struct listing *l, FILE *f)
{
    struct text t = { 0 };
    listing_json(l, &t);
    fprintf(f, "%s\n", t.s);
    text_clear(&t);
}

void listing_clear(struct listing *l)
{
    free(l->cells);
    free(l->heads);
    pool_clear(&l->pool);
    *l = (struct listing){ 0 };
}
