#ifndef EXPERIMENTS_BENCH_PROCESS_H
#define EXPERIMENTS_BENCH_PROCESS_H
#include "experiments/bench/bench.h"
#include <sys/types.h>

/* A forked process that holds one path of a bench and runs a step whenever it is told to. */
struct bench_process {
    pid_t pid;
    int fd; /* a socket */
};

struct bench_sample { /* of one step */
    double seconds;
    double gflops; /* of the burst before it */
};

/* All of these: false with e filled where the process refused or is gone. */
bool bench_process_start(struct bench_process *p, const struct bench *b, bool reference,
                         struct err *e);
bool bench_process_step(const struct bench_process *p, bool timed, struct bench_sample *out,
                        struct err *e);
/* Fills everything of out but what the samples tell. */
bool bench_process_report(const struct bench_process *p, struct bench_path *out, struct err *e);
void bench_process_end(struct bench_process *p);
#endif
