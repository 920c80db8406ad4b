/* Starts the paths, lets their steps take turns, and makes figures of the samples. */
#include "experiments/bench/bench.h"
#include "core/base/clock.h"
#include "core/base/order.h"
#include "core/kernels/vector/gemm.h"
#include "experiments/bench/process.h"
#include "experiments/bench/step.h"
#include "experiments/run/footprint.h"
#include "experiments/run/headroom.h"
#include <stdlib.h>
#include <string.h>

/* Without a number of steps: rounds until this many seconds are gone, within these bounds. */
enum { BENCH_SECONDS = 12, ROUNDS_LEAST = 3, ROUNDS_MOST = 25 };
enum { BENCH_PATHS = 2 };

struct rounds { /* the samples of one path */
    struct bench_process process;
    struct bench_path *path;
    double *seconds, *gflops;
    int n;
};

/* Sorts x. */
static struct bench_spread spread_of(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, order_doubles);
    return (struct bench_spread){ (x[(n - 1) / 2] + x[n / 2]) / 2, x[0], x[n - 1] };
}

static bool rounds_step(struct rounds *r, bool timed, struct err *e)
{
    struct bench_sample s;
    if (!bench_process_step(&r->process, timed, &s, e)) return false;
    if (!timed) return true;
    r->seconds = mem_grow(r->seconds, (size_t)r->n + 1, sizeof *r->seconds);
    r->gflops = mem_grow(r->gflops, (size_t)r->n + 1, sizeof *r->gflops);
    r->seconds[r->n] = s.seconds;
    r->gflops[r->n++] = s.gflops;
    return true;
}

static bool rounds_enough(const struct bench *b, int done, double seconds)
{
    if (b->options.steps) return done >= b->options.steps;
    return done >= ROUNDS_MOST || (done >= ROUNDS_LEAST && seconds > BENCH_SECONDS);
}

/* One step of each path that nobody times, since it touches its memory for the first time; then
 * rounds. */
static bool rounds_all(const struct bench *b, struct rounds *r, int paths, struct err *e)
{
    for (int i = 0; i < paths; i++)
        if (!rounds_step(&r[i], false, e)) return false;
    const double begin = clock_seconds();
    for (int done = 0; !rounds_enough(b, done, clock_seconds() - begin); done++)
        for (int i = 0; i < paths; i++)
            if (!rounds_step(&r[i], true, e)) return false;
    return true;
}

static bool rounds_report(struct rounds *r, struct err *e)
{
    if (!bench_process_report(&r->process, r->path, e)) return false;
    r->path->ran = true;
    r->path->steps = r->n;
    r->path->step_s = spread_of(r->seconds, r->n);
    r->path->peak_gflops = spread_of(r->gflops, r->n).median;
    return true;
}

struct bench_paths { /* what is in memory at once */
    const struct bench *bench;
    int n;
};

/* Bytes of all paths with that batch size; 0: there is no such network. */
static uint64_t bench_bytes(const void *ctx, int batch)
{
    const struct bench_paths *paths = ctx;
    const struct bench *b = paths->bench;
    const struct run_spec *s = &b->point->spec;
    struct err e;
    uint64_t sum = 0;
    for (int i = 0; i < paths->n; i++) {
        struct model_net n;
        if (!spec_build(s, batch, &b->point->shape, &n, &e)) return 0;
        graph_fuse(n.graph, i == 0);
        sum +=
            graph_bytes(n.graph, !b->options.eval, (struct tensor *[]){ n.logits, n.loss, NULL });
        sum += tensor_len(n.images) * sizeof(float); /* the batch beside the network's own */
        if (!b->options.eval) sum += spec_state_bytes(s, b->point->counts.trainable);
        graph_destroy(n.graph);
    }
    return sum;
}

static bool bench_fits(const struct bench *b, int paths, struct err *e)
{
    struct headroom h;
    headroom_read(&h, "");
    const struct bench_paths in_memory = { b, paths };
    const int batch = b->point->spec.train.batch_size;
    const uint64_t need = bench_bytes(&in_memory, batch), room = headroom_one(&h);
    if (need <= room) return true;
    return err_set(e,
                   "%s need%s %.3f GB of memory, and %.3f GB can be had (%s): the largest "
                   "train.batch_size that fits is %d%s",
                   paths > 1 ? "the two paths" : "the step", paths > 1 ? "" : "s",
                   (double)need / 1e9, (double)room / 1e9, headroom_one_by(&h),
                   batch_largest(batch, &(struct batch_need){ bench_bytes, &in_memory }, room),
                   paths > 1 ? "; or give --no-reference" : "");
}

bool bench_run(struct bench *b, struct err *e)
{
    struct rounds r[BENCH_PATHS] = { { .path = &b->fast }, { .path = &b->reference } };
    const int paths = b->options.reference ? 2 : 1;
    bool ok = bench_fits(b, paths, e) && (paths == 1 || gemm_open(e));
    for (int i = 0; ok && i < paths; i++) ok = bench_process_start(&r[i].process, b, i == 1, e);
    ok = ok && rounds_all(b, r, paths, e);
    for (int i = 0; ok && i < paths; i++) ok = rounds_report(&r[i], e);
    for (int i = 0; i < paths; i++) {
        bench_process_end(&r[i].process);
        free(r[i].seconds);
        free(r[i].gflops);
    }
    return ok;
}

void bench_clear(struct bench *b)
{
    free(b->fast.layers);
    free(b->reference.layers);
    b->fast.layers = b->reference.layers = NULL;
}

double bench_images_per_s(const struct bench *b, const struct bench_path *p)
{
    return b->point->spec.train.batch_size / p->step_s.median;
}

double bench_peak_share(const struct bench_path *p)
{
    return p->flops / p->step_s.median * 1e-9 / p->peak_gflops;
}

double bench_done_share(const struct bench_path *p)
{
    return p->flops_done / p->step_s.median * 1e-9 / p->peak_gflops;
}

double bench_speedup(const struct bench *b)
{
    return b->reference.step_s.median / b->fast.step_s.median;
}

double bench_layers_seconds(const struct bench_path *p)
{
    double sum = 0;
    for (int i = 0; i < p->n_layers; i++) sum += p->layers[i].forward + p->layers[i].backward;
    return sum;
}

static int op_longer(const void *a, const void *b)
{
    const struct bench_op *x = a, *y = b;
    const double s = x->forward + x->backward, t = y->forward + y->backward;
    return (s < t) - (s > t);
}

struct bench_op *bench_ops(const struct bench_path *p, int *n)
{
    struct bench_op *ops = mem_new((size_t)p->n_layers + 1, sizeof *ops);
    *n = 0;
    for (int i = 0; i < p->n_layers; i++) {
        const struct bench_layer *l = &p->layers[i];
        int at = 0;
        while (at < *n && strcmp(ops[at].op, l->op) != 0) at++;
        if (at == *n) ops[(*n)++].op = l->op;
        ops[at].calls++;
        ops[at].forward += l->forward;
        ops[at].backward += l->backward;
        for (int k = 0; k < 2; k++) ops[at].macs[k] += l->macs[k];
    }
    qsort(ops, (size_t)*n, sizeof *ops, op_longer);
    return ops;
}
