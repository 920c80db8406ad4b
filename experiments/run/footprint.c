/* What a run needs of memory, and whether it can have it. */
#include "experiments/run/footprint.h"
#include "core/base/parallel.h"
#include "core/data/loader.h"
#include "experiments/run/headroom.h"
#include <stdio.h>
#include <unistd.h>

/* Bytes beside what shapes tell, as measured for networks of 15 to 1,500 MB and 1 to 32 threads.
 * PROGRAM: of the heap, beyond what PAGES_STEP rounds up. THREAD: stack and heap of one that
 * computes. PHOTO: of one that loads photographs, of half a megapixel. */
enum { PROGRAM_BYTES = 300000, THREAD_BYTES = 100000, PHOTO_BYTES = 1000000 };

/* Training's own loader keeps its batches while an evaluation runs. */
enum { LOADERS = 2 };

/* Which pages of a file are in memory when asked differs by half a megabyte from one call of a
 * command to the next, and training reaches more: rounded up so far, the answer is the same. */
enum { PAGES_STEP = 4000000 };

/* Pages of the program's files that are in memory, its code and that of libraries; as the process
 * first asked, so that it gets one answer always. */
static uint64_t program_pages(void)
{
    static uint64_t bytes;
    unsigned long long shared = 0;
    if (bytes) return bytes;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*u %*u %llu", &shared) != 1) shared = 0;
    if (f) fclose(f);
    const uint64_t exact = shared * (uint64_t)sysconf(_SC_PAGESIZE);
    bytes = (exact / PAGES_STEP + 1) * PAGES_STEP;
    return bytes;
}

static uint64_t threads_bytes(const struct design_point *p, uint64_t scratch)
{
    const int threads = parallel_threads(), loading = LOADERS * train_loaders(threads);
    const bool photos = !p->spec.format->natural_size;
    return (uint64_t)threads * (scratch + THREAD_BYTES) +
           (uint64_t)loading * (photos ? PHOTO_BYTES : THREAD_BYTES);
}

static struct footprint footprint_with(const struct design_point *p, int batch, uint64_t step,
                                       uint64_t scratch)
{
    return (struct footprint){
        .step = step,
        .batches = LOADERS * loader_bytes(&p->shape, batch),
        .images = p->images,
        .threads = threads_bytes(p, scratch),
        .program = program_pages() + PROGRAM_BYTES,
    };
}

struct footprint footprint_of(const struct design_point *p)
{
    return footprint_with(p, p->spec.train.batch_size, p->bytes, p->scratch);
}

uint64_t footprint_total(const struct footprint *f)
{
    return f->step + f->batches + f->images + f->threads + f->program;
}

bool footprint_at(const struct design_point *p, int batch, struct footprint *out)
{
    struct model_net net = { 0 };
    struct err e;
    if (!spec_build(&p->spec, batch, &p->shape, &net, &e)) return false;
    struct train_settings train = p->spec.train;
    train.batch_size = batch;
    const struct graph_needs needs = spec_net_needs(&net, train_short(&train, p->train_images));
    graph_destroy(net.graph);
    const uint64_t state = spec_state_bytes(&p->spec, p->counts.trainable);
    *out = footprint_with(p, batch, needs.bytes + state, needs.scratch);
    return true;
}

/* Of what this needs, the part that is not in memory yet. */
static uint64_t footprint_to_come(const struct design_point *p, const struct footprint *f)
{
    return footprint_total(f) - p->images_read;
}

int batch_largest(int below, const struct batch_need *need, uint64_t room)
{
    int fits = 0, fails = below;
    while (fails - fits > 1) {
        int batch = fits + (fails - fits) / 2;
        uint64_t bytes = need->bytes(need->ctx, batch);
        *(bytes && bytes <= room ? &fits : &fails) = batch;
    }
    return fits;
}

static uint64_t point_need(const void *point, int batch)
{
    struct footprint f;
    return footprint_at(point, batch, &f) ? footprint_to_come(point, &f) : 0;
}

/* "lower train.batch_size to 96, the largest that fits" */
static void advise(struct text *t, const struct design_point *p, uint64_t room)
{
    int batch =
        batch_largest(p->spec.train.batch_size, &(struct batch_need){ point_need, p }, room);
    if (batch)
        text_addf(t, "lower train.batch_size from %d to %d, the largest that fits",
                  p->spec.train.batch_size, batch);
    else
        text_add(t, "not even train.batch_size=1 fits");
}

static bool refuse(const struct design_point *p, const char *why, uint64_t room, struct err *e)
{
    struct text t = { 0 };
    text_addf(&t, "%s: %s: ", p->label, why);
    advise(&t, p, room);
    err_set(e, "%s", t.s);
    text_clear(&t);
    return false;
}

bool footprint_fits(const struct design_point *p, int jobs, const struct headroom *h, struct err *e)
{
    struct footprint f = footprint_of(p);
    uint64_t need = footprint_to_come(p, &f), one = headroom_one(h), all = h->all.bytes;
    char why[200];
    if (need > one) {
        snprintf(why, sizeof why, "a run needs %.3f GB of memory, and %.3f GB can be had (%s)",
                 (double)need / 1e9, (double)one / 1e9, headroom_one_by(h));
        return refuse(p, why, one, e);
    }
    uint64_t fitting = all / need;
    if (fitting >= (uint64_t)jobs) return true;
    snprintf(why, sizeof why,
             "%d runs at a time need %.3f GB of memory, and %.3f GB can be had (%s): --jobs %d "
             "fits; or",
             jobs, (double)need * jobs / 1e9, (double)all / 1e9, h->all.by, (int)fitting);
    return refuse(p, why, all / (uint64_t)jobs, e);
}
