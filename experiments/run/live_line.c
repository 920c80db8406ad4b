#include "experiments/run/live_line.h"
#include "core/base/clock.h"
#include "core/base/width.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FIGURES = 4,
    FIGURE_TEXT = 32,
    LABEL_LEAST = 6,     /* columns of a label, whatever that cuts off */
    LABEL_WANTED = 10,   /* for which the second figure is left out, too */
    SHARE_COLUMNS = 100, /* of a terminal that has room for the share of the epoch */
};

/* In the order in which they are worth their room. */
static int live_figures(const struct live_run *r, char figures[FIGURES][FIGURE_TEXT])
{
    const struct train_progress *t = &r->now;
    int n = 0;
    snprintf(figures[n++], FIGURE_TEXT, ", error %.1f %%", t->error);
    if (!isnan(r->validation_error))
        snprintf(figures[n++], FIGURE_TEXT, ", validation %.1f %%", r->validation_error);
    snprintf(figures[n++], FIGURE_TEXT, ", loss %.3f", t->loss);
    snprintf(figures[n++], FIGURE_TEXT, ", %.0f images/s", t->images_per_second);
    return n;
}

/* "[3/12] 1 min 50 s left, epoch 2/6 57 %: " */
static void live_head(struct text *out, const struct live_run *r, const struct terminal *t)
{
    const struct train_progress *now = &r->now;
    char left[DURATION_TEXT];
    duration_text(now->seconds_left, left);
    text_addf(out, "[%d/%d] %s left, epoch %d/%d", r->number, r->of, left, now->epoch, now->epochs);
    if (t->columns >= SHARE_COLUMNS)
        text_addf(out, " %.0f %%", 100.0 * (double)now->batch / (double)now->batches);
    text_add(out, ": ");
}

/* The label in so many columns, bold. */
static void live_label(struct text *out, const struct live_run *r, int columns,
                       const struct terminal *t)
{
    struct text label = { 0 };
    text_shown(&label, r->label, strlen(r->label));
    text_add(&label, "");
    if (t->colour) text_add(out, "\033[1m");
    text_cut(out, label.s, columns > LABEL_LEAST ? columns : LABEL_LEAST);
    if (t->colour) text_add(out, "\033[0m");
    text_clear(&label);
}

void live_line(struct text *out, const struct live_run *r, const struct terminal *t)
{
    char figures[FIGURES][FIGURE_TEXT], seed[32];
    struct text line = { 0 };
    live_head(&line, r, t);
    snprintf(seed, sizeof seed, " seed %" PRIu64, r->seed);
    int n = live_figures(r, figures), room = t->columns - 1; /* the last column makes some wrap */
    room -= text_width(line.s) + text_width(seed);
    for (int i = 0; i < n; i++) room -= text_width(figures[i]);
    while (n > 1 && room < (n > 2 ? text_width(r->label) : LABEL_WANTED))
        room += text_width(figures[--n]);
    live_label(&line, r, room, t);
    text_add(&line, seed);
    for (int i = 0; i < n; i++) text_add(&line, figures[i]);
    text_cut(out, line.s, t->columns - 1);
    text_clear(&line);
}

double live_left(const struct live_runs *all)
{
    const struct live_run *last = NULL;
    double most = 0, sum = 0;
    for (int i = 0; i < all->slots; i++) {
        const struct live_run *r = &all->of[i];
        if (!r->number) continue;
        if (!last || r->number > last->number) last = r;
        most = fmax(most, r->now.seconds_left);
        sum += r->now.seconds_left;
    }
    if (!last) return NAN;
    return fmax(most, (sum + last->behind * last->seconds) / all->slots);
}

void live_sum(struct text *out, const struct live_runs *all, const struct terminal *t)
{
    char left[DURATION_TEXT];
    struct text line = { 0 };
    int runs = 0;
    for (int i = 0; i < all->slots; i++)
        if (all->of[i].number) runs = all->of[i].of;
    if (runs <= 1) return;
    duration_text(live_left(all), left);
    text_addf(&line, "about %s left for all %d runs, %d ended", left, runs, all->ended);
    text_cut(out, line.s, t->columns - 1);
    text_clear(&line);
}
