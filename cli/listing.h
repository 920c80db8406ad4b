#ifndef CLI_LISTING_H
#define CLI_LISTING_H
#include "core/base/mem.h"
#include "core/base/text.h"
#include <stdbool.h>
#include <stdio.h>

/* Rows of cells, printed as aligned columns or as a JSON array of objects. Zero but for `columns`
 * is an empty listing. */
struct listing_column {
    const char *key;   /* in JSON; "": not there */
    const char *title; /* on paper; NULL: not there */
    bool number;       /* right-aligned; bare in JSON */
};

struct listing_cell {
    const char *text;    /* for people */
    const char *machine; /* for JSON: as it stands there; NULL: made of the text */
};

struct listing {
    const struct listing_column *columns; /* key NULL past the last */
    int n_keys;                 /* leading columns that together say what a row is; 0: one */
    int head_column;            /* what heads say, too: not shown where they are; 0: none */
    struct listing_cell *cells; /* row-major */
    size_t n_cells;
    const char *part;   /* of what there is to be listed, or NULL: whoever fills it looks here */
    const char **heads; /* of n_heads rows, or NULL: see listing_head */
    size_t n_heads;
    const char *head; /* the last one */
    struct pool pool;
};

/* The next cell, row by row. */
void listing_add(struct listing *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, a number: for people with so many decimals, for machines in full; NAN: nothing, and
 * null. */
void listing_real(struct listing *l, double v, int decimals);

/* The same, a text; NULL: nothing, and null. */
void listing_text(struct listing *l, const char *s);

/* A line above the row that comes next, on a terminal, unless the last such line said the same. */
void listing_head(struct listing *l, const char *head);

void listing_print(const struct listing *l, FILE *f);
void listing_json(const struct listing *l, struct text *t);
void listing_print_json(const struct listing *l, FILE *f);
void listing_clear(struct listing *l);
#endif
