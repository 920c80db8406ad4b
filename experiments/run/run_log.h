#ifndef EXPERIMENTS_RUN_RUN_LOG_H
#define EXPERIMENTS_RUN_RUN_LOG_H
#include "core/base/err.h"

/* What a run leaves in its folder for whoever looks while it trains: the file log, plain dated
 * lines that stay, and the file progress.json, how far it is at the moment. Nothing is computed
 * from either. */

/* Adds "2026-11-24 18:30:42 TEXT". */
bool run_log(const char *dir, const char *id, const char *text, struct err *e);

struct glimpse {
    int epoch, epochs;                    /* in hand, from 1; in all */
    double done;                          /* share of the epoch in hand, 0 to 1 */
    double loss, error, validation_error; /* of the epoch so far, percent; of the last one or NAN */
    double images_per_second;
    double seconds_left, seconds; /* of the run: until it ends; that the whole of it takes */
    int jobs;                     /* runs at a time of the process that trains it */
};

/* Replaces progress.json at once, without waiting for the disk. */
bool glimpse_write(const char *dir, const char *id, const struct glimpse *g, struct err *e);

/* False where there is none, or none that can be read. */
bool glimpse_read(const char *dir, const char *id, struct glimpse *g);
bool glimpse_remove(const char *dir, const char *id, struct err *e);
#endif
