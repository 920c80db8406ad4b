#ifndef EXPERIMENTS_SPEC_DIAG_H
#define EXPERIMENTS_SPEC_DIAG_H
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/value.h"
#include <stdio.h>

/* Everything wrong with an experiment file, collected so that it is said all at once, as a good
 * compiler does:
 *   se.yaml:14:14: error: model.se.squeeze: "mean" is not one of avg, max, none
 *      14 |     squeeze: mean
 *         |              ^~~~
 *   did you mean "max"? */
struct diag {
    const char *file; /* NULL: no place, only the text */
    int line, column, width;
    const char *text, *hint; /* hint: a line of advice, or NULL */
};

enum { DIAGS_KEPT = 200, DIAGS_PRINTED = 50 };

struct diags {
    struct diag *list;
    int count;    /* in the list: DIAGS_KEPT of them at most */
    int left_out; /* beyond that */
    struct pool pool;
    struct source *sources; /* texts of the files, for the quoted lines */
};

/* The bytes of the line break that s begins with, 0 where it begins with none. YAML 1.1 breaks
 * lines at CR LF, LF, CR, NEL, LS and PS. */
size_t line_break(const char *s);

/* Copies the text of a file, before something in it is diagnosed. */
void diags_source(struct diags *d, const char *file, const char *text);

/* Says that v is wrong; v NULL: no place. What was said of the same place in the same words is not
 * said again. Everything is copied. */
void diag_at(struct diags *d, const struct value *v, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void diag_place(struct diags *d, const char *file, int line, int column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void diags_print(const struct diags *d, FILE *f); /* in the order of places */
void diags_clear(struct diags *d);
#endif
