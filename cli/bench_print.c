/* A bench as tables: the step, its ops, its calls. */
#include "cli/bench_print.h"
#include "cli/listing.h"
#include "cli/point.h"
#include "core/base/escape.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include <stdlib.h>

static const struct listing_column step_columns[] = {
    { "what", "", false },
    { "fast", "fast path", true },
    { "reference", "reference", true },
    { 0 },
};
static const struct listing_column op_columns[] = {
    { "op", "op", false },
    { "calls", "calls", true },
    { "forward", "forward, ms", true },
    { "backward", "backward, ms", true },
    { "share", "% of step", true },
    { "peak", "% of peak", true },
    { 0 },
};
static const struct listing_column layer_columns[] = {
    { "name", "call", false },
    { "op", "op", false },
    { "output", "output", false },
    { "forward", "forward, ms", true },
    { "peak_forward", "% of peak", true },
    { "backward", "backward, ms", true },
    { "peak_backward", "% of peak", true },
    { 0 },
};

/* A figure of each path, in the first table. */
static void step_row(struct listing *l, const struct bench *b, const char *what, int digits,
                     double (*figure)(const struct bench *b, const struct bench_path *p))
{
    listing_add(l, "%s", what);
    listing_add(l, "%.*f", digits, figure(b, &b->fast));
    if (b->reference.ran)
        listing_add(l, "%.*f", digits, figure(b, &b->reference));
    else
        listing_add(l, "-");
}

#define FIGURE(name, value)                                                        \
    static double figure_##name(const struct bench *b, const struct bench_path *p) \
    {                                                                              \
        (void)b;                                                                   \
        return value;                                                              \
    }
FIGURE(median, 1e3 * p->step_s.median)
FIGURE(min, 1e3 * p->step_s.min)
FIGURE(max, 1e3 * p->step_s.max)
FIGURE(steps, p->steps)
FIGURE(images, bench_images_per_s(b, p))
FIGURE(share, 100 * bench_peak_share(p))
FIGURE(done, 100 * bench_done_share(p))
FIGURE(peak, p->peak_gflops)
FIGURE(planned, (double)p->planned_bytes / 1e6)
FIGURE(resident, (double)p->rss_bytes / 1e6)
FIGURE(loss, p->loss)

static void step_print(const struct bench *b)
{
    struct listing l = { .columns = step_columns };
    step_row(&l, b, "step, ms: median", 1, figure_median);
    step_row(&l, b, "  min", 1, figure_min);
    step_row(&l, b, "  max", 1, figure_max);
    step_row(&l, b, "  timed steps", 0, figure_steps);
    step_row(&l, b, "images a second", 1, figure_images);
    step_row(&l, b, "% of the multiply-add peak", 1, figure_share);
    step_row(&l, b, "  of products carried out", 1, figure_done);
    step_row(&l, b, "  that peak, GFLOP/s", 0, figure_peak);
    step_row(&l, b, "memory planned, MB", 1, figure_planned);
    step_row(&l, b, "most memory resident, MB", 1, figure_resident);
    step_row(&l, b, "loss of the first step", 5, figure_loss);
    listing_print(&l, stdout);
    listing_clear(&l);
}

/* Share of the peak in percent; "" where nothing is multiplied. */
static void peak_cell(struct listing *l, const struct bench_path *p, double macs, double seconds)
{
    if (macs > 0 && seconds > 0)
        listing_add(l, "%.0f", 100 * 2e-9 * macs / seconds / p->peak_gflops);
    else
        listing_add(l, "%s", "");
}

static void ops_print(const struct bench_path *p)
{
    struct listing l = { .columns = op_columns };
    int n;
    struct bench_op *ops = bench_ops(p, &n);
    for (int i = 0; i < n; i++) {
        const struct bench_op *o = &ops[i];
        const double seconds = o->forward + o->backward;
        listing_add(&l, "%s", o->op);
        listing_add(&l, "%d", o->calls);
        listing_add(&l, "%.2f", 1e3 * o->forward);
        listing_add(&l, "%.2f", 1e3 * o->backward);
        listing_add(&l, "%.1f", 100 * seconds / bench_layers_seconds(p));
        peak_cell(&l, p, o->macs[0] + o->macs[1], seconds);
    }
    listing_print(&l, stdout);
    listing_clear(&l);
    free(ops);
}

static void layers_print_times(const struct bench_path *p)
{
    struct listing l = { .columns = layer_columns };
    for (int i = 0; i < p->n_layers; i++) {
        const struct bench_layer *x = &p->layers[i];
        listing_add(&l, "%s", x->name);
        listing_add(&l, "%s", x->op);
        if (x->h)
            listing_add(&l, "%dx%dx%d", x->h, x->w, x->c);
        else
            listing_add(&l, "%s", "");
        listing_add(&l, "%.3f", 1e3 * x->forward);
        peak_cell(&l, p, x->macs[0], x->forward);
        listing_add(&l, "%.3f", 1e3 * x->backward);
        peak_cell(&l, p, x->macs[1], x->backward);
    }
    listing_print(&l, stdout);
    listing_clear(&l);
}

static void path_layers(const char *title, const struct bench_path *p)
{
    if (!p->n_layers) return;
    printf("\n%s, by op (mean of %d steps)\n", title, p->steps);
    ops_print(p);
    printf("\n%s, call by call\n", title);
    layers_print_times(p);
}

void bench_print(const struct bench *b)
{
    const struct design_point *p = b->point;
    struct text title = { 0 };
    point_title(p, &title);
    printf("%s, %d x %d x %d, batch %d, %s: %s on %d thread%s, %s\n\n", text_escape(&title),
           p->shape.size, p->shape.size, p->shape.channels, p->spec.train.batch_size,
           bench_precision(&p->spec), b->options.eval ? "an evaluation pass" : "a training step",
           parallel_threads(), text_plural(parallel_threads()), kernels->isa);
    text_clear(&title);
    step_print(b);
    if (b->reference.ran) printf("\n%.2f times as fast as the reference path\n", bench_speedup(b));
    path_layers("fast path", &b->fast);
    path_layers("reference", &b->reference);
}
