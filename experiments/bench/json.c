/* A bench as JSON. The keys are stable: scripts compare machines and revisions by them. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "experiments/bench/bench.h"
#include "experiments/results/provenance.h"
#include <string.h>

const char *bench_precision(const struct run_spec *s)
{
    void *into;
    const struct field *f = spec_field(s, "train.precision", &into);
    return f ? f->choices[*(const int *)(const void *)((const char *)into + f->at)] : "fp32";
}

static void layer_json(cJSON *list, const struct bench_layer *l)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", l->name);
    cJSON_AddStringToObject(o, "op", l->op);
    if (l->h) {
        const int shape[] = { l->h, l->w, l->c };
        cJSON_AddItemToObject(o, "output", cJSON_CreateIntArray(shape, 3));
    }
    cJSON_AddNumberToObject(o, "forward_s", l->forward);
    cJSON_AddNumberToObject(o, "backward_s", l->backward);
    cJSON_AddNumberToObject(o, "forward_flops", 2 * l->macs[0]);
    cJSON_AddNumberToObject(o, "backward_flops", 2 * l->macs[1]);
    cJSON_AddItemToArray(list, o);
}

static void path_json(cJSON *into, const struct bench *b, const struct bench_path *p)
{
    cJSON_AddNumberToObject(into, "images_per_s", bench_images_per_s(b, p));
    cJSON *s = cJSON_AddObjectToObject(into, "step_s");
    cJSON_AddNumberToObject(s, "median", p->step_s.median);
    cJSON_AddNumberToObject(s, "min", p->step_s.min);
    cJSON_AddNumberToObject(s, "max", p->step_s.max);
    cJSON_AddNumberToObject(into, "steps", p->steps);
    cJSON_AddNumberToObject(into, "peak_share", bench_peak_share(p));
    cJSON_AddNumberToObject(into, "peak_gflops", p->peak_gflops);
    cJSON_AddNumberToObject(into, "step_flops", p->flops);
    cJSON_AddNumberToObject(into, "done_share", bench_done_share(p));
    cJSON_AddNumberToObject(into, "done_flops", p->flops_done);
    cJSON_AddNumberToObject(into, "planned_bytes", (double)p->planned_bytes);
    cJSON_AddNumberToObject(into, "peak_rss_megabytes", (double)p->rss_bytes / 1e6);
    cJSON_AddNumberToObject(into, "first_loss", p->loss);
    if (!b->options.layers) return;
    cJSON *layers = cJSON_AddArrayToObject(into, "layers");
    for (int i = 0; i < p->n_layers; i++) layer_json(layers, &p->layers[i]);
}

cJSON *bench_json(const struct bench *b)
{
    const struct design_point *p = b->point;
    cJSON *o = cJSON_CreateObject();
    struct text settings = { 0 }, backbone = { 0 };
    spec_write(&p->spec, &settings);
    backbone_built(p->spec.backbone, &p->spec.se, &backbone);
    cJSON_AddStringToObject(o, "label", p->label);
    cJSON_AddStringToObject(o, "backbone", backbone.s);
    cJSON_AddStringToObject(o, "what", b->options.eval ? "evaluation" : "training");
    cJSON_AddNumberToObject(o, "batch_size", p->spec.train.batch_size);
    cJSON_AddStringToObject(o, "precision", bench_precision(&p->spec));
    cJSON_AddNumberToObject(o, "threads", parallel_threads());
    cJSON_AddStringToObject(o, "isa", kernels->isa);
    path_json(o, b, &b->fast);
    if (b->reference.ran) {
        cJSON_AddNumberToObject(o, "speedup", bench_speedup(b));
        path_json(cJSON_AddObjectToObject(o, "reference"), b, &b->reference);
    }
    cJSON_AddItemToObject(o, "settings", cJSON_Parse(settings.s));
    machine_describe(o, parallel_threads());
    program_describe(o);
    text_clear(&settings);
    text_clear(&backbone);
    return o;
}
