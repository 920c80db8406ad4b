/* RFC 4180: lines end in CR LF; a field with a comma, a quote or a line end stands in quotes, and
 * quotes in it are doubled. The first line holds the columns' keys; numbers are as precise as they
 * are known, and empty where there is none. */
#include "experiments/export/writer.h"
#include "experiments/table/numbers.h"
#include <math.h>
#include <string.h>

static void csv_write(struct text *out, const struct table *t, const struct results *r)
{
    (void)r;
    for (int c = 0; c < t->n_columns; c++) {
        if (c > 0) text_add(out, ",");
        text_csv(out, t->columns[c].key);
    }
    text_add(out, "\r\n");
    for (int i = 0; i < t->n_rows * t->n_columns; i++) {
        const struct cell *cell = &t->cells[i];
        int c = i % t->n_columns;
        if (c > 0) text_add(out, ",");
        if (t->columns[c].number && !isnan(cell->value)) text_real(out, cell->value);
        if (!t->columns[c].number && strcmp(cell->text, FORMAT_NONE) != 0)
            text_csv(out, cell->text);
        if (c == t->n_columns - 1) text_add(out, "\r\n");
    }
}

const struct writer writer_csv = {
    .name = "csv",
    .suffix = ".csv",
    .meaning = "comma-separated values (RFC 4180), numbers in full",
    .write = csv_write,
};
