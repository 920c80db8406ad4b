/* A team of threads that share the chunks of one call at a time, the caller among them. Chunks are
 * handed out dynamically, which is free: no result depends on who computes a chunk.
 *
 * A thread joins a call only while chunks are left, so a caller never waits for one that the system
 * has not woken, and a waiting thread spins shortly and then sleeps. OpenMP's barriers
 * wait for every thread: measured ten times slower on small networks where the CPUs are shared. */
#include "core/base/parallel.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* About 20 to 100 microseconds, by the CPU: longer than most gaps between two calls of a step. */
enum { TEAM_SPINS = 2000 };

static struct {
    pthread_mutex_t call; /* held by whoever has the team */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t begun, left;
    atomic_int wanted; /* threads, the caller counted; 0: not yet decided. Chunks read it, too */
    int started;       /* of thread[] */
    pthread_t *thread;
    bool quit;
    atomic_int joined; /* threads in the call, without the caller */
    void (*f)(void *ctx, size_t chunk);
    void *ctx;
    size_t chunks;
    atomic_size_t next; /* chunk; at or past chunks: no call, or nothing left of it */
    atomic_size_t end;  /* chunks of the call, 0 between calls; to spin on */
} team = { .call = PTHREAD_MUTEX_INITIALIZER,
           .lock = PTHREAD_MUTEX_INITIALIZER,
           .begun = PTHREAD_COND_INITIALIZER,
           .left = PTHREAD_COND_INITIALIZER };
static _Thread_local bool in_call; /* a call within a call runs on its own thread alone */

int parallel_allowed(void)
{
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 0)
        return CPU_COUNT(&cpus);
    return 1;
}

void parallel_use(int threads)
{
    int wanted = threads > 0 ? threads : parallel_allowed();
    if (wanted < parallel_threads()) parallel_pause();
    atomic_store(&team.wanted, wanted);
}

int parallel_threads(void)
{
    int wanted = atomic_load_explicit(&team.wanted, memory_order_relaxed);
    if (wanted) return wanted;
    wanted = parallel_allowed(); /* two threads that decide at once decide alike */
    atomic_store(&team.wanted, wanted);
    return wanted;
}

static bool team_idle(void) { return atomic_load(&team.next) >= atomic_load(&team.end); }

static inline void spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Ends what a thread has done of a call. Kernels write large outputs past the caches (vf_stream),
 * and x86 orders such stores neither with later ones nor with the release of a lock: without this
 * fence another thread could be told that an output is whole before it can see all of it. */
static inline void stores_finish(void)
{
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#endif
}

static void team_chunks(void)
{
    size_t i;
    in_call = true;
    while ((i = atomic_fetch_add(&team.next, 1)) < team.chunks) team.f(team.ctx, i);
    in_call = false;
    stores_finish();
}

static void *team_thread(void *unused)
{
    for (;;) {
        for (int i = 0; i < TEAM_SPINS && team_idle(); i++) spin_pause();
        pthread_mutex_lock(&team.lock);
        while (!team.quit && team_idle()) pthread_cond_wait(&team.begun, &team.lock);
        if (team.quit) break;
        team.joined++;
        pthread_mutex_unlock(&team.lock);
        team_chunks();
        pthread_mutex_lock(&team.lock);
        if (--team.joined == 0) pthread_cond_signal(&team.left);
        pthread_mutex_unlock(&team.lock);
    }
    pthread_mutex_unlock(&team.lock);
    return unused;
}

/* As many threads as are wanted; fewer where the system gives no more, which changes no result. */
static void team_start(void)
{
    const int wanted = parallel_threads();
    if (team.started >= wanted - 1) return;
    team.thread = mem_grow(team.thread, (size_t)wanted, sizeof *team.thread);
    while (team.started < wanted - 1) {
        if (pthread_create(&team.thread[team.started], NULL, team_thread, NULL) != 0) return;
        team.started++;
    }
}

void parallel_pause(void)
{
    pthread_mutex_lock(&team.call);
    pthread_mutex_lock(&team.lock);
    team.quit = true;
    pthread_cond_broadcast(&team.begun);
    pthread_mutex_unlock(&team.lock);
    for (int i = 0; i < team.started; i++) pthread_join(team.thread[i], NULL);
    free(team.thread);
    team.thread = NULL;
    team.started = 0;
    team.quit = false;
    pthread_mutex_unlock(&team.call);
}

/* The chunks of one call; the caller has the team. */
static void team_call(size_t chunks, void (*f)(void *ctx, size_t chunk), void *ctx)
{
    team_start();
    pthread_mutex_lock(&team.lock);
    team.f = f;
    team.ctx = ctx;
    team.chunks = chunks;
    atomic_store(&team.next, 0);
    atomic_store(&team.end, chunks);
    pthread_cond_broadcast(&team.begun);
    pthread_mutex_unlock(&team.lock);
    team_chunks();
    pthread_mutex_lock(&team.lock);
    atomic_store(&team.end, 0); /* from here on nobody joins */
    pthread_mutex_unlock(&team.lock);
    for (int i = 0; i < TEAM_SPINS && atomic_load(&team.joined) > 0; i++) spin_pause();
    pthread_mutex_lock(&team.lock);
    while (team.joined > 0) pthread_cond_wait(&team.left, &team.lock);
    pthread_mutex_unlock(&team.lock);
}

void parallel_for(size_t chunks, void (*f)(void *ctx, size_t chunk), void *ctx)
{
    bool alone = chunks <= 1 || in_call || parallel_threads() == 1;
    if (!alone && pthread_mutex_trylock(&team.call) == 0) { /* or another thread has the team */
        team_call(chunks, f, ctx);
        pthread_mutex_unlock(&team.call);
        return;
    }
    for (size_t i = 0; i < chunks; i++) f(ctx, i);
    stores_finish();
}

/* What grows is given back to the system first: a freed block of the heap would stay. */
struct scratch {
    void *data;
    size_t len, bytes;
};

/* Gives a thread's scratch memory back where the thread ends. */
static pthread_key_t scratch_key;
static void scratch_end(void *of)
{
    struct scratch *s = of;
    mem_room_free(s->data, s->bytes);
    s->data = NULL;
    s->len = s->bytes = 0;
}

static void scratch_key_create(void)
{
    int failed = pthread_key_create(&scratch_key, scratch_end);
    BUG_IF(failed, "no key for scratch memory: error %d", failed);
}

float *parallel_scratch(size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static _Thread_local struct scratch scratch;
    if (len > scratch.len || !scratch.data) {
        pthread_once(&once, scratch_key_create);
        mem_room_free(scratch.data, scratch.bytes);
        scratch.bytes = parallel_scratch_bytes(len);
        scratch.data = mem_room(scratch.bytes);
        mem_room_fence(scratch.data, scratch.bytes, len * sizeof(float));
        scratch.len = len;
        pthread_setspecific(scratch_key, &scratch);
    }
    return scratch.data;
}

size_t parallel_scratch_bytes(size_t len) { return mem_room_bytes(len * sizeof(float)); }

void parallel_part(size_t n, size_t chunks, size_t chunk, size_t *begin, size_t *end)
{
    size_t each = n / chunks, rest = n % chunks;
    *begin = chunk * each + (chunk < rest ? chunk : rest);
    *end = *begin + each + (chunk < rest);
}
