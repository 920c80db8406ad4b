/* The step that a bench times: what train.c does with a batch, on one made-up batch. */
#include "experiments/bench/step.h"
#include "core/base/clock.h"
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/kernels/conv/conv.h"
#include "core/kernels/kernels.h"
#include "core/train/loop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long enough that waking the threads is lost in it: 2 to 4 ms on today's cores. */
enum { PEAK_STEPS = 1000000 };

struct peak {
    bool bf16;
    float *sink; /* a cache line a thread */
};

static void peak_chunk(void *ctx, size_t chunk)
{
    const struct peak *p = ctx;
    p->sink[chunk * 16] = kernels_peak(p->bf16, PEAK_STEPS);
}

double bench_peak(const struct run_spec *s)
{
    const size_t threads = (size_t)parallel_threads();
    struct peak p = { .bf16 = s->train.precision == PRECISION_BF16 };
    p.sink = mem_new(threads * 16, sizeof *p.sink);
    const double begin = clock_seconds();
    parallel_for(threads, peak_chunk, &p);
    const double seconds = clock_seconds() - begin;
    free(p.sink);
    return 2e-9 * (double)threads * PEAK_STEPS * kernels_peak_macs(p.bf16) / seconds;
}

/* Rows of facts.layers: what happens between calls, then node i of the run order at BETWEEN + i.
 * Those of nodes that are no calls stay empty, and bench_step_facts takes them out. */
enum { BETWEEN_LOAD, BETWEEN_ZERO, BETWEEN_OPTIMIZER, BETWEEN };
static const char *const between_names[BETWEEN] = { "load batch", "zero gradients", "optimizer" };

static struct bench_layer *layer_at(struct bench_step *s, size_t row)
{
    struct bench_path *f = &s->facts;
    const size_t n = (size_t)f->n_layers;
    if (row >= n) {
        f->layers = mem_grow(f->layers, row + 1, sizeof *f->layers);
        memset(f->layers + n, 0, (row + 1 - n) * sizeof *f->layers);
        f->n_layers = (int)row + 1;
    }
    return &f->layers[row];
}

static void layer_name(struct bench_layer *l, const char *name, const char *op)
{
    snprintf(l->name, sizeof l->name, "%s", name);
    snprintf(l->op, sizeof l->op, "%s", op);
}

/* Adds the time since the last mark. */
static void layer_time(struct bench_step *s, struct bench_layer *l, bool backward)
{
    const double now = clock_seconds();
    *(backward ? &l->backward : &l->forward) += now - s->mark;
    s->mark = now;
}

static void layer_between(struct bench_step *s, int row)
{
    if (!s->bench->options.layers) return;
    struct bench_layer *l = layer_at(s, (size_t)row);
    layer_name(l, between_names[row], between_names[row]);
    layer_time(s, l, row != BETWEEN_LOAD);
}

static void layer_ran(void *ctx, const struct node *n, bool backward)
{
    struct bench_step *s = ctx;
    if (!n) {
        layer_between(s, BETWEEN_ZERO);
        return;
    }
    struct bench_layer *l = layer_at(s, BETWEEN + n->index);
    if (!l->h) {
        layer_name(l, n->name, n->op->name);
        l->h = n->out.h, l->w = n->out.w, l->c = n->out.c;
    }
    layer_time(s, l, backward);
    l->macs[backward] += (double)node_macs(n, backward); /* of a slice, in an evaluation */
}

static void batch_make(struct bench_step *s)
{
    const size_t pixels = tensor_len(s->net.images), labels = tensor_len(s->net.labels);
    const uint32_t classes = (uint32_t)s->net.logits->c;
    struct rng r = rng_stream(s->step.seed, RNG_SYNTHETIC, 0, 0);
    s->images = mem_new(pixels, sizeof(float));
    s->labels = mem_new(labels, sizeof(float));
    for (size_t i = 0; i < pixels; i++) s->images[i] = (float)(3.4 * rng_uniform(&r) - 1.7);
    for (size_t i = 0; i < labels; i++) s->labels[i] = (float)rng_below(&r, classes);
}

static void optimizer_make(struct bench_step *s)
{
    const struct run_spec *spec = &s->bench->point->spec;
    size_t weights;
    graph_weights(s->net.graph, &weights);
    size_t len = weights * (size_t)spec->optimizer->state_per_weight;
    s->lr = *(const double *)spec->optimizer_settings *
            spec->schedule->factor(spec->schedule_settings, 0, spec->train.epochs);
    s->state = mem_new(len + 1, sizeof *s->state);
    s->facts.planned_bytes += len * sizeof *s->state;
}

bool bench_step_create(struct bench_step *s, const struct bench *b, bool reference, struct err *e)
{
    const struct run_spec *spec = &b->point->spec;
    const bool training = !b->options.eval;
    struct model_net n;
    *s = (struct bench_step){ .bench = b,
                              .step = { .training = training, .seed = b->options.seed } };
    if (reference) conv_use(conv_reference.name);
    if (!spec_build(spec, spec->train.batch_size, &b->point->shape, &n, e)) return false;
    graph_fuse(n.graph, !reference);
    struct tensor *const keep[] = { n.logits, n.loss, NULL };
    s->facts.planned_bytes = graph_bytes(n.graph, training, keep);
    s->facts.flops = 2.0 * (double)graph_macs(n.graph, training);
    s->facts.flops_done = 2.0 * (double)graph_macs_executed(n.graph, training);
    s->net = (struct train_net){ n.graph, n.images, n.labels, n.logits, n.loss };
    if (!graph_plan(n.graph, training, keep, e)) return false;
    graph_init(n.graph, s->step.seed);
    batch_make(s);
    if (training) optimizer_make(s);
    return true;
}

static void step_backward(struct bench_step *s)
{
    const struct run_spec *spec = &s->bench->point->spec;
    graph_backward(s->net.graph);
    if (spec->train.clip_norm > 0) gradients_clip(s->net.graph, spec->train.clip_norm);
    spec->optimizer->step(spec->optimizer_settings, s->net.graph, s->state, s->lr);
    layer_between(s, BETWEEN_OPTIMIZER);
}

void bench_step_run(struct bench_step *s, bool timed)
{
    struct bench_path *f = &s->facts;
    if (timed && !f->steps++ && s->bench->options.layers) {
        f->n_layers = 0;
        graph_watch(s->net.graph, &(struct graph_watch){ s, layer_ran });
    }
    s->mark = clock_seconds();
    batch_load(&s->net, &(struct batch){ .images = s->images, .labels = s->labels });
    layer_between(s, BETWEEN_LOAD);
    graph_forward(s->net.graph, &s->step);
    if (s->step.index++ == 0) f->loss = (double)s->net.loss->data[0];
    if (s->step.training) step_backward(s);
}

/* The most memory that was resident at once, as the kernel counts it. */
static uint64_t resident_most(void)
{
    unsigned long long kb = 0;
    char line[128];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "VmHWM: %llu kB", &kb) != 1) continue;
    if (f) fclose(f);
    return 1024 * kb;
}

/* Sums to means; empty rows go, and what happens between calls goes to the end. */
static void layers_finish(struct bench_path *f)
{
    struct bench_layer between[BETWEEN], *l = f->layers;
    int n = 0;
    memcpy(between, l, sizeof between);
    for (int i = BETWEEN; i < f->n_layers; i++)
        if (*l[i].op) l[n++] = l[i];
    for (int i = 0; i < BETWEEN; i++)
        if (*between[i].op) l[n++] = between[i];
    f->n_layers = n;
    for (int i = 0; i < n; i++) {
        l[i].forward /= f->steps;
        l[i].backward /= f->steps;
        for (int k = 0; k < 2; k++) l[i].macs[k] /= f->steps;
    }
}

const struct bench_path *bench_step_facts(struct bench_step *s)
{
    if (s->facts.n_layers) layers_finish(&s->facts);
    s->facts.rss_bytes = resident_most();
    return &s->facts;
}
