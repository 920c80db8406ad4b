#ifndef CORE_BASE_PARALLEL_H
#define CORE_BASE_PARALLEL_H
#include <stddef.h>

/* Runs f(ctx, 0), ..., f(ctx, chunks - 1), on as many threads as parallel_use allows and in any
 * order. The number of chunks is a function of shapes alone and each chunk writes its own place,
 * so the bits of a result never depend on the number of threads. */
void parallel_for(size_t chunks, void (*f)(void *ctx, size_t chunk), void *ctx);

void parallel_use(int threads); /* 0: as many as this process may run on */
int parallel_threads(void);
int parallel_allowed(void); /* CPUs that this process may run on */

/* Ends the threads, so that the process may fork; the next parallel_for starts new ones. */
void parallel_pause(void);

/* Scratch memory of the calling thread, at least len floats, 64-byte aligned, kept and reused:
 * the next call from the same thread may return the same bytes. */
float *parallel_scratch(size_t len);
size_t parallel_scratch_bytes(size_t len); /* that so much of it takes of a thread's memory */

/* Item range [*begin, *end) of one of `chunks` nearly equal parts of n items. */
void parallel_part(size_t n, size_t chunks, size_t chunk, size_t *begin, size_t *end);
#endif
