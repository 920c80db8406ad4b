/* status: what a results folder holds, what runs, what waits. */
#include "cli/command.h"
#include "cli/designs.h"
#include "cli/draw.h"
#include "cli/listing.h"
#include "experiments/run/progress.h"
#include "experiments/run/status.h"
#include <math.h>

static const struct listing_column status_columns[] = {
    { "label", "point", false },   { "seed", "seed", true },
    { "status", "status", false }, { "epochs", "epochs", true },
    { "top1", "error %", true },   { "seconds", "seconds", true },
    { "why", "", false },          { 0 },
};

static void status_row(struct listing *l, const struct results *r, int point, int seed)
{
    const struct record *one = r->points[point].runs[seed];
    bool tested = one && one->status == RECORD_COMPLETED;
    listing_add(l, "%s", r->points[point].label);
    listing_add(l, "%llu", (unsigned long long)r->seeds[seed]);
    listing_add(l, "%s", standing_name(standing_of_run(r, point, seed)));
    one ? listing_add(l, "%d", one->epochs) : listing_add(l, "%s", "");
    tested ? listing_add(l, "%.2f", one->top1) : listing_add(l, "%s", "");
    one ? listing_add(l, "%.0f", one->seconds) : listing_add(l, "%s", "");
    listing_add(l, "%s", one && one->why ? one->why : "");
}

static void status_sum(const struct standing *s)
{
    char left[32];
    struct text t = { 0 };
    text_addf(&t, "%d runs", s->runs);
    for (int i = 0, first = 1; i < STANDING_STATES; i++) {
        if (s->count[i] == 0) continue;
        text_addf(&t, "%s%d %s", first ? ": " : ", ", s->count[i],
                  standing_name((enum standing_state)i));
        first = 0;
    }
    int rest = s->runs - s->count[STANDING_COMPLETED] - s->count[STANDING_DIVERGED];
    duration_text(s->seconds_left, left);
    if (rest) text_addf(&t, "; time left, one run at a time: %s", left);
    prose_print("%s", t.s);
    text_clear(&t);
}

static int status_run(const struct invocation *v)
{
    struct results r;
    struct err e;
    struct listing l = { .columns = status_columns };
    if (!results_read(v->words[0], v->design, &r, &e)) return say_error(EXIT_DATA, "%s", e.text);
    for (int p = 0; p < r.n_points; p++) {
        if (r.points[p].same_as >= 0) continue; /* its runs are listed with the other point */
        for (int s = 0; s < r.n_seeds; s++) status_row(&l, &r, p, s);
    }
    struct standing sum = standing_of(&r);
    if (v->json) {
        listing_print_json(&l, stdout);
    } else {
        listing_print(&l, stdout);
        status_sum(&sum);
        designs_print(&r, stdout);
        strays_print(r.dir, stdout);
    }
    listing_clear(&l);
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
