#ifndef EXPERIMENTS_RUN_PROGRESS_H
#define EXPERIMENTS_RUN_PROGRESS_H
#include "core/base/clock.h"
#include "experiments/run/live_line.h"
#include <stdio.h>

/* What a person sees while runs go on, on standard error. On a terminal: one live line a slot (a
 * run in hand), one for all of them, and lines that stay for what has ended. Elsewhere: plain dated
 * lines, one an epoch, without control characters. Quiet: nothing. Whoever looks from elsewhere
 * finds each run's log and progress.json in its folder (run_log.h). */
enum { PROGRESS_TEXT = 1024 };

enum progress_kind {
    PROGRESS_LINE, /* text stays */
    PROGRESS_LIVE, /* the run of the slot, as it is now */
    PROGRESS_END   /* text stays, and the slot has no run any more */
};

struct progress_message { /* small enough that a write to a pipe is atomic */
    int slot;
    enum progress_kind kind;
    struct live_run run;
    char text[PROGRESS_TEXT];
};

struct progress {
    FILE *to;
    bool quiet, live; /* live: on a terminal whose cursor can be moved */
    struct live_runs runs;
    int *drawn, n_drawn; /* widths of the live lines that are on the screen */
    int columns, rows;   /* of the screen when they were drawn */
    int slot;            /* the one this process reports to */
    int pipe;            /* where a worker sends its messages; -1: shown at once */
};

void progress_open(struct progress *p, int slots, bool quiet);
void progress_close(struct progress *p); /* wipes the live lines */
void progress_show(struct progress *p, const struct progress_message *m);
void progress_send(struct progress *p, struct progress_message *m); /* of this process's slot */

/* Draws the live lines anew where the window has another size than when they were drawn. */
void progress_refresh(struct progress *p);

/* A line that stays. */
void progress_say(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One run's view of it: the watch of its training. Zero but for what is set up to `started`. */
struct progress_run {
    struct progress *progress;
    const char *dir, *id, *label;
    uint64_t seed;
    int number, of;  /* run k of n */
    double behind;   /* as in struct live_run */
    double started;  /* seconds of the clock */
    int epochs_here; /* that ended since */
    struct run_watch {
        bool begun;         /* a batch was seen */
        double before;      /* share of the run that was done when it started */
        double shown, told; /* seconds of the clock: on the screen; in progress.json */
        double validation;  /* error of the last epoch, percent */
        bool mute;          /* its folder takes no log; said once */
    } watch;
};
void progress_run_begin(struct progress_run *run);
void progress_batch(void *run, const struct train_progress *t);
void progress_epoch(void *run, const struct epoch_record *e);
void progress_warn(void *run, const char *text);
void progress_run_end(struct progress_run *run, const char *outcome);
#endif
