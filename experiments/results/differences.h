#ifndef EXPERIMENTS_RESULTS_DIFFERENCES_H
#define EXPERIMENTS_RESULTS_DIFFERENCES_H
#include "experiments/results/results.h"

/* What tells designs and their settings from one another, in words. */

/* Adds "train.optimizer.lr is now 0.05 (was 0.1)" for each setting that differs from what it was,
 * but none that the text says already. */
void settings_differ(struct text *t, const cJSON *was, const cJSON *is);

/* Adds "train.optimizer.lr 0.05, seeds 1 2": what `other` has that `shown` has not, by the settings
 * of its first point that are no axes. */
void designs_differ(struct text *t, const struct results *shown, const struct results *other);
#endif
