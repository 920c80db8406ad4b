/* Batches prepared ahead. A ring of LOADER_SLOTS batches: the caller holds one, the others are
 * ready or being filled. Threads claim runs of LOADER_RUN consecutive samples of an epoch in order,
 * so that all of them work on the batch that is wanted next; whoever finishes a batch's last run
 * wakes the caller. One mutex guards every counter; pixels are written outside of it, each sample
 * by the one thread that claimed it. */
#include "core/data/loader.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { LOADER_SLOTS = 3, LOADER_RUN = 8 };

struct slot {
    float *images, *labels;
    uint32_t *index;
    int count;     /* real samples of the batch it holds */
    int waiting;   /* of them, not yet written */
    int failed_at; /* first sample that could not be read, or -1 */
    struct err error;
};

struct loader {
    struct loader_plan plan;
    size_t sample;           /* floats of one */
    size_t samples, batches; /* of an epoch */
    uint32_t *order;         /* positions in the view */
    struct err refusal;      /* why nothing can be loaded, or empty */

    pthread_mutex_t lock;
    pthread_cond_t work, ready; /* work: for the threads; ready: for the caller */
    pthread_t *threads;
    int running; /* threads */
    bool quit, begun;
    uint32_t epoch;
    size_t claimed; /* samples handed to threads */
    size_t held;    /* batches given to the caller; it may look at the last of them */
    int busy;       /* threads that are writing */
    struct slot slots[LOADER_SLOTS];
};

static size_t batch_size(const struct loader *l) { return (size_t)l->plan.batch_size; }
static struct slot *slot_of(struct loader *l, size_t batch)
{
    return &l->slots[batch % LOADER_SLOTS];
}

/* A slot is free for batch b when the caller has let go of batch b - LOADER_SLOTS: when it has been
 * given the one after that. */
static bool work_left(const struct loader *l)
{
    return l->begun && l->claimed < l->samples &&
           l->claimed / batch_size(l) < (l->held ? l->held - 1 : 0) + LOADER_SLOTS;
}

static size_t batch_samples(const struct loader *l, size_t batch)
{
    size_t left = l->samples - batch * batch_size(l);
    return left < batch_size(l) ? left : batch_size(l);
}

int loader_short(uint32_t images, int batch_size, bool drop_last)
{
    const int rest = (int)(images % (uint32_t)batch_size);
    return drop_last || rest < 2 ? 0 : rest;
}

static void slot_clear(struct loader *l, struct slot *s, size_t batch)
{
    s->count = s->waiting = (int)batch_samples(l, batch);
    s->failed_at = -1;
    size_t real = (size_t)s->count, rest = batch_size(l) - real;
    memset(s->images + real * l->sample, 0, rest * l->sample * sizeof *s->images);
    memset(s->labels + real, 0, rest * sizeof *s->labels);
    memset(s->index + real, 0, rest * sizeof *s->index);
}

static bool sample_load(struct loader *l, struct slot *s, size_t in_batch, size_t position,
                        struct err *e)
{
    const struct loader_plan *p = &l->plan;
    uint32_t number = p->view->index[l->order[position]];
    float *out = s->images + in_batch * l->sample;
    s->labels[in_batch] = p->data->labels[p->view->part][number];
    s->index[in_batch] = number;
    if (!p->augment)
        return plain_sample(out, p->data, p->view->part, number, p->split->mean, p->split->sd, e);
    struct rng r = rng_stream(p->seed, RNG_AUGMENT, number, l->epoch);
    return augment_sample(out, p->data, p->view->part, number, p->augment, p->split->mean,
                          p->split->sd, &r, e);
}

/* Takes the next run of samples, all of one batch. Called with the lock held, which is let go of
 * while the samples are written. */
static void run_load(struct loader *l)
{
    size_t begin = l->claimed, batch = begin / batch_size(l), first = batch * batch_size(l);
    size_t end = begin + LOADER_RUN, last = first + batch_samples(l, batch);
    struct slot *s = slot_of(l, batch);
    struct err error;
    int failed_at = -1;
    if (end > last) end = last;
    if (begin == first) slot_clear(l, s, batch);
    l->claimed = end;
    l->busy++;
    pthread_mutex_unlock(&l->lock);
    for (size_t i = begin; i < end && failed_at < 0; i++)
        if (!sample_load(l, s, i - first, i, &error)) failed_at = (int)(i - first);
    pthread_mutex_lock(&l->lock);
    if (failed_at >= 0 && (s->failed_at < 0 || failed_at < s->failed_at)) {
        s->failed_at = failed_at;
        s->error = error;
    }
    s->waiting -= (int)(end - begin);
    l->busy--;
    if (!s->waiting || !l->busy) pthread_cond_broadcast(&l->ready);
}

static void *loader_thread(void *ctx)
{
    struct loader *l = ctx;
    pthread_mutex_lock(&l->lock);
    while (!l->quit) {
        if (work_left(l))
            run_load(l);
        else
            pthread_cond_wait(&l->work, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static bool loader_check(const struct loader *l, struct err *e)
{
    const struct loader_plan *p = &l->plan;
    if (!p->augment) return true;
    if (p->view->count < (uint32_t)p->batch_size)
        return err_set(e, "train.batch_size: %d is more than the %u training images", p->batch_size,
                       p->view->count);
    return augment_check(p->augment, p->data->format, p->data->size, e);
}

/* Signals are the main thread's business. */
static void threads_start(struct loader *l)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = 0;
    while (!code && l->running < l->plan.threads) {
        code = pthread_create(&l->threads[l->running], NULL, loader_thread, l);
        l->running += !code;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!l->running) err_set(&l->refusal, "no thread to load data with: %s", strerror(code));
}

struct loader *loader_create(const struct loader_plan *p)
{
    BUG_IF(p->batch_size < 1 || p->threads < 1, "batch_size %d, threads %d", p->batch_size,
           p->threads);
    struct loader *l = mem_new(1, sizeof *l);
    size_t size = (size_t)p->data->size;
    l->plan = *p;
    l->sample = size * size * (size_t)p->data->channels;
    l->samples = p->view->count;
    if (p->augment)
        l->samples -= l->samples % batch_size(l) -
                      (size_t)loader_short(p->view->count, p->batch_size, p->drop_last);
    l->batches = (l->samples + batch_size(l) - 1) / batch_size(l);
    l->order = mem_new(p->view->count + (size_t)1, sizeof *l->order);
    for (struct slot *s = l->slots; s < l->slots + LOADER_SLOTS; s++) {
        s->images = mem_new(batch_size(l) * l->sample, sizeof *s->images);
        s->labels = mem_new(batch_size(l), sizeof *s->labels);
        s->index = mem_new(batch_size(l), sizeof *s->index);
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    l->threads = mem_new((size_t)p->threads, sizeof *l->threads);
    if (loader_check(l, &l->refusal)) threads_start(l);
    return l;
}

void loader_destroy(struct loader *l)
{
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->running; i++) pthread_join(l->threads[i], NULL);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->lock);
    for (struct slot *s = l->slots; s < l->slots + LOADER_SLOTS; s++) {
        free(s->images);
        free(s->labels);
        free(s->index);
    }
    free(l->threads);
    free(l->order);
    free(l);
}

static void order_draw(struct loader *l)
{
    uint32_t n = l->plan.view->count;
    struct rng r = rng_stream(l->plan.seed, RNG_ORDER, l->epoch, 0);
    if (l->plan.augment && n)
        rng_shuffle(&r, l->order, n);
    else
        for (uint32_t i = 0; i < n; i++) l->order[i] = i;
}

void loader_begin(struct loader *l, uint32_t epoch)
{
    pthread_mutex_lock(&l->lock);
    l->begun = false; /* nothing new is claimed; what was claimed is waited for */
    while (l->busy) pthread_cond_wait(&l->ready, &l->lock);
    l->epoch = epoch;
    l->claimed = l->held = 0;
    order_draw(l);
    l->begun = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
}

bool loader_next(struct loader *l, struct batch *b, struct err *e)
{
    *b = (struct batch){ .count = 0 };
    if (l->refusal.text[0]) {
        *e = l->refusal;
        return false;
    }
    bool good = true;
    pthread_mutex_lock(&l->lock);
    BUG_IF(!l->begun, "a batch is asked for before an epoch has begun");
    if (l->held < l->batches) {
        size_t batch = l->held++;
        struct slot *s = slot_of(l, batch);
        pthread_cond_broadcast(&l->work);
        while (l->claimed < batch * batch_size(l) + batch_samples(l, batch) || s->waiting)
            pthread_cond_wait(&l->ready, &l->lock);
        *b = (struct batch){ s->images, s->labels, s->index, s->count };
        good = s->failed_at < 0;
        if (!good) *e = s->error;
    }
    pthread_mutex_unlock(&l->lock);
    return good;
}

size_t loader_batches(const struct loader *l) { return l->batches; }

size_t loader_bytes(const struct data_shape *s, int batch_size)
{
    size_t sample = data_image_bytes(s) * sizeof(float) + sizeof(float) + sizeof(uint32_t);
    return LOADER_SLOTS * (size_t)batch_size * sample;
}
