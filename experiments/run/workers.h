#ifndef EXPERIMENTS_RUN_WORKERS_H
#define EXPERIMENTS_RUN_WORKERS_H
#include "experiments/run/progress.h"

/* Worker processes over one loop. Each runs work(ctx, slot) and hands its result, 0..255, back. */
struct jobs_work {
    int (*work)(void *ctx, int slot, struct progress *p);
    void *ctx;
};

/* The largest result of the workers; 255 where one was killed. Shows their progress meanwhile and
 * passes SIGINT and SIGTERM on. A worker dies with its parent. False with e filled where no worker
 * could be started. */
bool jobs_run(int jobs, const struct jobs_work *w, struct progress *p, int *worst, struct err *e);
#endif
