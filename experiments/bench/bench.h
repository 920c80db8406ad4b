#ifndef EXPERIMENTS_BENCH_BENCH_H
#define EXPERIMENTS_BENCH_BENCH_H
#include "experiments/design/design.h"
#include <cjson/cJSON.h>

/* How fast a network trains (or is evaluated) on made-up images. Each path is measured in a process
 * of its own, so that its memory is its own, and the steps of the paths take turns, so that
 * whatever else the machine does falls on both:
 *   fast:      fused calls, the best kernels: how every run trains;
 *   reference: the network call by call, convolutions by im2col and OpenBLAS. */
struct bench_options {
    bool eval;      /* a forward pass with running statistics, instead of a training step */
    bool layers;    /* time each call */
    bool reference; /* measure that path, too */
    int steps;      /* timed steps of each path; 0: as many as fit into a few seconds */
    uint64_t seed;  /* of weights, images and labels */
};

struct bench_layer { /* one call of the step as it runs, or what happens between calls */
    char name[72], op[24];
    int h, w, c;              /* output; 0: not a call */
    double forward, backward; /* seconds, mean of the timed steps */
    double macs[2];           /* multiply-adds forward and backward, of convolutions and linear
                               * layers */
};

struct bench_op { /* the calls of one op together */
    const char *op;
    int calls;
    double forward, backward, macs[2];
};

struct bench_spread {
    double median, min, max;
};

struct bench_path {
    bool ran;
    int steps;                  /* timed */
    struct bench_spread step_s; /* seconds */
    double peak_gflops;         /* of multiply-adds on registers alone, all threads together: the
                                 * median of bursts, one before each step */
    double flops;               /* of a step: two a multiply-add, see graph_macs */
    double flops_done;          /* as the kernels carry them out: graph_macs_executed */
    double loss;                /* of the first step; equal on both paths up to rounding */
    uint64_t planned_bytes;     /* the step's memory, and the optimiser's */
    uint64_t rss_bytes;         /* the most that was resident */
    struct bench_layer *layers; /* in the order of running */
    int n_layers;
};

struct bench {
    const struct design_point *point;
    struct bench_options options;
    struct bench_path fast, reference;
};

/* False with e filled where the network does not fit into memory, or a process ends early. */
bool bench_run(struct bench *b, struct err *e);
void bench_clear(struct bench *b);

double bench_images_per_s(const struct bench *b, const struct bench_path *p);
/* Of the step's arithmetic as it is defined, which may be above 1; and as it is carried out. */
double bench_peak_share(const struct bench_path *p);
double bench_done_share(const struct bench_path *p);
double bench_speedup(const struct bench *b); /* of fast over reference, by the medians */

double bench_layers_seconds(const struct bench_path *p); /* of all its layers together */

/* Sums by op, the longest first; free() them. */
struct bench_op *bench_ops(const struct bench_path *p, int *n);

/* "fp32", ... : what a point's activations are stored in. */
const char *bench_precision(const struct run_spec *s);

/* Everything, as one object; cJSON_Delete it. */
cJSON *bench_json(const struct bench *b);
#endif
