/* Threads through OpenMP. Chunks are handed out dynamically, which is free: no result depends on
 * who computes a chunk. */
#include "core/base/parallel.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static int parallel_allowed(void)
{
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 0)
        return CPU_COUNT(&cpus);
    return omp_get_num_procs();
}

void parallel_use(int threads) { omp_set_num_threads(threads > 0 ? threads : parallel_allowed()); }

int parallel_threads(void) { return omp_get_max_threads(); }

void parallel_pause(void)
{
    BUG_IF(omp_pause_resource_all(omp_pause_hard) != 0, "threads that cannot be ended");
}

void parallel_for(size_t chunks, void (*f)(void *ctx, size_t chunk), void *ctx)
{
    if (chunks <= 1 || omp_in_parallel() || omp_get_max_threads() == 1) {
        for (size_t i = 0; i < chunks; i++) f(ctx, i);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < chunks; i++) f(ctx, i);
}

/* Frees a thread's scratch memory where the thread ends: OpenMP lets threads go when fewer are
 * asked for. */
static pthread_key_t scratch_key;
static void scratch_key_create(void)
{
    int failed = pthread_key_create(&scratch_key, free);
    BUG_IF(failed, "no key for scratch memory: error %d", failed);
}

float *parallel_scratch(size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static _Thread_local struct {
        float *data;
        size_t room;
    } scratch;
    if (len > scratch.room) {
        pthread_once(&once, scratch_key_create);
        free(scratch.data);
        scratch.data = mem_new(len, sizeof(float));
        scratch.room = len;
        pthread_setspecific(scratch_key, scratch.data);
    }
    return scratch.data;
}

void parallel_part(size_t n, size_t chunks, size_t chunk, size_t *begin, size_t *end)
{
    size_t each = n / chunks, rest = n % chunks;
    *begin = chunk * each + (chunk < rest ? chunk : rest);
    *end = *begin + each + (chunk < rest);
}
