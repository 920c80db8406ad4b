#ifndef EXPERIMENTS_TABLE_TABLE_H
#define EXPERIMENTS_TABLE_TABLE_H
#include "core/base/text.h"
#include "experiments/results/results.h"

/* Text cells: rounding and "mean ± sd" are decided here, once, before any format is. */
struct cell {
    const char *text;
    double value; /* for machines; NAN where the cell is no number */
    bool best;    /* bold */
};
struct column {
    const char *title, *unit, *key; /* key: for csv and json, "top1_mean" */
    bool number;                    /* right-aligned; for machines the value, otherwise the text */
    bool machine;                   /* for csv and json only */
};
/* What a row of a table is: --rows points, runs, epochs. */
enum table_rows { TABLE_POINTS, TABLE_RUNS, TABLE_EPOCHS, TABLE_ROWS };
extern const char *const table_rows_names[TABLE_ROWS];

struct table {
    enum table_rows rows;
    const char *title, *question;
    int n_columns, n_rows;
    struct column *columns;
    struct cell *cells; /* row-major */
    const char **notes; /* the footer, a sentence each */
    int n_notes;
    struct pool pool;
};

/* The table of an experiment: per point mean ± sd, n, delta, p, interval, hidden widths,
 * parameters, multiply-adds, seconds, and the paper's columns where it mirrors a table.
 * Texts of cells may point into the results. */
void table_build(struct table *t, const struct results *r);

/* The same, with rows of any kind (lines.h). */
void table_build_rows(struct table *t, const struct results *r, enum table_rows rows);
void table_clear(struct table *t);
#endif
