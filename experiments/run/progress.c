/* Live lines, or plain ones. Only the process that owns the screen draws; workers send it their
 * messages through a pipe. */
#include "experiments/run/progress.h"
#include "core/base/escape.h"
#include "core/base/mem.h"
#include "core/base/width.h"
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct progress_message) <= PIPE_BUF, "messages of workers may interleave");

void progress_open(struct progress *p, int slots, bool quiet)
{
    *p = (struct progress){ .to = stderr,
                            .quiet = quiet,
                            .live = terminal_of(STDERR_FILENO).live,
                            .runs.slots = slots,
                            .pipe = -1 };
    p->runs.of = mem_new((size_t)slots, sizeof *p->runs.of);
    p->drawn = mem_new((size_t)slots + 1, sizeof *p->drawn);
}

/* A window that has become narrower has wrapped what stood in it. */
static void lines_wipe(struct progress *p)
{
    const int columns = terminal_of(fileno(p->to)).columns;
    int rows = 0;
    for (int i = 0; i < p->n_drawn; i++)
        rows += p->drawn[i] > columns ? (p->drawn[i] + columns - 1) / columns : 1;
    if (rows > 1) fprintf(p->to, "\033[%dA", rows - 1);
    if (rows) fputs("\r\033[J", p->to);
    p->n_drawn = 0;
}

static void line_draw(struct progress *p, const struct text *line)
{
    if (!line->len) return;
    fprintf(p->to, "%s%s", p->n_drawn ? "\n" : "", line->s);
    p->drawn[p->n_drawn++] = text_width(line->s);
}

/* No more lines than the screen has: those above it could not be wiped. */
static void lines_draw(struct progress *p)
{
    const struct terminal t = terminal_of(fileno(p->to));
    struct text line = { 0 };
    p->columns = t.columns;
    p->rows = t.rows;
    for (int i = 0; i < p->runs.slots && p->n_drawn < t.rows - 2; i++) {
        if (p->runs.of[i].number) live_line(&line, &p->runs.of[i], &t);
        line_draw(p, &line);
        text_clear(&line);
    }
    live_sum(&line, &p->runs, &t);
    line_draw(p, &line);
    text_clear(&line);
}

void progress_refresh(struct progress *p)
{
    if (p->quiet || !p->live || !p->n_drawn) return;
    const struct terminal t = terminal_of(fileno(p->to));
    if (t.columns == p->columns && t.rows == p->rows) return;
    lines_wipe(p);
    lines_draw(p);
    fflush(p->to);
}

static void line_plain(struct progress *p, const char *text)
{
    char when[DATE_TEXT];
    clock_date(when);
    fprintf(p->to, "%s %s\n", when, text);
}

/* Wrapped at words. */
static void line_stays(struct progress *p, const char *text)
{
    struct text lines = { 0 };
    text_wrapped(&lines, "", text, terminal_of(fileno(p->to)).columns);
    fputs(lines.s, p->to);
    text_clear(&lines);
}

void progress_show(struct progress *p, const struct progress_message *m)
{
    if (p->quiet) return;
    p->runs.ended += m->kind == PROGRESS_END;
    if (!p->live) {
        if (m->kind != PROGRESS_LIVE) line_plain(p, m->text);
    } else {
        lines_wipe(p);
        if (m->kind != PROGRESS_LIVE) line_stays(p, m->text);
        if (m->kind != PROGRESS_LINE) p->runs.of[m->slot] = m->run;
        lines_draw(p);
    }
    fflush(p->to);
}

void progress_close(struct progress *p)
{
    if (p->live && !p->quiet) lines_wipe(p);
    fflush(p->to);
    free(p->runs.of);
    free(p->drawn);
    p->runs.of = NULL;
    p->drawn = NULL;
}

/* A message that finds no reader is lost with the process that would have shown it. */
void progress_send(struct progress *p, struct progress_message *m)
{
    m->slot = p->slot;
    if (p->quiet) return;
    if (p->pipe < 0)
        progress_show(p, m);
    else if (write(p->pipe, m, sizeof *m) != (ssize_t)sizeof *m)
        p->quiet = true;
}

void progress_say(struct progress *p, const char *fmt, ...)
{
    struct progress_message m = { .kind = PROGRESS_LINE };
    struct text line = { 0 };
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(&line, fmt, ap);
    va_end(ap);
    snprintf(m.text, sizeof m.text, "%s", text_escape(&line));
    text_clear(&line);
    progress_send(p, &m);
}
