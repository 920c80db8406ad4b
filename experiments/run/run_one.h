#ifndef EXPERIMENTS_RUN_RUN_ONE_H
#define EXPERIMENTS_RUN_RUN_ONE_H
#include "experiments/run/progress.h"
#include "experiments/run/run_data.h"
#include <time.h>

/* One run from lock to record. */
struct run_task {
    const char *dir, *id;
    const struct design_point *point;
    uint64_t seed;
    const struct run_data *data;
    int number, of;        /* k of n */
    double behind;         /* work of the tasks after this one, in tasks like it */
    struct timespec began; /* file_clock of dir when this program began: a failure recorded later is
                            * another process's of the same sweep, and is not tried again */
};

enum run_outcome {
    RUN_ENDED,   /* a record says how */
    RUN_BUSY,    /* another process has it */
    RUN_STOPPED, /* by a signal; what its epochs learned is saved */
    RUN_NO_DISK, /* the record could not be written; e says why */
};

/* wait: for the lock, where another process holds it. */
enum run_outcome run_one(const struct run_task *t, struct progress *p, bool wait, struct err *e);

/* Removes the checkpoints of the folder's completed runs, of whatever design: one is left where a
 * process was killed between a record and the removal. */
bool run_checkpoints_drop(const char *dir, struct err *e);

/* Has a run that completed left anything of its checkpoint? And the removal of one, whole or begun.
 */
bool run_checkpoint_is_over(const char *dir, const char *id);
bool run_checkpoint_drop(const char *dir, const char *id, struct err *e);

/* Locks the run: as lock_take. */
int run_lock(const char *dir, const char *id, bool wait, struct err *e);

/* True where a process is at work on this run. */
bool run_is_locked(const char *dir, const char *id);
#endif
