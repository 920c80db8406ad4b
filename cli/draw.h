#ifndef CLI_DRAW_H
#define CLI_DRAW_H
#include "core/base/terminal.h"
#include "experiments/table/table.h"
#include <stdio.h>

/* The table of an experiment as a person at a terminal reads it: columns that fit, bold that is
 * bold (a mark where none can be shown), notes wrapped at words. */
void table_draw(struct text *out, const struct table *table, const struct terminal *t);

/* A text wrapped at words for the terminal, on one line elsewhere; with `first` before its first
 * line and a line end behind its last. What a user wrote is shown without its control characters.
 */
void prose_draw(struct text *out, const char *first, const char *s, const struct terminal *t);

/* The same to a stream. */
void prose_print(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
