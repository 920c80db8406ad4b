#ifndef EXPERIMENTS_RUN_PROGRESS_H
#define EXPERIMENTS_RUN_PROGRESS_H
#include "core/base/clock.h"
#include "core/train/train.h"
#include <stdio.h>

/* What a person sees while runs go on, on standard error. On a terminal: one live line a slot (a
 * run in hand), and lines that stay for what has ended. Elsewhere: plain dated lines, one an
 * epoch, without control characters. Quiet: nothing. */
enum { PROGRESS_TEXT = 240 };

struct progress_message { /* small enough that a write to a pipe is atomic */
    int slot;
    bool stays; /* a line that stays, instead of the slot's live line */
    char text[PROGRESS_TEXT];
};

struct progress {
    FILE *to;
    bool quiet, live, colour;
    int slots, drawn; /* live lines in all; on the screen now */
    char (*lines)[PROGRESS_TEXT];
    int slot; /* the one this process reports to */
    int pipe; /* where a worker sends its messages; -1: shown at once */
};

void progress_open(struct progress *p, int slots, bool quiet);
void progress_close(struct progress *p); /* wipes the live lines */
void progress_show(struct progress *p, const struct progress_message *m);

/* A line that stays. */
void progress_say(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One run's view of it: the watch of its training. */
struct progress_run {
    struct progress *progress;
    int slot;
    const char *label;
    uint64_t seed;
    int number, of;        /* run k of n */
    double started, shown; /* seconds of the clock */
    int epochs_here;       /* that ended since `started` */
};
void progress_batch(void *run, const struct train_progress *t);
void progress_epoch(void *run, const struct epoch_record *e);
void progress_warn(void *run, const char *text);
void progress_run_end(struct progress_run *run, const char *outcome);

void duration_text(double seconds, char out[32]); /* "42 s", "3 min 05 s", "2 h 10 min" */
#endif
