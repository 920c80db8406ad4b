#ifndef CLI_LISTING_H
#define CLI_LISTING_H
#include "core/base/mem.h"
#include "core/base/text.h"
#include <stdbool.h>
#include <stdio.h>

/* Rows of text cells, printed as aligned columns or as a JSON array of objects. Zero but for
 * `columns` is an empty listing. */
struct listing_column {
    const char *key;   /* in JSON */
    const char *title; /* on paper */
    bool number;       /* right-aligned; bare in JSON */
};

struct listing {
    const struct listing_column *columns; /* key NULL past the last */
    const char **cells;                   /* row-major */
    size_t n_cells;
    struct pool pool;
};

/* The next cell, row by row. */
void listing_add(struct listing *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void listing_print(const struct listing *l, FILE *f);
void listing_json(const struct listing *l, struct text *t);
void listing_print_json(const struct listing *l, FILE *f);
void listing_clear(struct listing *l);
#endif
