#ifndef EXPERIMENTS_BENCH_STEP_H
#define EXPERIMENTS_BENCH_STEP_H
#include "core/train/train.h"
#include "experiments/bench/bench.h"

/* One path of a bench in this process: its network, planned, with an input and an optimiser. */
struct bench_step {
    const struct bench *bench;
    struct train_net net;
    struct step step;
    float *images, *labels;  /* the batch, as a loader would hand it over */
    float *state;            /* the optimiser's, or NULL */
    double lr, mark;         /* mark: when the last call ended */
    struct bench_path facts; /* sums over the timed steps in layers */
};

bool bench_step_create(struct bench_step *s, const struct bench *b, bool reference, struct err *e);
void bench_step_run(struct bench_step *s, bool timed);
/* Completes facts: means over the timed steps, memory. */
const struct bench_path *bench_step_facts(struct bench_step *s);

/* GFLOP/s of all threads together in a burst of a few milliseconds that touches registers only. */
double bench_peak(const struct run_spec *s);
#endif
