/* Runs what a design still lacks. */
#include "experiments/run/runner.h"
#include "core/base/escape.h"
#include "core/base/file.h"
#include "core/base/lock.h"
#include "core/base/parallel.h"
#include "experiments/run/backlog.h"
#include "experiments/run/footprint.h"
#include "experiments/run/headroom.h"
#include "experiments/run/run_one.h"
#include "experiments/run/signals.h"
#include "experiments/run/workers.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct runner {
    const struct design *design;
    const struct run_options *options;
    char *entered; /* digest of the design */
    struct progress *progress;
    struct run_data_all all_data;
    const struct run_data **data; /* of each point */
    struct census census;
    struct run_task *tasks; /* what is to be trained */
    int n_tasks;
    int *next;             /* number of the next task; shared by all workers */
    struct timespec began; /* file_clock of the results folder */
};

/* What a worker hands back; the largest counts. */
enum { WORK_DONE, WORK_NO_DISK, WORK_STOPPED, WORK_KILLED = 255 };

static void data_say(void *progress, const char *text) { progress_say(progress, "%s", text); }

static bool runner_open_data(struct runner *r, struct progress *p, struct err *e)
{
    const struct data_notes notes = { r->options->dir, data_say, p };
    const struct design *d = r->design;
    r->data = mem_new((size_t)d->n_points, sizeof *r->data);
    run_data_open(&r->all_data, d, &notes);
    for (int i = 0; i < d->n_points; i++) {
        r->data[i] = run_data_of(&r->all_data, &d->points[i], e);
        if (!r->data[i]) return false;
    }
    return true;
}

static char (*runner_ids(const struct runner *r))[RUN_ID]
{
    const struct design *d = r->design;
    char(*ids)[RUN_ID] = mem_new((size_t)(d->n_points * d->n_seeds), sizeof *ids);
    for (int p = 0; p < d->n_points; p++) {
        for (int s = 0; s < d->n_seeds; s++) {
            run_id(&d->points[p], d->seeds[s], r->data[p]->split.digest, ids[p * d->n_seeds + s]);
        }
    }
    return ids;
}

static void points_same_say(const struct design *d, struct progress *p)
{
    for (int i = 0; i < d->n_points; i++) {
        int first = d->points[i].same_as;
        if (first >= 0) {
            progress_say(p, "%s and %s build the same network: trained once",
                         d->points[first].label, d->points[i].label);
        }
    }
}

/* Has the design all the runs of another? */
static bool design_covers(const struct census *c, const struct results *other)
{
    for (int p = 0; p < other->n_points; p++)
        for (int s = 0; s < other->n_seeds; s++)
            if (!census_holds(c, other->points[p].ids[s])) return false;
    return true;
}

/* Reads an earlier design of the folder, unless it is this one: false where it is, or is not known,
 * or cannot be read, which is said. */
static bool earlier_read(const struct runner *r, const struct designs *all, int which,
                         struct results *earlier)
{
    struct err e;
    if (which < 0 || strcmp(all->all[which].digest, r->entered) == 0) return false;
    if (results_read(r->options->dir, all->all[which].digest, earlier, &e)) return true;
    progress_say(r->progress, "%s: not compared with", e.text);
    return false;
}

/* table.md is of the design that the experiment file says by itself, once that was run; a trial
 * with settings of the command line leaves it alone, unless it has all the runs that it shows. */
static bool main_is_ours(const struct runner *r, const struct designs *before)
{
    struct results main;
    if (r->options->as_written || before->main < 0) return true;
    if (strcmp(before->all[before->main].digest, r->entered) == 0) return true;
    if (!earlier_read(r, before, before->main, &main)) return false;
    bool covers = design_covers(&r->census, &main);
    results_clear(&main);
    return covers;
}

/* Under the lock of the folder: the census, and the design among those of the folder. */
static bool runner_enter(struct runner *r, struct err *e)
{
    const char *dir = r->options->dir;
    struct text json = { 0 };
    struct designs before = { 0 };
    struct results newest;
    bool ok = census_take(&r->census, r->design, runner_ids(r), dir, e);
    design_write(r->design, (const char(*)[RUN_ID])r->census.ids, &json);
    ok = ok && designs_adopt_early(dir, e) && designs_read(dir, &before, e) &&
         designs_put(dir, &json, r->entered, e) &&
         (!main_is_ours(r, &before) || designs_set_main(dir, r->entered, e));
    if (ok && earlier_read(r, &before, before.newest, &newest)) {
        census_compare(&r->census, r->design, &newest);
        results_clear(&newest);
    }
    designs_clear(&before);
    text_clear(&json);
    return ok;
}

/* Enters the design, and says what the census says. */
static bool runner_census(struct runner *r, struct progress *p, struct err *e)
{
    struct text say = { 0 };
    int lock = designs_lock(r->options->dir, true, e);
    if (lock < 0) return false;
    bool ok = runner_enter(r, e);
    close(lock);
    if (!ok) return false;
    census_say(&r->census, &say);
    points_same_say(r->design, p);
    progress_say(p, "%s: %s", r->design->experiment, say.s);
    text_clear(&say);
    return true;
}

/* Multiply-adds of the whole task, but for a factor that all tasks have. */
static double task_work(const struct run_task *t)
{
    const struct model_counts *c = &t->point->counts;
    return (double)(c->conv_fc + c->se_fc) * t->point->spec.train.epochs *
           t->data->split.train.count;
}

static void runner_tasks(struct runner *r)
{
    const struct census *c = &r->census;
    int seeds = r->design->n_seeds;
    r->n_tasks = c->n_distinct - c->kept;
    r->tasks = mem_new((size_t)r->n_tasks + 1, sizeof *r->tasks);
    for (int i = 0, n = 0; i < c->n_distinct; i++) {
        if (c->done[i]) continue;
        int at = c->distinct[i], point = at / seeds;
        r->tasks[n] = (struct run_task){ .dir = r->options->dir,
                                         .id = c->ids[at],
                                         .point = &r->design->points[point],
                                         .seed = r->design->seeds[at % seeds],
                                         .data = r->data[point],
                                         .number = n + 1,
                                         .of = r->n_tasks,
                                         .began = r->began };
        n++;
    }
    double behind = 0;
    for (int i = r->n_tasks - 1; i >= 0; i--) {
        double work = task_work(&r->tasks[i]);
        r->tasks[i].behind = behind / work;
        behind += work;
    }
}

/* Closes the data sets that no task from number `from` on trains on, nor one that another process
 * has in hand (busy, which may be NULL). */
static void runner_close_data(struct runner *r, int from, const bool *busy)
{
    bool *wanted = mem_new((size_t)r->design->n_data_sets, sizeof *wanted);
    for (int i = 0; i < r->n_tasks; i++)
        if (i >= from || (busy && busy[i])) wanted[r->tasks[i].point->data_set] = true;
    for (int set = 0; set < r->design->n_data_sets; set++)
        if (!wanted[set]) run_data_close(&r->all_data, set);
    free(wanted);
}

static int work_result(enum run_outcome o, const struct err *e)
{
    struct text why = { 0 };
    if (o == RUN_NO_DISK) {
        text_add(&why, e->text);
        fprintf(stderr, "senet-exp: %s\n", text_escape(&why));
        text_clear(&why);
    }
    return o == RUN_STOPPED ? WORK_STOPPED : o == RUN_NO_DISK ? WORK_NO_DISK : WORK_DONE;
}

/* Takes tasks until none is left; then waits for those that other processes had in hand. */
static int runner_work(void *ctx, int slot, struct progress *p)
{
    struct runner *r = ctx;
    bool *busy = mem_new((size_t)r->n_tasks + 1, sizeof *busy);
    struct err e = { .text = "" };
    int result = WORK_DONE, i;
    (void)slot;
    while (result == WORK_DONE &&
           (i = __atomic_fetch_add(r->next, 1, __ATOMIC_RELAXED)) < r->n_tasks) {
        enum run_outcome o = signals_caught() ? RUN_STOPPED : run_one(&r->tasks[i], p, false, &e);
        busy[i] = o == RUN_BUSY;
        result = work_result(o, &e);
        runner_close_data(r, i + 1, busy);
    }
    for (i = 0; result == WORK_DONE && i < r->n_tasks; i++) {
        if (!busy[i]) continue;
        progress_say(p, "waiting for %s seed %llu, which another process trains",
                     r->tasks[i].point->label, (unsigned long long)r->tasks[i].seed);
        result =
            work_result(signals_caught() ? RUN_STOPPED : run_one(&r->tasks[i], p, true, &e), &e);
        busy[i] = false;
        runner_close_data(r, r->n_tasks, busy);
    }
    free(busy);
    return result;
}

/* Refuses the whole sweep where one of its runs cannot have its memory, or where as many of the
 * largest as run at a time cannot: better now than after the hours that the others take. */
static bool runner_memory(const struct runner *r, int jobs, struct err *e)
{
    const struct design_point *most = NULL;
    uint64_t bytes = 0;
    for (int i = 0; i < r->n_tasks; i++) {
        struct footprint f = footprint_of(r->tasks[i].point);
        if (footprint_total(&f) <= bytes) continue;
        bytes = footprint_total(&f);
        most = r->tasks[i].point;
    }
    struct headroom h;
    headroom_read(&h, "");
    return footprint_fits(most, jobs, &h, e);
}

static bool runner_train(struct runner *r, struct progress *p, int *worst, struct err *e)
{
    int jobs = p->runs.slots = p->runs.slots < r->n_tasks ? p->runs.slots : r->n_tasks;
    if (!runner_memory(r, jobs, e)) return false;
    r->next =
        mmap(NULL, sizeof *r->next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r->next == MAP_FAILED) return err_set(e, "no memory to share with the workers");
    *r->next = 0;
    bool ok = true;
    if (jobs == 1) {
        *worst = runner_work(r, 0, p);
    } else {
        int threads = parallel_threads() / jobs;
        parallel_pause();
        parallel_use(threads < 1 ? 1 : threads);
        struct jobs_work w = { runner_work, r };
        ok = jobs_run(jobs, &w, p, worst, e);
    }
    munmap(r->next, sizeof *r->next);
    return ok;
}

/* Reads the records of the whole design once more: kept ones that diverged count, too. */
static enum runner_status runner_verdict(const struct runner *r, struct err *e)
{
    const struct census *c = &r->census;
    enum runner_status status = RUNNER_DONE;
    for (int i = 0; i < c->n_distinct; i++) {
        struct record one;
        int found = record_read(r->options->dir, c->ids[c->distinct[i]], &one, e);
        if (found < 0) return RUNNER_NO_DATA;
        if (found == 0 || one.status != RECORD_COMPLETED) status = RUNNER_SOME_FAILED;
        if (found) record_clear(&one);
    }
    return status;
}

static enum runner_status runner_go(struct runner *r, struct progress *p, struct err *e)
{
    int worst = WORK_DONE;
    struct err kept;
    const char *dir = r->options->dir;
    if (!dir_make(dir, e) || !file_clock(dir, &r->began, e) || !runner_open_data(r, p, e) ||
        !runner_census(r, p, e))
        return signals_caught() ? RUNNER_INTERRUPTED : RUNNER_NO_DATA;
    if (!run_checkpoints_drop(dir, &kept)) progress_say(p, "%s", kept.text);
    runner_tasks(r);
    runner_close_data(r, 0, NULL);
    if (r->n_tasks && !runner_train(r, p, &worst, e)) return RUNNER_NO_DATA;
    if (worst == WORK_STOPPED || signals_caught()) return RUNNER_INTERRUPTED;
    if (worst == WORK_KILLED) progress_say(p, "a worker was killed: the same command goes on");
    if (worst == WORK_NO_DISK) {
        err_set(e, "%s: stopped, since a record could not be written", r->options->dir);
        return RUNNER_NO_DATA;
    }
    return runner_verdict(r, e);
}

enum runner_status runner_run(const struct design *d, const struct run_options *o,
                              char entered[DIGEST_TEXT], struct err *e)
{
    struct progress p;
    struct runner r = { .design = d, .options = o, .entered = entered, .progress = &p };
    parallel_use(o->threads);
    progress_open(&p, o->jobs ? o->jobs : 1, o->quiet);
    signals_watch();
    const size_t there = dir_there(o->dir);
    enum runner_status status = runner_go(&r, &p, e);
    if (status == RUNNER_NO_DATA) dir_unmake(o->dir, there); /* refused: nothing is left behind */
    progress_close(&p);
    census_clear(&r.census);
    run_data_clear(&r.all_data);
    free(r.data);
    free(r.tasks);
    return status;
}
