/* Live lines, or plain ones. Only the process that owns the screen draws; workers send it their
 * messages through a pipe. */
#include "experiments/run/progress.h"
#include "core/base/clock.h"
#include "core/base/mem.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

void duration_text(double seconds, char out[32])
{
    long s = lround(seconds);
    if (!isfinite(seconds) || seconds < 0)
        snprintf(out, 32, "unknown");
    else if (s < 60)
        snprintf(out, 32, "%ld s", s);
    else if (s < 3600)
        snprintf(out, 32, "%ld min %02ld s", s / 60, s % 60);
    else if (s < 48 * 3600)
        snprintf(out, 32, "%ld h %02ld min", s / 3600, s / 60 % 60);
    else
        snprintf(out, 32, "%ld days", s / 86400);
}

void progress_open(struct progress *p, int slots, bool quiet)
{
    const char *term = getenv("TERM");
    bool terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    *p = (struct progress){
        .to = stderr, .quiet = quiet, .live = terminal, .slots = slots, .pipe = -1
    };
    p->colour = terminal && !getenv("NO_COLOR");
    p->lines = mem_new((size_t)slots, sizeof *p->lines);
}

static void lines_wipe(struct progress *p)
{
    if (p->drawn > 1) fprintf(p->to, "\033[%dA", p->drawn - 1);
    if (p->drawn) fputs("\r\033[J", p->to);
    p->drawn = 0;
}

/* Cuts to the width of the terminal: a line that wraps could not be wiped. */
static int line_room(const struct progress *p)
{
    struct winsize w;
    if (ioctl(fileno(p->to), TIOCGWINSZ, &w) != 0 || w.ws_col < 20) return 79;
    return w.ws_col - 1;
}

static void lines_draw(struct progress *p)
{
    int room = line_room(p);
    for (int i = 0; i < p->slots; i++) {
        if (!p->lines[i][0]) continue;
        fprintf(p->to, "%s%.*s%s", p->drawn ? "\n" : "", room, p->lines[i],
                p->colour ? "\033[0m" : "");
        p->drawn++;
    }
}

static void line_plain(struct progress *p, const char *text)
{
    char when[32];
    time_t now = time(NULL);
    struct tm tm;
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
    fprintf(p->to, "%s %s\n", when, text);
}

void progress_show(struct progress *p, const struct progress_message *m)
{
    if (p->quiet) return;
    if (!p->live) {
        if (m->stays) line_plain(p, m->text);
    } else {
        lines_wipe(p);
        if (m->stays) fprintf(p->to, "%s\n", m->text);
        memcpy(p->lines[m->slot], m->stays ? "" : m->text, m->stays ? 1 : PROGRESS_TEXT);
        lines_draw(p);
    }
    fflush(p->to);
}

void progress_close(struct progress *p)
{
    if (p->live && !p->quiet) lines_wipe(p);
    fflush(p->to);
    free(p->lines);
    p->lines = NULL;
}

/* A message that finds no reader is lost with the process that would have shown it. */
static void progress_send(struct progress *p, const struct progress_message *m)
{
    if (p->quiet) return;
    if (p->pipe < 0)
        progress_show(p, m);
    else if (write(p->pipe, m, sizeof *m) != (ssize_t)sizeof *m)
        p->quiet = true;
}

void progress_say(struct progress *p, const char *fmt, ...)
{
    struct progress_message m = { .stays = true };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(m.text, sizeof m.text, fmt, ap);
    va_end(ap);
    progress_send(p, &m);
}

static int run_head(const struct progress_run *r, char *out, size_t room)
{
    const char *bold = r->progress->colour ? "\033[1m" : "",
               *plain = r->progress->colour ? "\033[0m" : "";
    return snprintf(out, room, "[%d/%d] %s%s%s seed %llu: ", r->number, r->of, bold, r->label,
                    plain, (unsigned long long)r->seed);
}

/* This run's time left, and the sweep's where the runs behind it take as long as this one. */
static void batch_left(const struct progress_run *r, const struct train_progress *t, char *out,
                       size_t room)
{
    char mine[32], all[32];
    double whole = clock_seconds() - r->started + t->seconds_left;
    int behind = (r->of - r->number) / r->progress->slots;
    duration_text(t->seconds_left, mine);
    duration_text(t->seconds_left + behind * whole, all);
    if (behind > 0)
        snprintf(out, room, "%s left, about %s for all", mine, all);
    else
        snprintf(out, room, "%s left", mine);
}

void progress_batch(void *run, const struct train_progress *t)
{
    struct progress_run *r = run;
    double now = clock_seconds();
    if (!r->progress->live || now - r->shown < 0.1) return;
    r->shown = now;
    struct progress_message m = { .slot = r->slot };
    char left[96];
    batch_left(r, t, left, sizeof left);
    int n = run_head(r, m.text, sizeof m.text);
    if (n < 0 || n >= PROGRESS_TEXT) n = PROGRESS_TEXT - 1;
    snprintf(m.text + n, sizeof m.text - (size_t)n,
             "epoch %d/%d %3.0f %%, %.0f images/s, loss %.3f, error %.1f %%, %s", t->epoch,
             t->epochs, 100.0 * (double)t->batch / (double)(t->batches ? t->batches : 1),
             t->images_per_second, t->loss, t->error, left);
    progress_send(r->progress, &m);
}

void progress_epoch(void *run, const struct epoch_record *e)
{
    struct progress_run *r = run;
    r->epochs_here++;
    if (r->progress->live) return;
    struct progress_message m = { .slot = r->slot, .stays = true };
    char validation[64] = "";
    if (!isnan(e->validation_error)) {
        snprintf(validation, sizeof validation, ", validation error %.2f %%", e->validation_error);
    }
    int n = run_head(r, m.text, sizeof m.text);
    if (n < 0 || n >= PROGRESS_TEXT) n = PROGRESS_TEXT - 1;
    snprintf(m.text + n, sizeof m.text - (size_t)n,
             "epoch %d, loss %.4f, error %.2f %%%s, %.0f images/s", e->epoch, e->train_loss,
             e->train_error, validation, e->images_per_second);
    progress_send(r->progress, &m);
}

void progress_warn(void *run, const char *text)
{
    struct progress_run *r = run;
    if (r->progress->quiet)
        fprintf(stderr, "senet-exp: warning: %s\n", text);
    else
        progress_say(r->progress, "warning: %s", text);
}

void progress_run_end(struct progress_run *r, const char *outcome)
{
    struct progress_message m = { .slot = r->slot, .stays = true };
    char took[32];
    duration_text(clock_seconds() - r->started, took);
    int n = run_head(r, m.text, sizeof m.text);
    if (n < 0 || n >= PROGRESS_TEXT) n = PROGRESS_TEXT - 1;
    snprintf(m.text + n, sizeof m.text - (size_t)n, "%s (%s)", outcome, took);
    progress_send(r->progress, &m);
}
