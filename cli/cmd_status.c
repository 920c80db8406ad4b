/* status: what a results folder holds, what runs, what waits. */
#include "cli/command.h"
#include "cli/designs.h"
#include "cli/draw.h"
#include "cli/listing.h"
#include "core/base/clock.h"
#include "experiments/run/status.h"
#include <math.h>

static const struct listing_column status_columns[] = {
    { "label", "point", false },
    { "seed", "seed", true },
    { "status", "status", false },
    { "epochs", "epochs", true },
    { "top1", "error %", true },
    { "seconds", "seconds", true },
    { "epoch", NULL, true },
    { "epoch_done", NULL, true },
    { "train_loss", NULL, true },
    { "train_error", NULL, true },
    { "validation_error", NULL, true },
    { "images_per_second", NULL, true },
    { "seconds_left", NULL, true },
    { "jobs", NULL, true },
    { "why", NULL, false },
    { "", "", false },
    { 0 },
};

/* "epoch 2 of 5, 57 % of it, loss 1.824, error 45.3 %, 807 images/s, 42 s left" */
static char *running_text(struct pool *pool, const struct glimpse *g)
{
    char left[DURATION_TEXT];
    struct text t = { 0 };
    duration_text(g->seconds_left, left);
    text_addf(&t, "%s left, epoch %d/%d %.0f %%, error %.1f %%", left, g->epoch, g->epochs,
              100 * g->done, g->error);
    if (!isnan(g->validation_error)) text_addf(&t, ", validation %.1f %%", g->validation_error);
    text_addf(&t, ", loss %.3f, %.0f images/s", g->loss, g->images_per_second);
    char *s = pool_text(pool, t.s);
    text_clear(&t);
    return s;
}

/* What a running process tells; for machines, each by itself. */
static void running_cells(struct listing *l, const struct standing_run *now)
{
    const struct glimpse none = { .done = NAN,
                                  .loss = NAN,
                                  .error = NAN,
                                  .validation_error = NAN,
                                  .images_per_second = NAN,
                                  .seconds_left = NAN };
    const struct glimpse *g = now->seen ? &now->now : &none;
    listing_real(l, now->seen ? g->epoch : (double)NAN, 0);
    listing_real(l, g->done, 2);
    listing_real(l, g->loss, 4);
    listing_real(l, g->error, 2);
    listing_real(l, g->validation_error, 2);
    listing_real(l, g->images_per_second, 0);
    listing_real(l, g->seconds_left, 0);
    listing_real(l, now->seen ? g->jobs : (double)NAN, 0);
}

/* Epochs that are done: of a running process those that it says. */
static double epochs_done(const struct standing_run *now, const struct record *one)
{
    if (now->seen) return now->now.epoch - 1;
    return one ? one->epochs : (double)NAN;
}

static void status_row(struct listing *l, const struct results *r, const struct standing *all,
                       int run)
{
    const struct result_point *p = &r->points[run / r->n_seeds];
    const struct record *one = p->runs[run % r->n_seeds];
    const struct standing_run *now = &all->of[run];
    bool over = one && !now->seen; /* what an earlier process recorded of a run that goes on */
    listing_text(l, p->label);
    listing_add(l, "%llu", (unsigned long long)r->seeds[run % r->n_seeds]);
    listing_text(l, standing_name(now->state));
    listing_real(l, epochs_done(now, one), 0);
    listing_real(l, over && one->status == RECORD_COMPLETED ? one->top1 : (double)NAN, 2);
    listing_real(l, over ? one->seconds : (double)NAN, 1);
    running_cells(l, now);
    listing_text(l, over ? one->why : NULL);
    listing_text(l, now->seen ? running_text(&l->pool, &now->now) : over ? one->why : NULL);
}

static void status_sum(const struct standing *s)
{
    char left[DURATION_TEXT];
    struct text t = { 0 };
    text_addf(&t, "%d run%s", s->runs, text_plural(s->runs));
    for (int i = 0, first = 1; i < STANDING_STATES; i++) {
        if (s->count[i] == 0) continue;
        text_addf(&t, "%s%d %s", first ? ": " : ", ", s->count[i],
                  standing_name((enum standing_state)i));
        first = 0;
    }
    int rest = s->runs - s->count[STANDING_COMPLETED] - s->count[STANDING_DIVERGED];
    duration_text(s->seconds_left, left);
    if (rest && isnan(s->seconds_left))
        text_add(&t, "; the time left is known once a run has trained for a while");
    else if (rest && s->at_once == 1)
        text_addf(&t, "; time left, one run at a time: %s", left);
    else if (rest)
        text_addf(&t, "; time left, %d runs at a time: %s", s->at_once, left);
    prose_print(stdout, "%s", t.s);
    text_clear(&t);
}

static void status_print(const struct invocation *v, const struct results *r)
{
    struct standing all;
    struct listing l = { .columns = status_columns, .n_keys = 2 };
    standing_of(&all, r);
    for (int run = 0; run < r->n_points * r->n_seeds; run++)
        if (r->points[run / r->n_seeds].same_as < 0) /* or its runs are listed with the other */
            status_row(&l, r, &all, run);
    if (v->json) {
        listing_print_json(&l, stdout);
    } else {
        listing_print(&l, stdout);
        status_sum(&all);
        designs_print(r, stdout);
        strays_print(r->dir, stdout);
    }
    listing_clear(&l);
    standing_clear(&all);
}

static int status_run(const struct invocation *v)
{
    struct results r;
    struct err e;
    if (!results_read(v->words[0], v->design, &r, &e)) return say_error(EXIT_DATA, "%s", e.text);
    status_print(v, &r);
    results_clear(&r);
    return EXIT_DONE;
}

const struct command command_status = {
    .name = "status",
    .arguments = "DIR",
    .summary = "done, running, failed and waiting runs of a results folder; time left",
    .help =
        "Of the design that was run last; designs that were run in the folder before are listed "
        "below it.",
    .options = "json design",
    .min_words = 1,
    .max_words = 1,
    .run = status_run,
};
