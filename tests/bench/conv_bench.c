/* Speed of the convolution kernels, layer by layer: GFLOP/s and share of the fused multiply-add
 * peak that a register-only loop reaches in the same process. Not a test: nothing is checked.
 *   conv_bench [-t threads] [-r runs] [-n batch] [-p passes: fdw] [-l part of a layer's name]
 *              [-i instruction set] [-b] [-c] [resnet20|resnet50|resnext50|mobilenet]
 * [best|winograd|pairs|direct|reference] Each number is the median of the runs during which the
 * machine gave full speed; -c empties the caches between them; -b stores tensors as bf16 and
 * compares with the peak of bf16 where the instruction set multiplies it. Weights are packed
 * beforehand, as a step does it. */
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/kernels/conv/conv.h"
#include "core/kernels/kernels.h"
#include "tests/conv_layers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct network {
    const char *name;
    int batch;
} networks[] = { [RESNET20] = { "resnet20", 128 },
                 [RESNET50] = { "resnet50", 16 },
                 [RESNEXT50] = { "resnext50", 16 },
                 [MOBILENET] = { "mobilenet", 16 } };

enum {
    PASSES = 3,
    BURST = 60000,   /* steps of the peak loop, about 1 ms */
    COLD = 24 << 20, /* floats read between runs, more than caches hold */
    TRIES = 50,      /* to find the machine calm, 5 ms apart, */
    PATIENCE = 8000, /* and how many in all: about a minute */
    ATTEMPTS = 4,    /* for each run that is asked for */
};

static struct {
    int runs; /* that count; their median is the result */
    bool cold, bf16;
    const char *passes; /* those to time: some of fdw */
    const char *layer;  /* part of a name, or NULL: all */
    int batch;          /* 0: the network's */
    int waits;          /* for a calm machine, so far */
    double top;         /* the best burst, GFLOP/s */
    float *sink, *far;
} bench_with = { .runs = 5, .passes = "fdw" };

static void peak_chunk(void *ctx, size_t chunk)
{
    ((float *)ctx)[chunk * 16] = kernels_peak(bench_with.bf16, BURST);
}

/* GFLOP/s of all threads together. */
static double peak(void)
{
    const size_t threads = (size_t)parallel_threads();
    const double t = clock_seconds();
    parallel_for(threads, peak_chunk, bench_with.sink);
    const double macs = BURST * kernels_peak_macs(bench_with.bf16) * (double)threads;
    const double gflops = 2e-9 * macs / (clock_seconds() - t);
    if (gflops > bench_with.top) bench_with.top = gflops;
    return gflops;
}

/* Whether the machine gives what it can: other programs, or other guests of one host, may take
 * half of it for a while. */
static bool calm(void) { return peak() > 0.93 * bench_with.top; }

static void wait_for_calm(void)
{
    for (int i = 0; i < TRIES && bench_with.waits < PATIENCE && !calm(); i++, bench_with.waits++)
        usleep(5000);
}

static void far_chunk(void *ctx, size_t chunk)
{
    const float *far = ctx;
    float sum = 0;
    for (size_t i = chunk << 20; i < (chunk + 1) << 20; i += 16) sum += far[i];
    bench_with.sink[chunk % 2 * 16] += sum;
}

struct buffers {
    float *x, *y, *w, *packed[PASSES], *work;
};

static float *filled(size_t len)
{
    float *p = mem_map(len * sizeof *p);
    if (!p) exit(1);
    for (size_t i = 0; i < len; i++) p[i] = (float)(i * 2654435761u % 1000) * 1e-3f - 0.5f;
    return p;
}

/* Room for floats, filled with as many bf16 where the tensor is of those. */
static float *tensor(size_t len, bool is_bf16)
{
    float *p = filled(len);
    for (size_t i = 0; is_bf16 && i < len; i++) ((bf16 *)(void *)p)[i] = bf16_of(p[i]);
    return p;
}

static void run(const struct conv_algorithm *k, const struct conv_shape *s, const struct buffers *b,
                int pass)
{
    const struct conv_call c = { .x = b->x,
                                 .w = b->w,
                                 .dy = b->y,
                                 .y = b->y,
                                 .dx = b->x,
                                 .dw = b->w,
                                 .work = b->work,
                                 .packed = b->packed[pass],
                                 .overwrite = true };
    if (pass == CONV_FORWARD) k->forward(s, &c);
    if (pass == CONV_BACKWARD_DATA) k->backward_data(s, &c);
    if (pass == CONV_BACKWARD_WEIGHTS) k->backward_weights(s, &c);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the runs between two bursts at full speed; of all runs where there are too few. */
static double median_seconds(const struct conv_algorithm *k, const struct conv_shape *s,
                             const struct buffers *b, int pass)
{
    double *good = mem_new((size_t)bench_with.runs, sizeof *good), median = 1e9;
    int count = 0;
    run(k, s, b, pass);
    const int most = (bench_with.waits < PATIENCE ? ATTEMPTS : 1) * bench_with.runs;
    for (int i = 0; i < most && count < bench_with.runs; i++) {
        if (bench_with.cold) parallel_for(COLD >> 20, far_chunk, bench_with.far);
        wait_for_calm();
        const double t = clock_seconds();
        run(k, s, b, pass);
        const double took = clock_seconds() - t;
        if (calm()) good[count++] = took;
        if (took < median) median = took;
    }
    qsort(good, (size_t)count, sizeof *good, by_size);
    if (count == bench_with.runs) median = good[count / 2];
    free(good);
    return median;
}

/* Seconds of each pass, and all arithmetic. */
struct total {
    double s[PASSES], gflop;
};

/* One layer with one algorithm; adds times x seconds to total. */
static void bench(const struct conv_layer *l, int n, const struct conv_algorithm *k,
                  struct total *total)
{
    const struct conv_shape s = conv_layer_shape(l, n, l->size, bench_with.bf16);
    const size_t x = (size_t)n * (size_t)(l->size * l->size) * (size_t)l->c;
    const size_t y = (size_t)n * (size_t)(s.oh * s.ow) * (size_t)l->k;
    const size_t w = (size_t)(l->kernel * l->kernel * l->c / l->groups) * (size_t)l->k,
                 work = k->work(&s) + 1;
    struct buffers b = { tensor(x, s.bf16_x), tensor(y, s.bf16_y), filled(w), { 0 }, filled(work) };
    size_t packed[PASSES] = { 0 };
    const int depth = l->kernel * l->kernel * l->c / l->groups;
    const double gflop = 2e-9 * (double)y * depth;

    printf("%-22s %-10s", l->name, k->name);
    for (int pass = 0; pass < PASSES; pass++) {
        packed[pass] = k->packed ? k->packed(&s, (enum conv_pass)pass) : 0;
        if (packed[pass])
            k->pack(&s, &(struct conv_packing){ .pass = (enum conv_pass)pass,
                                                .w = b.w,
                                                .packed = b.packed[pass] = filled(packed[pass]) });
        if ((pass == CONV_BACKWARD_DATA && l->c == 3) || !strchr(bench_with.passes, "fdw"[pass])) {
            printf("       -      ");
            continue;
        }
        const double t = median_seconds(k, &s, &b, pass);
        total->s[pass] += l->times * t;
        total->gflop += l->times * gflop;
        printf(" %6.1f (%3.0f %%)", gflop / t, 100 * gflop / t / bench_with.top);
    }
    printf("   peak %.0f\n", bench_with.top);
    fflush(stdout);
    for (int pass = 0; pass < PASSES; pass++)
        if (packed[pass]) mem_unmap(b.packed[pass], packed[pass] * sizeof(float));
    mem_unmap(b.x, x * sizeof(float)), mem_unmap(b.y, y * sizeof(float));
    mem_unmap(b.w, w * sizeof(float)), mem_unmap(b.work, work * sizeof(float));
}

static bool times_layer(const struct network *net, const struct conv_algorithm *k,
                        const struct conv_layer *l)
{
    const struct conv_shape s = conv_layer_shape(l, 1, l->size, bench_with.bf16);
    if (k->supports && !k->supports(&s)) return false;
    return &networks[l->network] == net && (!bench_with.layer || strstr(l->name, bench_with.layer));
}

/* All layers that an algorithm supports; NULL: each layer with the one that the program takes for
 * it. */
static void bench_algorithm(const struct network *net, int batch,
                            const struct conv_algorithm *algorithm)
{
    struct total total = { .gflop = 0 };
    for (int i = 0; i < CONV_LAYERS; i++) {
        const struct conv_layer *l = &conv_layers[i];
        const struct conv_shape s = conv_layer_shape(l, batch, l->size, bench_with.bf16);
        const struct conv_algorithm *k = algorithm ? algorithm : conv_for(&s);
        if (times_layer(net, k, l)) bench(l, batch, k, &total);
    }
    const double all = total.s[0] + total.s[1] + total.s[2];
    printf("%-22s %-10s %.1f + %.1f + %.1f = %.1f ms a step, %.1f %% of peak\n", "all layers",
           algorithm ? algorithm->name : "best", 1e3 * total.s[0], 1e3 * total.s[1],
           1e3 * total.s[2], 1e3 * all, 100 * total.gflop / all / bench_with.top);
}

static void bench_network(const struct network *net, const char *name)
{
    const int batch = bench_with.batch ? bench_with.batch : net->batch;
    printf("%s, batch %d, %s, %d threads%s%s: GFLOP/s (of peak) forward, backward-data, "
           "backward-weights\n",
           net->name, batch, kernels->isa, parallel_threads(), bench_with.bf16 ? ", bf16" : "",
           bench_with.cold ? ", cold caches" : "");
    if (name && strcmp(name, "best") == 0) bench_algorithm(net, batch, NULL);
    for (int w = 0; conv_algorithm_at(w); w++) {
        if (name && strcmp(name, conv_algorithm_at(w)->name) != 0) continue;
        if (bench_with.bf16 && !conv_algorithm_at(w)->supports_bf16) continue;
        bench_algorithm(net, batch, conv_algorithm_at(w));
    }
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "t:r:l:i:n:p:bc")) != -1) {
        if (option == 't') parallel_use(atoi(optarg));
        if (option == 'r') bench_with.runs = atoi(optarg);
        if (option == 'n') bench_with.batch = atoi(optarg);
        if (option == 'p') bench_with.passes = optarg;
        if (option == 'l') bench_with.layer = optarg;
        if (option == 'b') bench_with.bf16 = true;
        if (option == 'c') bench_with.cold = true;
        if (option == 'i' && !kernels_use(optarg)) fprintf(stderr, "no %s here\n", optarg);
        if (option == '?') return 2;
    }
    const char *net = optind < argc ? argv[optind] : NULL;
    const char *algorithm = net && optind + 1 < argc ? argv[optind + 1] : NULL;
    bench_with.sink = mem_new((size_t)parallel_threads() + 2, 64);
    bench_with.far = filled(COLD);
    for (int i = 0; i < 20; i++) peak();
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (!net || strcmp(net, networks[i].name) == 0) bench_network(&networks[i], algorithm);
    free(bench_with.sink);
    mem_unmap(bench_with.far, COLD * sizeof(float));
    return 0;
}
