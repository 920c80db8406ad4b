#ifndef CLI_BENCH_PRINT_H
#define CLI_BENCH_PRINT_H
#include "experiments/bench/bench.h"

/* A bench on standard output, for a person. */
void bench_print(const struct bench *b);
#endif
