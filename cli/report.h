#ifndef CLI_REPORT_H
#define CLI_REPORT_H
#include "core/base/err.h"

/* Tables of a results folder. False with e filled where the folder cannot be read or a file not be
 * written. */

/* Prints the table in a format and writes DIR/table.md and DIR/table.csv. */
bool report_save(const char *dir, const char *format, struct err *e);

/* The table in a format to a file; path NULL: to standard output. */
bool report_write(const char *dir, const char *format, const char *path, struct err *e);
#endif
