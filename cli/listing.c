/* Aligned columns and JSON from one set of cells. */
#include "cli/listing.h"
#include "core/base/err.h"
#include "core/base/text.h"
#include <stdarg.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 16 };

static size_t listing_width(const struct listing *l)
{
    size_t n = 0;
    while (l->columns[n].key) n++;
    BUG_IF(n > COLUMNS_MAX, "a listing of %zu columns", n);
    return n;
}

void listing_add(struct listing *l, const char *fmt, ...)
{
    struct text t = { 0 };
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(&t, fmt, ap);
    va_end(ap);
    if ((l->n_cells & (l->n_cells - 1)) == 0) { /* room doubles at the powers of two */
        size_t room = l->n_cells ? 2 * l->n_cells : 1;
        l->cells = mem_grow(l->cells, room, sizeof *l->cells);
    }
    l->cells[l->n_cells++] = pool_text(&l->pool, t.s ? t.s : "");
    text_clear(&t);
}

static void cell_line(struct text *t, const char *s, int width, bool right)
{
    int pad = width - text_width(s);
    if (pad < 0) pad = 0;
    if (right)
        text_addf(t, "%*s%s", pad, "", s);
    else
        text_addf(t, "%s%*s", s, pad, "");
}

/* No line ends in blanks. */
static void row_print(FILE *f, const struct listing *l, const char *const *cells, const int *widths)
{
    struct text line = { 0 };
    size_t n = listing_width(l);
    for (size_t c = 0; c < n; c++) {
        if (c) text_add(&line, "  ");
        cell_line(&line, cells[c], widths[c], l->columns[c].number);
    }
    while (line.len && line.s[line.len - 1] == ' ') line.len--;
    fprintf(f, "%.*s\n", (int)line.len, line.s);
    text_clear(&line);
}

void listing_print(const struct listing *l, FILE *f)
{
    size_t n = listing_width(l);
    const char *titles[COLUMNS_MAX] = { NULL };
    int widths[COLUMNS_MAX] = { 0 };
    for (size_t c = 0; c < n; c++) {
        titles[c] = l->columns[c].title;
        widths[c] = text_width(titles[c]);
        for (size_t i = c; i < l->n_cells; i += n) {
            int w = text_width(l->cells[i]);
            if (w > widths[c]) widths[c] = w;
        }
    }
    row_print(f, l, titles, widths);
    for (size_t i = 0; i < l->n_cells; i += n) row_print(f, l, l->cells + i, widths);
}

static void cell_json(struct text *t, const struct listing_column *c, const char *s)
{
    char *end;
    text_json(t, c->key);
    text_add(t, ": ");
    if (c->number && *s && (strtod(s, &end), !*end))
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
        text_add(t, i % n ? ", " : i ? ",\n {" : "\n {");
        cell_json(t, &l->columns[i % n], l->cells[i]);
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
    pool_clear(&l->pool);
    *l = (struct listing){ 0 };
}
