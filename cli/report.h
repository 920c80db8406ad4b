#ifndef CLI_REPORT_H
#define CLI_REPORT_H
#include "experiments/results/results.h"

/* Tables of a design in a results folder. False with e filled where the folder cannot be read or a
 * file not be written. */

/* Prints the table in a format (NULL: as below), and writes it to designs/DIGEST.md and .csv; where
 * the design is the main one of the folder, to table.md and table.csv, too, which *main then says.
 */
bool report_save(const char *dir, const char *design, const char *format, bool *main,
                 struct err *e);

/* The table in a format to a file; path NULL: to standard output; format NULL: as whoever is there
 * reads it, drawn on a terminal, Markdown elsewhere. */
bool report_write(const struct results *r, const char *format, const char *path, struct err *e);
#endif
