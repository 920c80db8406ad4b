#ifndef CORE_KERNELS_MATMUL_CUT_H
#define CORE_KERNELS_MATMUL_CUT_H
#include "core/kernels/tiles/tiles.h"

enum {
    MATMUL_MACS = 1 << 18, /* multiply-adds of a task, at least: some 10 microseconds */
    MATMUL_TASKS = 32,     /* of a product, unless they are cut further for the cache's sake */
};

/* How many tasks a product of so many multiply-adds is cut into. */
static inline int matmul_tasks(ptrdiff_t macs)
{
    const ptrdiff_t tasks = macs / MATMUL_MACS;
    return tasks < MATMUL_TASKS ? direct_max(1, (int)tasks) : MATMUL_TASKS;
}
#endif
