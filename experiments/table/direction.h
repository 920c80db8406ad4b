#ifndef EXPERIMENTS_TABLE_DIRECTION_H
#define EXPERIMENTS_TABLE_DIRECTION_H
#include "experiments/table/analysis.h"
#include "experiments/table/paper_rows.h"

/* Our differences to the baseline beside the paper's: of how many rows do both have the same sign?
 */

/* Of the row of each point; NULL for none. NULL: the experiment mirrors nothing. */
const struct paper_row **mirror_rows(const struct results *r, struct pool *pool);

/* The paper's difference in top-1 error, points, between the rows of a point and of the baseline;
 * NAN where either has none. paper: of mirror_rows. */
double mirror_delta(const struct paper_row *const *paper, const struct results *r, int point);

/* "Ours and the paper's have the same direction in 2 of 3 rows (not: placement=pre). Not compared:
 * ..."; NULL where there is no row that could be. */
const char *direction_text(struct pool *pool, const struct results *r, const struct analysis *a);
#endif
