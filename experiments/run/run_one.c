/* Locks a run, builds its network, trains it, writes its record. Whatever goes wrong with the run
 * itself ends in a record that says so; only a disk that takes no record stops the sweep. */
#include "experiments/run/run_one.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/lock.h"
#include "core/base/parallel.h"
#include "experiments/results/record.h"
#include "experiments/run/footprint.h"
#include "experiments/run/headroom.h"
#include "experiments/run/signals.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *lock_path(const char *dir, const char *id)
{
    struct text path = { 0 };
    text_addf(&path, "%s/runs/%s/lock", dir, id);
    return path.s;
}

bool run_is_locked(const char *dir, const char *id)
{
    char *path = lock_path(dir, id);
    bool held = lock_is_held(path);
    free(path);
    return held;
}

int run_lock(const char *dir, const char *id, bool wait, struct err *e)
{
    char *path = lock_path(dir, id);
    int fd = lock_take(path, wait, e);
    free(path);
    return fd;
}

/* Of a run that is over: nothing continues it. */
bool run_checkpoint_drop(const char *dir, const char *id, struct err *e)
{
    struct text path = { 0 };
    text_addf(&path, "%s/runs/%s/checkpoint", dir, id);
    bool ok = file_remove(path.s, e);
    text_clear(&path);
    return ok;
}

/* Is there anything of a checkpoint, whole or begun? Records are long; this is asked first. */
static bool checkpoint_left(const char *dir, const char *id)
{
    struct text path = { 0 };
    struct err e;
    char **names;
    size_t n;
    bool left = false;
    text_addf(&path, "%s/runs/%s", dir, id);
    if (dir_list(path.s, &names, &n, &e)) {
        for (size_t i = 0; i < n; i++) left |= strncmp(names[i], "checkpoint", 10) == 0;
        dir_list_free(names, n);
    }
    text_clear(&path);
    return left;
}

bool run_checkpoint_is_over(const char *dir, const char *id)
{
    struct record r;
    struct err unread;
    if (!checkpoint_left(dir, id) || record_read(dir, id, &r, &unread) != 1) return false;
    bool over = r.status == RECORD_COMPLETED;
    record_clear(&r);
    return over;
}

bool run_checkpoints_drop(const char *dir, struct err *e)
{
    char **ids;
    size_t n;
    bool ok = record_ids(dir, &ids, &n, e);
    for (size_t i = 0; i < n; i++)
        if (run_checkpoint_is_over(dir, ids[i])) ok = run_checkpoint_drop(dir, ids[i], e) && ok;
    dir_list_free(ids, n);
    return ok;
}

/* Whether the record is of this invocation's time. */
static bool record_is_fresh(const struct run_task *t)
{
    struct text path = { 0 };
    struct stat st;
    text_addf(&path, "%s/runs/%s.json", t->dir, t->id);
    bool fresh = stat(path.s, &st) == 0 &&
                 (st.st_mtim.tv_sec != t->began.tv_sec ? st.st_mtim.tv_sec > t->began.tv_sec
                                                       : st.st_mtim.tv_nsec >= t->began.tv_nsec);
    text_clear(&path);
    return fresh;
}

/* Completed and diverged runs are done for good; a failed one only where it failed just now. */
static bool run_is_done(const struct run_task *t)
{
    struct record r;
    struct err e;
    if (record_read(t->dir, t->id, &r, &e) != 1) return false;
    bool done = r.status == RECORD_COMPLETED || r.status == RECORD_DIVERGED ||
                (r.status == RECORD_FAILED && record_is_fresh(t));
    record_clear(&r);
    return done;
}

static bool net_prepare(const struct run_task *t, struct model_net *n, struct err *e)
{
    const struct run_spec *s = &t->point->spec;
    struct headroom h;
    headroom_read(&h, ""); /* others may have taken memory since the sweep began */
    if (!footprint_fits(t->point, 1, &h, e)) return false;
    if (!spec_build(s, s->train.batch_size, &t->point->shape, n, e)) return false;
    graph_short(n->graph, train_short(&s->train, t->data->split.train.count));
    return graph_plan(n->graph, true, (struct tensor *[]){ n->logits, n->loss, NULL }, e);
}

static bool run_stop(void *ctx)
{
    (void)ctx;
    return signals_caught();
}

static bool run_train(const struct run_task *t, struct progress_run *view,
                      struct train_result *result, struct err *e)
{
    const struct run_spec *s = &t->point->spec;
    struct model_net n = { 0 };
    struct text checkpoint = { 0 };
    text_addf(&checkpoint, "%s/runs/%s/checkpoint", t->dir, t->id);
    bool ok = net_prepare(t, &n, e);
    if (ok) {
        struct train_job job = {
            .net = { n.graph, n.images, n.labels, n.logits, n.loss },
            .data = t->data->data,
            .split = &t->data->split,
            .settings = &s->train,
            .augment = &s->augment,
            .optimizer = s->optimizer,
            .optimizer_settings = s->optimizer_settings,
            .schedule = s->schedule,
            .schedule_settings = s->schedule_settings,
            .seed = t->seed,
            .checkpoint = checkpoint.s,
            .identity = strtoull(t->id, NULL, 16),
            .watch = { view, progress_batch, progress_epoch, run_stop, progress_warn },
        };
        ok = train_run(&job, result, e);
    }
    if (n.graph) graph_destroy(n.graph);
    text_clear(&checkpoint);
    return ok;
}

/* Of the whole run: this session's clock, and the epochs of earlier ones. */
static double run_seconds(const struct progress_run *view, const struct train_result *r)
{
    double seconds = clock_seconds() - view->started;
    for (int i = 0; r->history && i < r->epochs - view->epochs_here; i++)
        seconds += r->history[i].seconds;
    return seconds;
}

static enum record_status run_status(const struct train_result *r)
{
    switch (r->status) {
    case TRAIN_COMPLETED:
        return RECORD_COMPLETED;
    case TRAIN_DIVERGED:
        return RECORD_DIVERGED;
    case TRAIN_INTERRUPTED:
        return RECORD_INTERRUPTED;
    }
    BUG_IF(true, "train status %d", r->status);
}

/* A run goes on where its last checkpoint was made, after an epoch. */
static void interrupted_text(const struct train_result *r, char *out, size_t room)
{
    if (r->epochs == 0)
        snprintf(out, room, "interrupted in its first epoch, begins again");
    else
        snprintf(out, room, "interrupted, continues after epoch %d", r->epochs);
}

static void run_tell(struct progress_run *view, const struct record_facts *f)
{
    char outcome[PROGRESS_TEXT];
    const struct train_result *r = f->result;
    if (f->status == RECORD_COMPLETED)
        snprintf(outcome, sizeof outcome, "test error %.2f %%", r->test.top1);
    else if (f->status == RECORD_DIVERGED)
        snprintf(outcome, sizeof outcome, "diverged at step %llu",
                 (unsigned long long)r->diverged_step);
    else if (f->status == RECORD_INTERRUPTED)
        interrupted_text(r, outcome, sizeof outcome);
    else
        snprintf(outcome, sizeof outcome, "failed: %s", f->why);
    progress_run_end(view, outcome);
}

static enum run_outcome run_locked(const struct run_task *t, struct progress *p, struct err *e)
{
    struct progress_run view = { .progress = p,
                                 .dir = t->dir,
                                 .id = t->id,
                                 .label = t->point->label,
                                 .seed = t->seed,
                                 .number = t->number,
                                 .of = t->of,
                                 .behind = t->behind,
                                 .started = clock_seconds() };
    struct train_result result = { 0 };
    struct err why = { .text = "" };
    progress_run_begin(&view);
    bool ok = run_train(t, &view, &result, &why);
    struct record_facts f = { .id = t->id,
                              .status = ok ? run_status(&result) : RECORD_FAILED,
                              .why = ok ? NULL : why.text,
                              .point = t->point,
                              .seed = t->seed,
                              .data = t->data->data,
                              .split = &t->data->split,
                              .result = ok ? &result : NULL,
                              .seconds = run_seconds(&view, &result),
                              .threads = parallel_threads(),
                              .jobs = p->runs.slots };
    bool written = record_write(t->dir, &f, e);
    if (written && f.status == RECORD_COMPLETED && !run_checkpoint_drop(t->dir, t->id, &why))
        progress_say(p, "%s", why.text);
    run_tell(&view, &f);
    train_result_clear(&result);
    if (!written) return RUN_NO_DISK;
    return f.status == RECORD_INTERRUPTED ? RUN_STOPPED : RUN_ENDED;
}

enum run_outcome run_one(const struct run_task *t, struct progress *p, bool wait, struct err *e)
{
    int fd = run_lock(t->dir, t->id, wait, e);
    if (fd == LOCK_BUSY) return RUN_BUSY;
    if (fd == LOCK_STOPPED) return RUN_STOPPED;
    if (fd < 0) return RUN_NO_DISK;
    enum run_outcome outcome = run_is_done(t) ? RUN_ENDED : run_locked(t, p, e);
    close(fd);
    return outcome;
}
