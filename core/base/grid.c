#include "core/base/grid.h"
#include "core/base/mem.h"
#include "core/base/width.h"
#include <string.h>

enum {
    GAP = 2,         /* blanks between columns */
    WORD_MOST = 36,  /* longer words may be broken */
    FIRST_LEAST = 8, /* of the first column, whatever stands beside it */
    LONG_LEAST = 32  /* of a last column of longer texts: in less they are hard to read */
};

/* What is drawn. Widths are in columns of the screen. */
struct layout {
    const struct grid *g;
    const struct terminal *t;
    const char **texts;           /* of heading and rows, as they may be shown */
    int *natural, *least, *width; /* of each column of the grid */
    int n_columns;                /* of the grid, without one whose cells stand below their rows */
    int below;                    /* that one, in the first block; 0: none */
    int *shown, n;                /* the columns of the block in hand, the grid's keys first */
    const char **rest;            /* of each, what is left of its cell in the row in hand */
    struct pool pool;
};

void text_bold(struct text *out, const char *s, const struct terminal *t)
{
    text_addf(out, t->colour ? "\033[1m%s\033[0m" : "%s", s);
}

/* row -1 is the heading. */
static const char *cell_text(const struct layout *l, int row, int c)
{
    return l->texts[(row + 1) * l->g->n_columns + c];
}

static void layout_texts(struct layout *l)
{
    const struct grid *g = l->g;
    const int n = g->n_columns * (g->n_rows + 1);
    l->texts = pool_new(&l->pool, (size_t)n, sizeof *l->texts);
    for (int i = 0; i < n; i++) {
        const char *s = i < g->n_columns ? g->columns[i].title : g->cells[i - g->n_columns].text;
        struct text shown = { 0 };
        text_shown(&shown, s, strlen(s));
        l->texts[i] = shown.len ? pool_text(&l->pool, shown.s) : "";
        text_clear(&shown);
    }
}

static int widest_word(const char *s)
{
    int widest = 0;
    while (*s) {
        size_t len = strcspn(s, " ");
        int width = text_width_of(s, len);
        if (width > widest) widest = width;
        s += len + strspn(s + len, " ");
    }
    return widest < WORD_MOST ? widest : WORD_MOST;
}

static void layout_measure(struct layout *l)
{
    for (int c = 0; c < l->g->n_columns; c++) {
        for (int row = -1; row < l->g->n_rows; row++) {
            const char *s = cell_text(l, row, c);
            int whole = text_width(s);
            int least = row >= 0 && l->g->columns[c].number ? whole : widest_word(s);
            if (whole > l->natural[c]) l->natural[c] = whole;
            if (least > l->least[c]) l->least[c] = least;
        }
    }
}

static bool column_is_empty(const struct layout *l, int c)
{
    for (int row = 0; row < l->g->n_rows; row++)
        if (*cell_text(l, row, c)) return false;
    return true;
}

/* The columns of the next block, its keys and those from `from` on; the first one past it. On a
 * terminal a column in which nothing stands takes no room. */
static int block_choose(struct layout *l, int from)
{
    int used = 0, c = 0, keys = l->g->n_keys;
    for (l->n = 0; c < l->n_columns; c++) {
        if (c == keys && from > keys) c = from;
        if (l->t->is && column_is_empty(l, c)) continue;
        used += l->least[c] + (c ? GAP : 0);
        if (l->t->is && used > l->t->columns && c > keys && c > from) break;
        l->shown[l->n++] = c;
    }
    return c;
}

/* The sum of the block's widths where none is above `most` unless it must be. */
static int block_fit(struct layout *l, int most)
{
    int sum = 0;
    for (int i = 0; i < l->n; i++) {
        int c = l->shown[i], width = l->natural[c] < most ? l->natural[c] : most;
        l->width[c] = width > l->least[c] ? width : l->least[c];
        sum += l->width[c];
    }
    return sum;
}

/* Takes from the widest columns first. */
static void block_widths(struct layout *l)
{
    int room = l->t->columns - GAP * (l->n - 1), most = 0, sum;
    for (int i = 0; i < l->n; i++)
        if (l->natural[l->shown[i]] > most) most = l->natural[l->shown[i]];
    while ((sum = block_fit(l, most)) > room && l->t->is && most > 1) most--;
    if (!l->t->is || sum <= room) return;
    l->width[0] -= sum - room;
    if (l->width[0] < FIRST_LEAST) l->width[0] = FIRST_LEAST;
}

/* Takes a last column of texts out of the columns where it would be too narrow. */
static void last_place(struct layout *l)
{
    const int last = l->n_columns - 1, wanted = l->natural[last];
    if (!l->t->is || last < l->g->n_keys || l->g->columns[last].number) return;
    bool whole = block_choose(l, 0) > last, titled = *cell_text(l, -1, last);
    block_widths(l);
    if (whole && l->width[last] >= (titled && wanted > LONG_LEAST ? LONG_LEAST : wanted)) return;
    if (!titled || wanted > LONG_LEAST) l->below = --l->n_columns;
}

static int cell_lines(const struct layout *l, int row, int c)
{
    int lines = 0;
    for (const char *s = cell_text(l, row, c); *s; lines++) text_line(s, l->width[c], &s);
    return lines;
}

static int row_height(const struct layout *l, int row)
{
    int height = 1;
    for (int i = 0; i < l->n; i++) {
        int lines = cell_lines(l, row, l->shown[i]);
        if (lines > height) height = lines;
    }
    return height;
}

/* The next line of the cell in the block's column i; nothing of it yet where it has to wait. */
static void piece_draw(struct text *line, struct layout *l, int i, bool bold)
{
    const int c = l->shown[i];
    const char *s = l->rest[i];
    size_t len = *s ? text_line(s, l->width[c], &l->rest[i]) : 0;
    struct text piece = { 0 };
    text_addn(&piece, s, len);
    int pad = l->width[c] - text_width(piece.s);
    if (l->g->columns[c].number) text_addf(line, "%*s", pad, "");
    if (bold && len)
        text_bold(line, piece.s, l->t);
    else
        text_add(line, piece.s);
    if (!l->g->columns[c].number) text_addf(line, "%*s", pad, "");
    text_clear(&piece);
}

/* No line ends in blanks. */
static void line_end(struct text *out)
{
    while (out->len && out->s[out->len - 1] == ' ') out->len--;
    text_add(out, "\n");
}

/* Cells begin at the row's first line; those of the heading end at its last. */
static void row_draw(struct text *out, struct layout *l, int row)
{
    const int height = row_height(l, row);
    for (int i = 0; i < l->n; i++) l->rest[i] = cell_text(l, row, l->shown[i]);
    for (int k = 0; k < height; k++) {
        for (int i = 0; i < l->n; i++) {
            const int c = l->shown[i];
            bool wait = row < 0 && k < height - cell_lines(l, row, c);
            if (i) text_addf(out, "%*s", GAP, "");
            if (wait)
                text_addf(out, "%*s", l->width[c], "");
            else
                piece_draw(out, l, i, row >= 0 && l->g->cells[row * l->g->n_columns + c].bold);
        }
        line_end(out);
    }
    const char *below = row >= 0 && l->below ? cell_text(l, row, l->below) : "";
    if (*below) text_wrapped(out, "  ", below, terminal_prose(l->t));
}

static void rule_draw(struct text *out, const struct layout *l)
{
    for (int i = 0; i < l->n; i++) {
        if (i) text_addf(out, "%*s", GAP, "");
        for (int k = 0; k < l->width[l->shown[i]]; k++) text_add(out, "─");
    }
    text_add(out, "\n");
}

static void head_draw(struct text *out, const struct layout *l, int row)
{
    const char *head = l->g->heads ? l->g->heads[row] : NULL;
    if (!head) return;
    struct text lines = { 0 };
    text_wrapped(&lines, "", head, l->t->columns);
    text_add(out, row ? "\n" : "");
    lines.s[--lines.len] = 0; /* its line end stands outside of the bold */
    text_bold(out, lines.s, l->t);
    text_add(out, "\n");
    text_clear(&lines);
}

static void block_draw(struct text *out, struct layout *l)
{
    block_widths(l);
    row_draw(out, l, -1);
    if (l->t->is) rule_draw(out, l);
    for (int row = 0; row < l->g->n_rows; row++) {
        head_draw(out, l, row);
        row_draw(out, l, row);
    }
}

void grid_draw(struct text *out, const struct grid *g, const struct terminal *t)
{
    struct layout l = { .g = g, .t = t, .n_columns = g->n_columns };
    int **const arrays[] = { &l.natural, &l.least, &l.width, &l.shown };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = pool_new(&l.pool, (size_t)g->n_columns, sizeof **arrays[i]);
    l.rest = pool_new(&l.pool, (size_t)g->n_columns, sizeof *l.rest);
    layout_texts(&l);
    layout_measure(&l);
    last_place(&l);
    for (int c = 0; c < l.n_columns;) {
        if (c) text_add(out, "\n");
        c = block_choose(&l, c);
        block_draw(out, &l);
        l.below = 0;
    }
    pool_clear(&l.pool);
}
