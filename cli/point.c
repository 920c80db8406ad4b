/* One point's counts, as text and as JSON. */
#include "cli/point.h"
#include "core/base/escape.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "experiments/run/footprint.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A count: what it is called in JSON, and in words. */
struct count_row {
    const char *key, *words;
    unsigned long long value;
};
enum { COUNTS_TOTAL = 9, MEMORY_TOTAL = 6 };

static void counts_of(const struct model_counts *c, struct count_row rows[COUNTS_TOTAL])
{
    const struct count_row all[COUNTS_TOTAL] = {
        { "parameters", "parameters, trainable", c->trainable },
        { "parameters_with_statistics", "  with batch norm's running statistics",
          c->with_statistics },
        { "se_parameters", "  of SE blocks, with biases", c->se },
        { "se_weights", "  of SE blocks, without biases", c->se_weights },
        { "macs_conv_fc", "multiply-adds of an image: convolutions and linear layers", c->conv_fc },
        { "macs_se_fc", "  the gates' layers", c->se_fc },
        { "macs_adds", "  shortcut sums, one an element", c->adds },
        { "macs_scaling", "  scaling by gates, one an element", c->scaling },
        { "macs_pooling", "  squeezes and global pools, one an element read", c->pooling },
    };
    memcpy(rows, all, sizeof all);
}

static void memory_of(const struct design_point *p, struct count_row rows[MEMORY_TOTAL])
{
    struct footprint f = footprint_of(p);
    const struct count_row all[MEMORY_TOTAL] = {
        { "memory_bytes", "  in all, at most", footprint_total(&f) },
        { "step_bytes", "  a step: weights, gradients, optimizer, activations", f.step },
        { "batch_bytes", "  batches made ready", f.batches },
        { "image_bytes", "  images of the data set that are kept", f.images },
        { "thread_bytes", "  what threads work in", f.threads },
        { "program_bytes", "  the program itself", f.program },
    };
    memcpy(rows, all, sizeof all);
}

void point_json(const struct design_point *p, struct text *t)
{
    struct count_row rows[COUNTS_TOTAL], memory[MEMORY_TOTAL];
    counts_of(&p->counts, rows);
    text_add(t, "\"label\": ");
    text_json(t, p->label);
    text_add(t, ", \"backbone\": ");
    struct text name = { 0 };
    backbone_built(p->spec.backbone, &p->spec.se, &name);
    text_json(t, name.s);
    text_clear(&name);
    text_addf(t, ",\n \"input\": {\"size\": %d, \"channels\": %d, \"classes\": %d}", p->shape.size,
              p->shape.channels, p->shape.classes);
    for (int i = 0; i < COUNTS_TOTAL; i++)
        text_addf(t, ",\n \"%s\": %llu", rows[i].key, rows[i].value);
    text_add(t, ",\n \"hidden\": {");
    for (int k = 0, first = 1; k < SE_STAGES; k++) {
        if (!p->counts.hidden[k]) continue;
        text_addf(t, "%s\"%d\": %d", first ? "" : ", ", k, p->counts.hidden[k]);
        first = 0;
    }
    text_addf(t, "},\n \"batch_size\": %d, \"threads\": %d", p->spec.train.batch_size,
              parallel_threads());
    memory_of(p, memory);
    for (int i = 0; i < MEMORY_TOTAL; i++)
        text_addf(t, ",\n \"%s\": %llu", memory[i].key, memory[i].value);
    text_addf(t, ",\n \"structure\": \"%016llx\"", (unsigned long long)p->structure);
}

static void count_print(const struct count_row *row)
{
    struct text value = { NULL, 0, 0 };
    text_thousands(&value, row->value);
    printf("  %-58s %16s\n", row->words, value.s);
    text_clear(&value);
}

void point_title(const struct design_point *p, struct text *t)
{
    if (strcmp(p->label, p->spec.backbone->name) != 0) text_addf(t, "%s: ", p->label);
    backbone_title(p->spec.backbone, &p->spec.se, t);
}

void point_print(const struct design_point *p)
{
    struct count_row rows[COUNTS_TOTAL], memory[MEMORY_TOTAL];
    counts_of(&p->counts, rows);
    struct text title = { 0 };
    point_title(p, &title);
    printf("%s, input %d x %d x %d, %d classes\n", text_escape(&title), p->shape.size,
           p->shape.size, p->shape.channels, p->shape.classes);
    text_clear(&title);
    for (int i = 0; i < COUNTS_TOTAL; i++) count_print(&rows[i]);
    for (int k = 0; k < SE_STAGES; k++) {
        if (p->counts.hidden[k])
            printf("  hidden width of the gates, stage %d%25s %16d\n", k, "", p->counts.hidden[k]);
    }
    memory_of(p, memory);
    printf("  memory to train, MB (10^6 bytes): batches of %d images, threads: %d\n",
           p->spec.train.batch_size, parallel_threads());
    for (int i = 0; i < MEMORY_TOTAL; i++)
        printf("  %-58s %16.1f\n", memory[i].words, (double)memory[i].value / 1e6);
}
