/* describe: a network's size, counted in every usual way, each way named. */
#include "cli/experiment.h"
#include "cli/layers.h"
#include "cli/point.h"
#include "core/base/parallel.h"
#include <stdio.h>
#include <string.h>

static bool points_print(const struct design *d, const struct invocation *v, struct err *e)
{
    for (int i = 0; i < d->n_points; i++) {
        if (i) puts("");
        point_print(&d->points[i]);
        if (v->layers && !layers_print(&d->points[i], e)) return false;
    }
    return true;
}

/* A backbone is one object; an experiment is a list of them, its points. */
static bool points_json(const struct design *d, const struct invocation *v, bool list,
                        struct err *e)
{
    struct text t = { 0 };
    bool ok = true;
    if (list) text_add(&t, "[");
    for (int i = 0; ok && i < d->n_points; i++) {
        text_add(&t, i ? ",\n{" : "{");
        point_json(&d->points[i], &t);
        if (v->layers) {
            text_add(&t, ",\n \"layers\": ");
            ok = layers_json(&d->points[i], &t, e);
        }
        text_add(&t, "}");
    }
    if (list) text_add(&t, "]");
    if (ok) puts(t.s);
    text_clear(&t);
    return ok;
}

static int describe_run(const struct invocation *v)
{
    struct design d = { 0 };
    struct err e;
    const struct backbone *b = backbone_named(v->words[0]);
    int status = EXIT_USAGE;
    parallel_use(v->threads);
    if (b ? backbone_read(&d, b, v, 0) : experiment_read(&d, v, USE_NETWORKS)) {
        bool ok = v->json ? points_json(&d, v, !b, &e) : points_print(&d, v, &e);
        status = ok ? EXIT_DONE : say_error(EXIT_USAGE, "%s", e.text);
    }
    design_clear(&d);
    return status;
}

const struct command command_describe = {
    .name = "describe",
    .arguments = "CONFIG|BACKBONE [KEY=VALUE ...]",
    .summary = "parameters and multiply-adds of a network, counted in every usual way",
    .help = "`senet-exp describe se-resnet50 model.se.reduction=8`; a backbone alone stands at its "
            "natural\n"
            "input: 32x32x3 and 10 classes, or 224x224x3 and 1000. Of an experiment: every point.\n"
            "The paper's parameter column counts running statistics and biases of the gates, its "
            "GFLOPs\n"
            "are multiply-adds of convolutions, linear layers and shortcut sums.",
    .options = "threads layers json",
    .min_words = 1,
    .max_words = -1,
    .run = describe_run,
};
