/* Who is trained, validated and tested on. The training part is permuted once by split_seed: its
 * first images are the validation part, the limits choose among the rest. A smaller limit chooses a
 * subset of a larger one, and neither limit moves the validation part. */
#include "core/data/split.h"
#include "core/base/digest.h"
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Statistics look at every training image where these are at most so many bytes when decoded, and
 * at STATISTICS_SAMPLE images spread evenly over them otherwise (ImageNet: 190 GB). */
#define STATISTICS_BYTES ((uint64_t)4 << 30)
enum { STATISTICS_SAMPLE = 10000, STATISTICS_CHUNKS = 64 };

/* Keeps the first `limit` of n in the order: every class's first, every class's second, ... */
static void balanced_choose(uint32_t *order, uint32_t n, uint32_t limit, const uint16_t *labels,
                            int classes)
{
    uint32_t *rank = mem_new(n, sizeof *rank), *seen = mem_new((size_t)classes, sizeof *seen);
    uint32_t *start = mem_new((size_t)n + 1, sizeof *start), *sorted = mem_new(n, sizeof *sorted);
    for (uint32_t i = 0; i < n; i++) {
        rank[i] = seen[labels[order[i]]]++;
        start[rank[i] + 1]++;
    }
    for (uint32_t i = 0; i < n; i++) start[i + 1] += start[i];
    for (uint32_t i = 0; i < n; i++) sorted[start[rank[i]]++] = order[i];
    memcpy(order, sorted, limit * sizeof *order);
    free(rank);
    free(seen);
    free(start);
    free(sorted);
}

static int index_compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static struct data_view view_of(enum data_part part, const uint32_t *numbers, uint32_t count)
{
    struct data_view v = { part, mem_new(count ? count : 1, sizeof *v.index), count };
    memcpy(v.index, numbers, count * sizeof *numbers);
    qsort(v.index, count, sizeof *v.index, index_compare);
    return v;
}

/* A permutation of the part, and of what follows its first `skip` numbers the limit's choice;
 * *count: how many these are. */
static uint32_t *part_order(const struct dataset *d, enum data_part part,
                            const struct data_settings *s, uint32_t skip, uint32_t *count)
{
    uint32_t n = d->count[part];
    uint32_t limit = (uint32_t)(part == DATA_TRAIN ? s->train_limit : s->test_limit);
    uint32_t *order = mem_new(n ? n : 1, sizeof *order);
    struct rng r = rng_stream((uint64_t)s->split_seed, RNG_SPLIT, (uint64_t)part, 0);
    if (n) rng_shuffle(&r, order, n);
    *count = n - skip;
    if (limit && limit < *count) {
        balanced_choose(order + skip, *count, limit, d->labels[part], d->classes);
        *count = limit;
    }
    return order;
}

static void views_cut(struct data_split *split, const struct dataset *d,
                      const struct data_settings *s)
{
    uint32_t validation = (uint32_t)s->validation, count;
    uint32_t *order = part_order(d, DATA_TRAIN, s, validation, &count);
    split->validation = view_of(DATA_TRAIN, order, validation);
    split->train = view_of(DATA_TRAIN, order + validation, count);
    free(order);
    order = part_order(d, DATA_TEST, s, 0, &count);
    split->test = view_of(DATA_TEST, order, count);
    free(order);
}

/* Sums over images in integers: exact, so that the order of the additions is of no account. */
struct sums {
    uint64_t n, sum[4], squares[4];
    struct err error;
    bool failed;
};
struct statistics {
    const struct dataset *d;
    const struct data_view *view;
    uint32_t images; /* how many to look at, evenly spread over the view */
    struct sums chunk[STATISTICS_CHUNKS];
};

static void image_sum(struct sums *s, const uint8_t *pixels, size_t n, int channels)
{
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < channels; c++) {
            uint64_t v = *pixels++;
            s->sum[c] += v;
            s->squares[c] += v * v;
        }
    s->n += n;
}

static void chunk_sum(void *ctx, size_t chunk)
{
    struct statistics *st = ctx;
    struct sums *s = &st->chunk[chunk];
    const struct dataset *d = st->d;
    size_t area = (size_t)d->size * (size_t)d->size, begin, end;
    uint8_t *pixels = mem_new(area, (size_t)d->channels);
    parallel_part(st->images, STATISTICS_CHUNKS, chunk, &begin, &end);
    for (size_t i = begin; i < end && !s->failed; i++) {
        uint32_t index = st->view->index[i * st->view->count / st->images];
        s->failed = !d->format->read(d, st->view->part, index, NULL, pixels, &s->error);
        if (!s->failed) image_sum(s, pixels, area, d->channels);
    }
    free(pixels);
}

/* Of pixels in 0..1; both over the whole training view, population standard deviation. */
static bool statistics_of(const struct dataset *d, const struct data_view *view, double mean[4],
                          double sd[4], struct err *e)
{
    struct statistics *st = mem_new(1, sizeof *st);
    struct sums all = { .n = 0 };
    uint64_t image = (uint64_t)d->size * (uint64_t)d->size * (uint64_t)d->channels;
    bool large = image * view->count > STATISTICS_BYTES && view->count > STATISTICS_SAMPLE;
    *st = (struct statistics){ d, view, large ? STATISTICS_SAMPLE : view->count, { { .n = 0 } } };
    parallel_for(STATISTICS_CHUNKS, chunk_sum, st);
    for (int i = 0; i < STATISTICS_CHUNKS && !all.failed; i++) {
        struct sums *s = &st->chunk[i];
        all.failed = s->failed;
        if (s->failed) *e = s->error;
        all.n += s->n;
        for (int c = 0; c < 4; c++) {
            all.sum[c] += s->sum[c];
            all.squares[c] += s->squares[c];
        }
    }
    free(st);
    for (int c = 0; c < d->channels && !all.failed; c++) {
        double n = (double)all.n, m = (double)all.sum[c] / n;
        mean[c] = m / 255;
        sd[c] = sqrt(fmax(0, (double)all.squares[c] / n - m * m)) / 255;
    }
    return !all.failed;
}

static bool channels_check(const struct data_channels *given, const char *key,
                           const struct dataset *d, struct err *e)
{
    return !given->n || given->n == d->channels ||
           err_set(e, "dataset.%s: %d numbers for images of %d channel%s", key, given->n,
                   d->channels, d->channels == 1 ? "" : "s");
}

static bool normalisation(struct data_split *split, const struct dataset *d,
                          const struct data_settings *s, struct err *e)
{
    double mean[4] = { 0 }, sd[4] = { 0 };
    if (!channels_check(&s->mean, "mean", d, e) || !channels_check(&s->sd, "sd", d, e))
        return false;
    if ((!s->mean.n || !s->sd.n) && !statistics_of(d, &split->train, mean, sd, e)) return false;
    for (int c = 0; c < d->channels; c++) {
        split->mean[c] = (float)(s->mean.n ? s->mean.v[c] : mean[c]);
        split->sd[c] = (float)(s->sd.n ? s->sd.v[c] : sd[c]);
        if (split->sd[c] <= 0)
            return err_set(
                e,
                "channel %d of the training images has the same value everywhere, so that "
                "there is nothing to divide by; give dataset.sd",
                c + 1);
    }
    return true;
}

static void view_digest(struct digest *g, const struct data_view *v)
{
    digest_add(g, &v->count, sizeof v->count);
    digest_add(g, v->index, v->count * sizeof *v->index);
}

static uint64_t split_digest(const struct data_split *s, const struct dataset *d)
{
    struct digest *g = digest_create();
    digest_add(g, &d->digest, sizeof d->digest);
    view_digest(g, &s->train);
    view_digest(g, &s->validation);
    view_digest(g, &s->test);
    digest_add(g, s->mean, sizeof s->mean);
    digest_add(g, s->sd, sizeof s->sd);
    return digest_end(g);
}

static bool validation_check(const struct data_settings *s, uint64_t n, struct err *e)
{
    return (uint64_t)s->validation < n ||
           err_set(e, "dataset.validation: %d of the %llu training images leave none to train on",
                   s->validation, (unsigned long long)n);
}

uint64_t data_train_images(const struct data_settings *s, uint64_t n)
{
    const uint64_t left = n - (uint64_t)s->validation, limit = (uint64_t)s->train_limit;
    return limit && limit < left ? limit : left;
}

bool data_counts_check(const struct data_settings *s, int batch_size, uint64_t n, struct err *e)
{
    if (!validation_check(s, n, e)) return false;
    const unsigned long long train = data_train_images(s, n);
    if (train >= (unsigned)batch_size) return true;
    if (n - (uint64_t)s->validation >= (unsigned)batch_size)
        return err_set(e,
                       "dataset.train_limit: %llu images are fewer than a batch "
                       "(train.batch_size %d)",
                       train, batch_size);
    return err_set(e, "train.batch_size: %d is more than the %llu training images%s", batch_size,
                   train, s->validation ? " that the validation part leaves" : "");
}

bool data_split(struct data_split *split, const struct dataset *d, const struct data_settings *s,
                struct err *e)
{
    *split = (struct data_split){ .digest = 0 };
    if (!validation_check(s, d->count[DATA_TRAIN], e)) return false;
    views_cut(split, d, s);
    if (!normalisation(split, d, s, e)) {
        data_split_clear(split);
        return false;
    }
    split->digest = split_digest(split, d);
    return true;
}

void data_split_clear(struct data_split *s)
{
    free(s->train.index);
    free(s->validation.index);
    free(s->test.index);
    *s = (struct data_split){ .digest = 0 };
}
