/* plan: what an experiment would run. Trains nothing and needs no data set. */
#include "cli/draw.h"
#include "cli/experiment.h"
#include "cli/listing.h"
#include "core/base/clock.h"
#include "core/base/parallel.h"
#include "experiments/results/records.h"
#include "experiments/run/footprint.h"
#include "experiments/run/status.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct listing_column plan_columns[] = {
    { "label", "point", false },
    { "parameters", "parameters", true },
    { "macs", "multiply-adds", true },
    { "hidden", "hidden widths", false },
    { "memory_megabytes", "memory, MB", true },
    { "done", "done", true },
    { "waiting", "waiting", true },
    { "seconds", "seconds a run", true },
    { "note", "", false },
    { 0 },
};

/* Widths of stages with SE blocks, "4/8/16"; "-" where there is none. */
static const char *hidden_text(const struct model_counts *c, struct pool *p)
{
    const char *all = NULL;
    for (int k = 0; k < SE_STAGES; k++) {
        if (c->hidden[k])
            all = pool_textf(p, "%s%s%d", all ? all : "", all ? "/" : "", c->hidden[k]);
    }
    return all ? all : "-";
}

struct plan { /* what the rows are made from */
    const struct design *design;
    struct records records; /* what the folder holds */
    double pace;            /* standing_pace of it */
    double seconds_left;
    int runs, waiting;
};

/* From runs on the images of the first point: a trial on a part of them takes another time. */
static double plan_pace(const struct plan *plan)
{
    const struct records *all = &plan->records;
    struct record **alike = mem_new((size_t)all->n + 1, sizeof *alike);
    double pace = standing_pace(alike, records_alike(all, &plan->design->points[0], alike));
    free(alike);
    return pace;
}

static void plan_row(struct listing *l, struct plan *plan, const struct design_point *p)
{
    const struct design *d = plan->design;
    int done = records_done(&plan->records, p, d->seeds, d->n_seeds);
    int waiting = p->same_as < 0 && d->n_seeds > done ? d->n_seeds - done : 0;
    uint64_t macs = p->counts.conv_fc + p->counts.se_fc;
    double seconds = standing_seconds(plan->pace, (double)macs, p->spec.train.epochs);
    struct footprint f = footprint_of(p);
    listing_add(l, "%s", p->label);
    listing_add(l, "%zu", p->counts.trainable);
    listing_add(l, "%llu", (unsigned long long)macs);
    listing_add(l, "%s", hidden_text(&p->counts, &l->pool));
    listing_add(l, "%.1f", (double)footprint_total(&f) / 1e6);
    listing_add(l, "%d", done);
    listing_add(l, "%d", waiting);
    isnan(seconds) ? listing_add(l, "unknown") : listing_real(l, seconds, 1);
    listing_add(l, "%s%s", p->same_as < 0 ? "" : "the same network as ",
                p->same_as < 0 ? "" : d->points[p->same_as].label);
    plan->runs += p->same_as < 0 ? d->n_seeds : 0;
    plan->waiting += waiting;
    plan->seconds_left += waiting * seconds;
}

/* Names data that are not there; of each path once. */
static void plan_say_unseen(const struct design *d)
{
    const char *last = "";
    for (int i = 0; i < d->n_points; i++) {
        const struct run_spec *s = &d->points[i].spec;
        const char *path = s->data.path ? s->data.path : s->format->default_path;
        if (d->points[i].train_images || (path && strcmp(path, last) == 0)) continue;
        last = path ? path : "";
        prose_print(stdout,
                    "(%s: not there, so that batches and parts are not compared with its images)",
                    path ? path : "the data set");
    }
}

/* What the column of memory is for. */
static void plan_say_memory(const struct design *d)
{
    const int batch = d->points[0].spec.train.batch_size;
    bool one = true;
    for (int i = 1; i < d->n_points; i++) one = one && d->points[i].spec.train.batch_size == batch;
    char images[32] = "of each point's size";
    if (one) snprintf(images, sizeof images, "of %d images", batch);
    prose_print(stdout,
                "memory: of a run that trains with batches %s and %d thread%s (MB: 10^6 bytes)",
                images, parallel_threads(), text_plural(parallel_threads()));
}

static void plan_print(const struct invocation *v, struct plan *plan, const char *dir)
{
    const struct design *d = plan->design;
    struct listing l = { .columns = plan_columns };
    char left[32];
    for (int i = 0; i < d->n_points; i++) plan_row(&l, plan, &d->points[i]);
    if (v->json) {
        listing_print_json(&l, stdout);
    } else {
        if (d->question) prose_print(stdout, "%s", d->question), puts("");
        listing_print(&l, stdout);
        duration_text(plan->seconds_left, left);
        puts("");
        prose_print(stdout,
                    "%d point%s x %d seed%s: %d run%s, %d of them waiting; time for these: %s",
                    d->n_points, text_plural(d->n_points), d->n_seeds, text_plural(d->n_seeds),
                    plan->runs, text_plural(plan->runs), plan->waiting, left);
        plan_say_memory(d);
        prose_print(stdout, "results: %s", dir);
        if (isnan(plan->pace))
            prose_print(stdout, "(the time of a run is known once one has been recorded there)");
        plan_say_unseen(d);
    }
    listing_clear(&l);
}

static int plan_run(const struct invocation *v)
{
    struct design d = { 0 };
    struct err e;
    int status = EXIT_USAGE;
    parallel_use(v->threads);
    if (experiment_read(&d, v, USE_RUNS)) {
        const char *dir = experiment_dir(v, &d);
        struct plan plan = { .design = &d };
        status = EXIT_DONE;
        if (records_read(dir, &plan.records, &e)) {
            plan.pace = plan_pace(&plan);
            plan_print(v, &plan, dir);
            records_clear(&plan.records);
        } else {
            status = say_error(EXIT_DATA, "%s", e.text);
        }
    }
    design_clear(&d);
    return status;
}

const struct command command_plan = {
    .name = "plan",
    .arguments = "CONFIG [KEY=VALUE ...]",
    .summary = "what would run: variants, parameters, multiply-adds, memory, time; trains nothing",
    .help =
        "Needs no data set; where it is there, batches and parts are compared with its images.\n"
        "Multiply-adds are those of convolutions, linear layers and gates "
        "for one image. Memory is what training takes at its highest, everything counted.\n"
        "The time is an estimate from runs that the results folder already holds.",
    .options = "out threads json",
    .min_words = 1,
    .max_words = -1,
    .run = plan_run,
};
