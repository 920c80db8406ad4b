/* GitHub Flavored Markdown, columns padded so that the source reads as a table too. Whatever a cell
 * holds shows as it is: characters that mean something to Markdown are escaped. */
#include "core/base/width.h"
#include "experiments/export/writer.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* An underscore within a word means nothing to GitHub, and names are full of them. */
static bool md_special(const char *s, size_t i)
{
    if (s[i] == '_')
        return i == 0 || !isalnum((unsigned char)s[i - 1]) || !isalnum((unsigned char)s[i + 1]);
    return strchr("\\`*[]<|~&", s[i]) != NULL;
}

static void md_escaped(struct text *out, const char *s)
{
    struct text shown = { 0 };
    text_shown(&shown, s, strlen(s));
    for (size_t i = 0; i < shown.len; i++) {
        if (md_special(shown.s, i)) text_add(out, "\\");
        text_addn(out, &shown.s[i], 1);
    }
    text_clear(&shown);
}

static void md_cell(struct text *out, const struct cell *c)
{
    if (c->best) text_add(out, "**");
    md_escaped(out, c->text);
    if (c->best) text_add(out, "**");
}

static void md_title(struct text *out, const struct column *c)
{
    md_escaped(out, c->title);
    if (c->unit) text_addf(out, " (%s)", c->unit);
}

static void md_padded(struct text *out, const char *s, int width, bool right)
{
    int space = width - text_width(s);
    text_addf(out, "| %*s%s%*s ", right ? space : 0, "", s ? s : "", right ? 0 : space, "");
}

/* row -1 is the heading. */
static void md_text(struct text *out, const struct table *t, int row, int c)
{
    if (row < 0)
        md_title(out, &t->columns[c]);
    else
        md_cell(out, &t->cells[row * t->n_columns + c]);
}

static int md_column_width(const struct table *t, int c)
{
    int width = 3;
    for (int row = -1; row < t->n_rows; row++) {
        struct text s = { 0 };
        md_text(&s, t, row, c);
        if (text_width(s.s) > width) width = text_width(s.s);
        text_clear(&s);
    }
    return width;
}

static void md_rule(struct text *out, const struct table *t, const int *width)
{
    for (int c = 0; c < t->n_columns; c++) {
        if (t->columns[c].machine) continue;
        text_add(out, "| ");
        for (int i = 0; i < width[c] - 1; i++) text_add(out, "-");
        text_add(out, t->columns[c].number ? ": " : "- ");
    }
    text_add(out, "|\n");
}

static void md_row(struct text *out, const struct table *t, int row, const int *width)
{
    for (int c = 0; c < t->n_columns; c++) {
        if (t->columns[c].machine) continue;
        struct text s = { 0 };
        md_text(&s, t, row, c);
        md_padded(out, s.s, width[c], t->columns[c].number);
        text_clear(&s);
    }
    text_add(out, "|\n");
    if (row < 0) md_rule(out, t, width);
}

static void md_write(struct text *out, const struct table *t, const struct results *r)
{
    (void)r;
    int *width = mem_new((size_t)t->n_columns, sizeof *width);
    for (int c = 0; c < t->n_columns; c++) width[c] = md_column_width(t, c);
    text_add(out, "## ");
    md_escaped(out, t->title);
    text_add(out, "\n\n");
    if (t->question) {
        if (*t->question && strchr("#>+-=", *t->question))
            text_add(out, "\\"); /* they mean something at a line's start */
        md_escaped(out, t->question);
        text_add(out, "\n\n");
    }
    for (int row = -1; row < t->n_rows; row++) md_row(out, t, row, width);
    if (t->n_notes > 0) text_add(out, "\n");
    for (int i = 0; i < t->n_notes; i++) {
        text_add(out, "- ");
        md_escaped(out, t->notes[i]);
        text_add(out, "\n");
    }
    free(width);
}

const struct writer writer_md = {
    .name = "md",
    .suffix = ".md",
    .meaning = "a table for people, in GitHub Markdown",
    .write = md_write,
};
