#ifndef CLI_REPORT_H
#define CLI_REPORT_H
#include "experiments/table/table.h"

/* Tables of a design in a results folder. False with e filled where the folder cannot be read or a
 * file not be written. */

/* Prints the table in a format (NULL: as below), and writes it to designs/DIGEST.md and .csv; where
 * the design is the main one of the folder, to table.md and table.csv, too, which *main then says.
 */
bool report_save(const char *dir, const char *design, const char *format, bool *main,
                 struct err *e);

/* What to write of a design, and where. */
struct report {
    enum table_rows rows;
    const char
        *format; /* NULL: as whoever is there reads it, drawn on a terminal, Markdown elsewhere */
    const char *path; /* NULL: standard output */
    bool kept;        /* in the results folder, whatever stands there; else where a person says */
};
bool report_write(const struct results *r, const struct report *how, struct err *e);
#endif
