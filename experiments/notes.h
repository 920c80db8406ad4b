#ifndef EXPERIMENTS_NOTES_H
#define EXPERIMENTS_NOTES_H
#include "experiments/analysis.h"
#include "experiments/mirror.h"
#include "experiments/table.h"

/* The footer of a table: what its numbers are, what they cannot show, what is missing and why. */
void notes_write(struct table *t, const struct results *r, const struct analysis *a);
#endif
