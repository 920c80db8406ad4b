/* A learnable task made from nothing, for tests and benchmarks. A class is a smooth pattern: a few
 * cosine waves of whole periods in each channel. A sample is its class's pattern, moved a little
 * round the torus, plus noise. Every draw is Philox's, so a data set is a function of its settings.
 */
#include "core/base/digest.h"
#include "core/base/elementary.h"
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/data/store.h"
#include <math.h>

enum { SYNTHETIC_WAVES = 3, SYNTHETIC_PERIODS = 3 };

struct synthetic_settings {
    int classes, size, channels, train, test, seed;
    double noise;
};
static const struct field synthetic_fields[] = {
    INT(synthetic_settings, classes, 10, 2, 65535, "number of classes"),
    INT(synthetic_settings, size, 32, 4, 4096, "pixels a side"),
    INT(synthetic_settings, channels, 3, 1, 4, "numbers a pixel"),
    INT(synthetic_settings, train, 2000, 1, 100000000, "training images"),
    INT(synthetic_settings, test, 500, 1, 100000000, "test images"),
    INT(synthetic_settings, seed, 0, 0, 2147483647, "draws patterns and samples"),
    REAL(synthetic_settings, noise, 0.15, 0, 1,
         "standard deviation of the noise; pixels count as 0 to 1"),
    FIELDS_END,
};

/* pattern: size x size x channels, about 0 with a standard deviation of 1 */
static void synthetic_pattern(float *pattern, const struct dataset *d, struct rng *r)
{
    for (int c = 0; c < d->channels; c++) {
        double fy[SYNTHETIC_WAVES], fx[SYNTHETIC_WAVES], phase[SYNTHETIC_WAVES];
        for (int w = 0; w < SYNTHETIC_WAVES; w++) {
            fy[w] = (int)rng_below(r, 2 * SYNTHETIC_PERIODS + 1) - SYNTHETIC_PERIODS;
            fx[w] = 1 + (int)rng_below(r, SYNTHETIC_PERIODS);
            phase[w] = rng_uniform(r); /* of a turn */
        }
        for (int y = 0; y < d->size; y++)
            for (int x = 0; x < d->size; x++) {
                double sum = 0;
                for (int w = 0; w < SYNTHETIC_WAVES; w++)
                    sum += elementary_cos_turns((fy[w] * y + fx[w] * x) / d->size + phase[w]);
                pattern[(y * d->size + x) * d->channels + c] =
                    (float)(sum * sqrt(2.0 / SYNTHETIC_WAVES));
            }
    }
}

/* One sample. The noise is the sum of two uniform bytes, whose standard deviation is 104.5: two of
 * them for one Philox word. */
static void synthetic_sample(uint8_t *pixels, const float *pattern, const struct dataset *d,
                             double noise, struct rng *r)
{
    const int size = d->size, room = size / 4 + 1, channels = d->channels;
    const int dy = (int)rng_below(r, (uint32_t)room), dx = (int)rng_below(r, (uint32_t)room);
    const float scale = (float)(noise * 255 / 104.5);
    uint32_t word = 0;
    for (int y = 0, at = 0; y < size; y++) {
        const float *row = pattern + (size_t)((y + dy) % size * size * channels);
        for (int i = 0; i < size * channels; i++, at++) {
            word = at & 1 ? word >> 16 : rng_u32(r);
            float jitter = (float)((int)(word & 255) + (int)(word >> 8 & 255) - 255);
            float v = 127.5f + 32 * row[(i + dx * channels) % (size * channels)] + scale * jitter;
            pixels[at] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

struct synthetic_job {
    struct dataset *d;
    const struct synthetic_settings *s;
};

/* All samples of one class; sample i is of class i mod classes. */
static void synthetic_class(void *ctx, size_t class)
{
    const struct synthetic_job *job = ctx;
    struct dataset *d = job->d;
    const uint64_t seed = (uint64_t)job->s->seed;
    const size_t pixels = (size_t)d->size * (size_t)d->size * (size_t)d->channels;
    float *pattern = parallel_scratch(pixels);
    struct rng r = rng_stream(seed, RNG_SYNTHETIC, class, 0);
    synthetic_pattern(pattern, d, &r);
    for (uint32_t part = 0; part < DATA_PARTS; part++)
        for (size_t i = class; i < d->count[part]; i += (size_t)d->classes) {
            struct rng sample = rng_stream(seed, RNG_SYNTHETIC, i, 1 + part);
            synthetic_sample(store_of(d)->pixels[part] + i * pixels, pattern, d, job->s->noise,
                             &sample);
            store_of(d)->labels[part][i] = (uint16_t) class;
        }
}

static bool synthetic_shape(const char *path, const void *settings, int size,
                            struct data_shape *out, struct err *e)
{
    const struct synthetic_settings *s = settings;
    (void)path;
    *out = (struct data_shape){ s->size, s->channels, s->classes };
    return !size || size == s->size ||
           err_set(e, "dataset.size is %d, but the network takes %d x %d pixels", s->size, size,
                   size);
}

static bool synthetic_open(struct dataset *d, const char *path, const void *settings, int size,
                           struct err *e)
{
    const struct synthetic_settings *s = settings;
    struct data_shape shape;
    if (!synthetic_shape(path, s, size, &shape, e)) return false;
    d->size = s->size;
    d->channels = s->channels;
    d->classes = s->classes;
    d->count[DATA_TRAIN] = (uint32_t)s->train;
    d->count[DATA_TEST] = (uint32_t)s->test;
    for (int part = 0; part < DATA_PARTS; part++)
        if (!store_reserve(d, (enum data_part)part, "synthetic", e)) return false;
    struct synthetic_job job = { d, s };
    parallel_for((size_t)s->classes, synthetic_class, &job);
    struct text echo = { .s = NULL };
    fields_write(synthetic_fields, s, &echo);
    d->digest = digest_of(echo.s, echo.len);
    text_clear(&echo);
    return true;
}

static bool synthetic_count(const char *path, const void *settings, uint64_t count[DATA_PARTS])
{
    const struct synthetic_settings *s = settings;
    (void)path;
    count[DATA_TRAIN] = (uint64_t)s->train;
    count[DATA_TEST] = (uint64_t)s->test;
    return true;
}

static uint64_t synthetic_kept(const char *path, const void *settings,
                               const struct data_settings *data, const struct data_shape *shape)
{
    const struct synthetic_settings *s = settings;
    (void)path;
    (void)data;
    return ((uint64_t)s->train + (uint64_t)s->test) * data_image_bytes(shape);
}

const struct data_format format_synthetic = {
    .name = "synthetic",
    .meaning = "a made-up task of smooth patterns and noise, for tests and benchmarks",
    .fields = synthetic_fields,
    .settings_size = sizeof(struct synthetic_settings),
    .made_up = true,
    .natural_size = 32,
    .shape = synthetic_shape,
    .open = synthetic_open,
    .read = store_read,
    .close = store_close,
    .count = synthetic_count,
    .kept = synthetic_kept,
};
