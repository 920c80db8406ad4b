#include "cli/experiment.h"
#include "cli/epilogue.h"
#include "cli/presets.h"
#include "cli/report.h"
#include "core/base/clock.h"
#include "core/kernels/kernels.h"
#include "experiments/run/runner.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static bool design_ask(struct design *d, const struct design_request *r)
{
    struct diags problems = { 0 };
    bool ok = design_read(d, r, &problems);
    diags_print(&problems, stderr);
    diags_clear(&problems);
    return ok;
}

/* Nothing has this name: says what may be meant, and where the names are. */
static void missing_say(const struct invocation *v, bool networks, struct pool *p)
{
    const char *name = v->words[0];
    const char *kinds =
        networks ? "backbone, experiment file or preset" : "experiment file or preset";
    const char *near = networks ? backbone_nearest(name) : NULL;
    if (!near) near = preset_nearest(name, p);
    if (!networks && backbone_named(name))
        say_error(EXIT_USAGE,
                  "%s is a backbone; %s is for experiment files, in which it stands as `model: %s`",
                  name, v->command, name);
    else
        say_error(EXIT_USAGE, "%s: no such %s%s%s%s; `senet-exp list %s` prints all", name, kinds,
                  near ? " (did you mean " : "", near ? near : "", near ? "?)" : "",
                  networks ? "backbones" : "presets");
}

bool experiment_read(struct design *d, const struct invocation *v, enum experiment_use use)
{
    struct pool p = { 0 };
    const char *name = v->words[0], *preset = NULL;
    struct stat st = { 0 };
    bool there = stat(name, &st) == 0 || errno != ENOENT;
    if (!there || S_ISDIR(st.st_mode)) preset = preset_path(name, &p);
    bool ok = there || preset;
    if (!ok) missing_say(v, use == USE_NETWORKS, &p);
    ok = ok && design_ask(d, &(struct design_request){ .path = preset ? preset : name,
                                                       .assignments = v->words + 1,
                                                       .n_assignments = v->n_words - 1,
                                                       .sweep = use == USE_SWEEP });
    pool_clear(&p);
    return ok;
}

bool backbone_read(struct design *d, const struct backbone *b, const struct invocation *v,
                   int batch)
{
    struct text file = { 0 };
    text_addf(&file, "model.backbone: %s\n", b->name);
    text_addf(&file,
              "dataset: {name: synthetic, size: %d, channels: 3, classes: %d, train: 1, test: 1}\n",
              b->input_size, b->input_size == 32 ? 10 : 1000);
    if (batch) text_addf(&file, "train.batch_size: %d\n", batch);
    const struct design_request r = { .path = b->name,
                                      .text = file.s,
                                      .assignments = v->words + 1,
                                      .n_assignments = v->n_words - 1,
                                      .network = true };
    bool ok = design_ask(d, &r);
    text_clear(&file);
    return ok;
}

const char *experiment_dir(const struct invocation *v, struct design *d)
{
    return v->out ? v->out : pool_textf(&d->pool, "results/%s", d->experiment);
}

bool isa_choose(const struct invocation *v)
{
    if (!v->isa || kernels_use(v->isa)) return true;
    struct text names = { 0 };
    for (int i = 0; kernels_at(i); i++)
        text_addf(&names, "%s%s", i ? ", " : "", kernels_at(i)->isa);
    say_error(EXIT_USAGE, "--isa: \"%s\" is none of what runs here: %s", v->isa, names.s);
    text_clear(&names);
    return false;
}

/* Prints and writes the table of the design that was run, and of no other. */
static bool design_report(const struct invocation *v, struct epilogue *of, struct err *e)
{
    if (!report_save(of->dir, of->design, v->json ? "json" : NULL, &of->main, e)) return false;
    if (!v->quiet) epilogue_print(v, of);
    return true;
}

static int design_run(const struct invocation *v, struct design *d)
{
    struct err e = { .text = "" };
    const char *dir = experiment_dir(v, d);
    char entered[DIGEST_TEXT];
    double began = clock_seconds();
    struct run_options o = { .dir = dir,
                             .threads = v->threads,
                             .jobs = v->jobs,
                             .quiet = v->quiet,
                             .as_written = v->n_words == 1 };
    enum runner_status status = runner_run(d, &o, entered, &e);
    if (status == RUNNER_INTERRUPTED) {
        return say_error(EXIT_INTERRUPTED, "interrupted; the same command continues each run "
                                           "after the last epoch that it completed");
    }
    struct epilogue of = { .dir = dir, .design = entered, .seconds = clock_seconds() - began };
    if (status == RUNNER_NO_DATA || !design_report(v, &of, &e))
        return say_error(EXIT_DATA, "%s", e.text);
    return status == RUNNER_DONE ? EXIT_DONE : EXIT_SOME_FAILED;
}

int experiment_run(const struct invocation *v, enum experiment_use use)
{
    struct design d = { 0 };
    int status = EXIT_USAGE;
    if (isa_choose(v) && experiment_read(&d, v, use)) status = design_run(v, &d);
    design_clear(&d);
    return status;
}
