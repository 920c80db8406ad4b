#ifndef EXPERIMENTS_TABLE_PAPER_ROWS_H
#define EXPERIMENTS_TABLE_PAPER_ROWS_H
#include "experiments/results/results.h"
#include "experiments/spec/paper.h"

/* The row of the paper's table that a point repeats, or NULL: its value of the row's setting is the
 * row's, and no other axis moves an SE setting away from the paper's standard (reduction 16,
 * average squeeze, sigmoid, standard placement, all stages). A network without SE blocks repeats
 * the plain ResNet-50, whatever its other settings say. */
const struct paper_row *mirror_row(const struct paper_table *t, const struct result_point *p);

/* A setting of a point as text ("16", "avg", "[2, 3]"), of its axes first, then of all its resolved
 * settings; NULL where it has none. */
const char *mirror_setting(const struct result_point *p, const char *key, struct pool *pool);

/* A JSON value as a person would write it: texts without quotes. */
const char *mirror_text(const cJSON *v, struct pool *pool);
#endif
