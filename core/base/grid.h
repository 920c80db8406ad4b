#ifndef CORE_BASE_GRID_H
#define CORE_BASE_GRID_H
#include "core/base/terminal.h"
#include "core/base/text.h"

/* Aligned columns without boxes. To a pipe or a file each row is one line. On a terminal they fit
 * its width: texts are wrapped within their cells, headings too; a last column of long texts that
 * would become narrow, or that has no title, stands below each row instead; what still is too wide
 * follows in further blocks that repeat the leading columns. */
struct grid_column {
    const char *title;
    bool number; /* right-aligned; its cells are not wrapped */
};

struct grid_cell {
    const char *text;
    bool bold;
};

struct grid {
    const struct grid_column *columns;
    int n_columns, n_rows;
    int n_keys; /* leading columns that say what a row is, at least 1: further blocks repeat them */
    const struct grid_cell *cells; /* row-major */
    const char *const *heads;      /* of each row: a line above it, or NULL; NULL: none at all */
};

void grid_draw(struct text *out, const struct grid *g, const struct terminal *t);

/* Adds s, bold where the terminal can show that. */
void text_bold(struct text *out, const char *s, const struct terminal *t);
#endif
