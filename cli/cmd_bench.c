/* bench: how fast a network trains on this machine. Needs no data set. */
#include "cli/bench_print.h"
#include "cli/draw.h"
#include "cli/experiment.h"
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "experiments/results/json.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH_SMALL = 128, BATCH_LARGE = 16 }; /* for images of 32 and of 224 pixels a side */

/* The line with a backbone before the settings where it names nothing. room: one word more. */
static struct invocation bench_named(const struct invocation *v, const char **room)
{
    struct invocation named = *v;
    if (v->n_words && !strchr(v->words[0], '=')) return named;
    room[0] = "se-resnet20";
    for (int i = 0; i < v->n_words; i++) room[i + 1] = v->words[i];
    named.words = room;
    named.n_words++;
    return named;
}

static bool bench_read(struct design *d, const struct invocation *v)
{
    const struct backbone *b = backbone_named(v->words[0]);
    if (!b) return experiment_read(d, v, USE_NETWORKS);
    return backbone_read(d, b, v, b->input_size == 32 ? BATCH_SMALL : BATCH_LARGE);
}

static void bench_show(const struct invocation *v, const struct bench *b)
{
    if (v->json) {
        cJSON *o = bench_json(b);
        struct text json = { 0 };
        json_print(&json, o);
        fputs(json.s, stdout);
        text_clear(&json);
        cJSON_Delete(o);
    } else {
        bench_print(b);
    }
}

static int bench_design(const struct invocation *v, const struct design *d)
{
    struct bench b = { .point = &d->points[0],
                       .options = { .eval = v->eval,
                                    .layers = v->layers,
                                    .reference = !v->no_reference,
                                    .steps = v->steps,
                                    .seed = d->seeds[0] } };
    struct err e;
    if (d->n_points > 1)
        prose_print(stderr, "%s: the first of %d points: %s", v->words[0], d->n_points,
                    b.point->label);
    const bool ok = bench_run(&b, &e);
    if (ok) bench_show(v, &b);
    bench_clear(&b);
    return ok ? EXIT_DONE : say_error(EXIT_DATA, "%s", e.text);
}

static int bench_command(const struct invocation *v)
{
    struct design d = { 0 };
    const char **room = mem_new((size_t)v->n_words + 1, sizeof *room);
    const struct invocation named = bench_named(v, room);
    int status = EXIT_USAGE;
    if (isa_choose(v) && bench_read(&d, &named)) {
        parallel_use(v->threads);
        status = bench_design(&named, &d);
    }
    design_clear(&d);
    free(room);
    return status;
}

const struct command command_bench = {
    .name = "bench",
    .arguments = "[CONFIG|BACKBONE] [KEY=VALUE ...]",
    .summary = "how fast a network trains here: step time, share of the peak, memory",
    .help =
        "`senet-exp bench se-resnet50 train.batch_size=32 --layers`; without a name, se-resnet20.\n"
        "A backbone alone stands at its natural input, with batches of 128 images of 32x32 or 16 "
        "of 224x224;\n"
        "of an experiment the first point is measured. Images are made up: no data set is needed.\n"
        "A step is forward, loss, backward and optimizer. The peak is what a loop of "
        "multiply-adds\n"
        "on registers reaches between the steps; the step's arithmetic is that of convolutions "
        "and\n"
        "linear layers as they are defined. 3x3 convolutions are carried out in fewer products\n"
        "(Winograd), so a share of the peak may exceed 100 %. The reference path runs the same\n"
        "network unfused with im2col and OpenBLAS.\n"
        "Measure on an idle machine: other programs count.",
    .options = "threads isa json layers eval steps no-reference",
    .max_words = -1,
    .run = bench_command,
};
