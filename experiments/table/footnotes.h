#ifndef EXPERIMENTS_TABLE_FOOTNOTES_H
#define EXPERIMENTS_TABLE_FOOTNOTES_H
#include "experiments/table/analysis.h"
#include "experiments/table/paper_rows.h"
#include "experiments/table/table.h"

/* The footer of a table: what its numbers are, what they cannot show, what is missing and why. */
void notes_write(struct table *t, const struct results *r, const struct analysis *a);
#endif
