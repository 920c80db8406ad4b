/* Speed of the convolution kernels, layer by layer: GFLOP/s and share of the fused multiply-add
 * peak that a register-only loop reaches in the same process. Not a test: nothing is checked.
 *   conv_bench [resnet20|resnet50|resnext50|mobilenet] [direct|reference ...]
 * Each number is the best of several runs; weights are packed beforehand, as a step does it. */
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/kernels/conv.h"
#include "core/kernels/direct.h"
#include "core/kernels/kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct layer {
    const char *name;
    int times; /* in the network */
    int size, c, k, kernel, stride, groups;
};

static const struct layer resnet20[] = {
    { "stem 3x3 3-16 @32", 1, 32, 3, 16, 3, 1, 1 },
    { "3x3 16-16 @32", 6, 32, 16, 16, 3, 1, 1 },
    { "3x3 s2 16-32 @32", 1, 32, 16, 32, 3, 2, 1 },
    { "3x3 32-32 @16", 5, 16, 32, 32, 3, 1, 1 },
    { "1x1 s2 16-32 @32", 1, 32, 16, 32, 1, 2, 1 },
    { "3x3 s2 32-64 @16", 1, 16, 32, 64, 3, 2, 1 },
    { "3x3 64-64 @8", 5, 8, 64, 64, 3, 1, 1 },
    { "1x1 s2 32-64 @16", 1, 16, 32, 64, 1, 2, 1 },
    { 0 },
};
static const struct layer resnet50[] = {
    { "stem 7x7 s2 3-64 @224", 1, 224, 3, 64, 7, 2, 1 },
    { "1x1 64-64 @56", 1, 56, 64, 64, 1, 1, 1 },
    { "3x3 64-64 @56", 3, 56, 64, 64, 3, 1, 1 },
    { "1x1 64-256 @56", 4, 56, 64, 256, 1, 1, 1 },
    { "1x1 256-64 @56", 2, 56, 256, 64, 1, 1, 1 },
    { "1x1 256-128 @56", 1, 56, 256, 128, 1, 1, 1 },
    { "3x3 s2 128-128 @56", 1, 56, 128, 128, 3, 2, 1 },
    { "3x3 128-128 @28", 3, 28, 128, 128, 3, 1, 1 },
    { "1x1 128-512 @28", 4, 28, 128, 512, 1, 1, 1 },
    { "1x1 s2 256-512 @56", 1, 56, 256, 512, 1, 2, 1 },
    { "1x1 512-128 @28", 3, 28, 512, 128, 1, 1, 1 },
    { "1x1 512-256 @28", 1, 28, 512, 256, 1, 1, 1 },
    { "3x3 s2 256-256 @28", 1, 28, 256, 256, 3, 2, 1 },
    { "3x3 256-256 @14", 5, 14, 256, 256, 3, 1, 1 },
    { "1x1 256-1024 @14", 6, 14, 256, 1024, 1, 1, 1 },
    { "1x1 s2 512-1024 @28", 1, 28, 512, 1024, 1, 2, 1 },
    { "1x1 1024-256 @14", 5, 14, 1024, 256, 1, 1, 1 },
    { "1x1 1024-512 @14", 1, 14, 1024, 512, 1, 1, 1 },
    { "3x3 s2 512-512 @14", 1, 14, 512, 512, 3, 2, 1 },
    { "3x3 512-512 @7", 2, 7, 512, 512, 3, 1, 1 },
    { "1x1 512-2048 @7", 3, 7, 512, 2048, 1, 1, 1 },
    { "1x1 s2 1024-2048 @14", 1, 14, 1024, 2048, 1, 2, 1 },
    { "1x1 2048-512 @7", 2, 7, 2048, 512, 1, 1, 1 },
    { 0 },
};
static const struct layer resnext50[] = {
    { "g32 3x3 128 @56", 3, 56, 128, 128, 3, 1, 32 },
    { "g32 3x3 s2 256 @56", 1, 56, 256, 256, 3, 2, 32 },
    { "g32 3x3 256 @28", 3, 28, 256, 256, 3, 1, 32 },
    { "g32 3x3 s2 512 @28", 1, 28, 512, 512, 3, 2, 32 },
    { "g32 3x3 512 @14", 5, 14, 512, 512, 3, 1, 32 },
    { "g32 3x3 s2 1024 @14", 1, 14, 1024, 1024, 3, 2, 32 },
    { "g32 3x3 1024 @7", 2, 7, 1024, 1024, 3, 1, 32 },
    { 0 },
};
static const struct layer mobilenet[] = {
    { "dw 3x3 32 @112", 1, 112, 32, 32, 3, 1, 32 },
    { "dw 3x3 s2 64 @112", 1, 112, 64, 64, 3, 2, 64 },
    { "dw 3x3 128 @56", 1, 56, 128, 128, 3, 1, 128 },
    { "dw 3x3 s2 128 @56", 1, 56, 128, 128, 3, 2, 128 },
    { "dw 3x3 256 @28", 1, 28, 256, 256, 3, 1, 256 },
    { "dw 3x3 s2 256 @28", 1, 28, 256, 256, 3, 2, 256 },
    { "dw 3x3 512 @14", 5, 14, 512, 512, 3, 1, 512 },
    { "dw 3x3 s2 512 @14", 1, 14, 512, 512, 3, 2, 512 },
    { "dw 3x3 1024 @7", 1, 7, 1024, 1024, 3, 1, 1024 },
    { 0 },
};
static const struct network {
    const char *name;
    const struct layer *layers;
    int batch;
} networks[] = { { "resnet20", resnet20, 128 },
                 { "resnet50", resnet50, 16 },
                 { "resnext50", resnext50, 16 },
                 { "mobilenet", mobilenet, 16 } };

enum { PASSES = 3, RUNS = 5 };

/* Seconds; of this process alone where it has one thread, which other programs disturb less. */
static double now(void)
{
    struct timespec t;
    clock_gettime(parallel_threads() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void peak_chunk(void *ctx, size_t chunk)
{
    ((float *)ctx)[chunk * 16] = direct_isa()->peak(200000);
}

/* GFLOP/s of all threads together, the best of a few bursts of about 2 ms. */
static double peak(void)
{
    const size_t threads = (size_t)parallel_threads();
    float *sink = mem_new(threads * 16, sizeof *sink);
    double best = 0;
    for (int i = 0; i < 5; i++) {
        const double t = now();
        parallel_for(threads, peak_chunk, sink);
        const double flops = 2.0 * 200000 * DIRECT_PEAK * direct_isa()->lanes * (double)threads;
        if (flops / (now() - t) > best) best = flops / (now() - t);
    }
    free(sink);
    return best * 1e-9;
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

static void run(const struct conv_kernels *k, const struct conv_shape *s, const struct buffers *b,
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

static double best_seconds(const struct conv_kernels *k, const struct conv_shape *s,
                           const struct buffers *b, int pass)
{
    double best = 1e9;
    run(k, s, b, pass);
    for (int i = 0; i < RUNS; i++) {
        const double t = now();
        run(k, s, b, pass);
        if (now() - t < best) best = now() - t;
    }
    return best;
}

/* One layer with one way; adds times x seconds to total. */
static void bench(const struct layer *l, int n, const struct conv_kernels *k, double total[PASSES])
{
    const int pad = l->kernel / 2, out = (l->size + 2 * pad - l->kernel) / l->stride + 1;
    const struct conv_shape s = { n,         l->size,   l->size, l->c,      l->k, l->kernel,
                                  l->kernel, l->stride, pad,     l->groups, out,  out };
    const size_t x = (size_t)n * (size_t)(l->size * l->size) * (size_t)l->c;
    const size_t y = (size_t)n * (size_t)(out * out) * (size_t)l->k;
    const size_t w = (size_t)(l->kernel * l->kernel * l->c / l->groups) * (size_t)l->k,
                 work = k->work(&s) + 1;
    struct buffers b = { filled(x), filled(y), filled(w), { 0 }, filled(work) };
    size_t packed[PASSES] = { 0 };
    const double gflop = 2e-9 * (double)y * (double)(l->kernel * l->kernel * l->c / l->groups),
                 top = peak();

    printf("%-22s %-10s", l->name, k->name);
    for (int pass = 0; pass < PASSES; pass++) {
        packed[pass] = k->packed ? k->packed(&s, (enum conv_pass)pass) : 0;
        if (packed[pass])
            k->pack(&s, (enum conv_pass)pass, b.packed[pass] = filled(packed[pass]), b.w);
        if (pass == CONV_BACKWARD_DATA && l->c == 3) {
            printf("       -      ");
            continue;
        }
        const double t = best_seconds(k, &s, &b, pass);
        total[pass] += l->times * t;
        printf(" %6.1f (%3.0f %%)", gflop / t, 100 * gflop / t / top);
    }
    printf("   peak %.0f\n", top);
    fflush(stdout);
    for (int pass = 0; pass < PASSES; pass++)
        if (packed[pass]) mem_unmap(b.packed[pass], packed[pass] * sizeof(float));
    mem_unmap(b.x, x * sizeof(float)), mem_unmap(b.y, y * sizeof(float));
    mem_unmap(b.w, w * sizeof(float)), mem_unmap(b.work, work * sizeof(float));
}

int main(int argc, char **argv)
{
    const struct conv_kernels *const ways[] = { &conv_direct, &conv_reference };
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const struct network *net = &networks[i];
        if (argc > 1 && strcmp(argv[1], net->name) != 0) continue;
        printf("%s, batch %d, %s, %d threads: GFLOP/s (of peak) forward, backward-data, "
               "backward-weights\n",
               net->name, net->batch, kernels->isa, parallel_threads());
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            if (argc > 2 && strcmp(argv[2], ways[w]->name) != 0) continue;
            double total[PASSES] = { 0 };
            for (const struct layer *l = net->layers; l->name; l++)
                bench(l, net->batch, ways[w], total);
            printf("%-22s %-10s %.1f + %.1f + %.1f = %.1f ms a step\n", "all layers", ways[w]->name,
                   1e3 * total[0], 1e3 * total[1], 1e3 * total[2],
                   1e3 * (total[0] + total[1] + total[2]));
        }
    }
    return 0;
}
