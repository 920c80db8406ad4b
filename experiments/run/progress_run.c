/* One run's view: what of its training goes to the screen, to its log and to progress.json. */
#include "core/base/escape.h"
#include "core/base/width.h"
#include "experiments/run/progress.h"
#include "experiments/run/run_log.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Seconds between two looks: on the screen; from elsewhere. */
static const double SHOWN_EVERY = 0.1, TOLD_EVERY = 2;

static void warning_say(struct progress *p, const char *text)
{
    struct text line = { 0 };
    text_addf(&line, "warning: %s", text);
    if (p->quiet)
        fprintf(stderr, "senet-exp: %s\n", text_escape(&line));
    else
        progress_say(p, "%s", line.s);
    text_clear(&line);
}

/* The log is for people: where it cannot be written the run goes on, and says so once. */
static void run_told(struct progress_run *r, bool ok, const struct err *e)
{
    if (ok || r->watch.mute) return;
    r->watch.mute = true;
    struct text s = { 0 };
    text_addf(&s, "%s; the run goes on without", e->text);
    warning_say(r->progress, s.s);
    text_clear(&s);
}

static void run_log_add(struct progress_run *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void run_log_add(struct progress_run *r, const char *fmt, ...)
{
    struct text line = { 0 };
    struct err e;
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(&line, fmt, ap);
    va_end(ap);
    run_told(r, run_log(r->dir, r->id, text_escape(&line), &e), &e);
    text_clear(&line);
}

/* "[3/12] reduction=4 seed 7: TEXT"; the label is bold where that shows. */
static void run_say(struct progress_run *r, enum progress_kind kind, const char *text)
{
    struct progress_message m = { .kind = kind };
    struct text label = { 0 }, told = { 0 };
    bool bold = terminal_of(fileno(r->progress->to)).colour;
    text_shown(&label, r->label, strlen(r->label));
    text_add(&told, text);
    snprintf(m.text, sizeof m.text, "[%d/%d] %s%s%s seed %llu: %s", r->number, r->of,
             bold ? "\033[1m" : "", label.s ? label.s : "", bold ? "\033[0m" : "",
             (unsigned long long)r->seed, text_escape(&told));
    text_clear(&label);
    text_clear(&told);
    progress_send(r->progress, &m);
}

void progress_run_begin(struct progress_run *r)
{
    struct err e;
    r->watch = (struct run_watch){ .validation = NAN };
    run_told(r, glimpse_remove(r->dir, r->id, &e), &e);
    run_log_add(r, "%s seed %llu begins", r->label, (unsigned long long)r->seed);
}

/* Share of the whole run that is done, 0 to 1. */
static double run_share(const struct train_progress *t, size_t batches)
{
    return (t->epoch - 1 + (double)batches / (double)t->batches) / t->epochs;
}

/* Seconds of the whole run, had this session trained all of it. */
static double run_seconds(const struct progress_run *r, const struct train_progress *t)
{
    return (clock_seconds() - r->started + t->seconds_left) / (1 - r->watch.before);
}

static void run_show(struct progress_run *r, const struct train_progress *t)
{
    struct progress_message m = { .kind = PROGRESS_LIVE,
                                  .run = { .seed = r->seed,
                                           .number = r->number,
                                           .of = r->of,
                                           .now = *t,
                                           .validation_error = r->watch.validation,
                                           .seconds = run_seconds(r, t),
                                           .behind = r->behind } };
    struct text shown = { 0 }, label = { 0 };
    text_shown(&shown, r->label, strlen(r->label));
    text_add(&shown, "");
    text_cut(&label, shown.s, LIVE_LABEL / 4 - 1); /* a character has up to four bytes */
    snprintf(m.run.label, sizeof m.run.label, "%s", label.s);
    text_clear(&label);
    text_clear(&shown);
    progress_send(r->progress, &m);
}

static void run_tell(struct progress_run *r, const struct train_progress *t)
{
    struct err e;
    const struct glimpse g = { .epoch = t->epoch,
                               .epochs = t->epochs,
                               .done = (double)t->batch / (double)t->batches,
                               .loss = t->loss,
                               .error = t->error,
                               .validation_error = r->watch.validation,
                               .images_per_second = t->images_per_second,
                               .seconds_left = t->seconds_left,
                               .seconds = run_seconds(r, t),
                               .jobs = r->progress->runs.slots };
    run_told(r, glimpse_write(r->dir, r->id, &g, &e), &e);
}

void progress_batch(void *run, const struct train_progress *t)
{
    struct progress_run *r = run;
    double now = clock_seconds();
    if (!r->watch.begun) {
        r->watch.begun = true;
        r->watch.before = run_share(t, t->batch - 1);
        if (t->epoch > 1) run_log_add(r, "continues after epoch %d", t->epoch - 1);
    }
    if (now - r->watch.told >= TOLD_EVERY) {
        r->watch.told = now;
        run_tell(r, t);
    }
    if (!r->progress->live || now - r->watch.shown < SHOWN_EVERY) return;
    r->watch.shown = now;
    run_show(r, t);
}

void progress_epoch(void *run, const struct epoch_record *e)
{
    struct progress_run *r = run;
    struct text line = { 0 };
    r->epochs_here++;
    r->watch.validation = e->validation_error;
    text_addf(&line, "epoch %d, loss %.4f, error %.2f %%", e->epoch, e->train_loss, e->train_error);
    if (!isnan(e->validation_error))
        text_addf(&line, ", validation error %.2f %%", e->validation_error);
    text_addf(&line, ", %.0f images/s", e->images_per_second);
    run_log_add(r, "%s", line.s);
    if (!r->progress->live) run_say(r, PROGRESS_LINE, line.s);
    text_clear(&line);
}

void progress_warn(void *run, const char *text)
{
    struct progress_run *r = run;
    run_log_add(r, "warning: %s", text);
    warning_say(r->progress, text);
}

void progress_run_end(struct progress_run *r, const char *outcome)
{
    char took[DURATION_TEXT];
    struct text line = { 0 };
    struct err e;
    duration_text(clock_seconds() - r->started, took);
    text_addf(&line, "%s (%s)", outcome, took);
    run_log_add(r, "%s", line.s);
    run_told(r, glimpse_remove(r->dir, r->id, &e), &e);
    run_say(r, PROGRESS_END, line.s);
    text_clear(&line);
}
