/* Which way of computing convolutions is used for a shape; and what is fused around a convolution,
 * done in passes of its own for the ways that know nothing of it. */
#include "core/kernels/conv.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include <string.h>

/* Best first; the last takes every shape. */
static const struct conv_kernels *const conv_ways[] = { &conv_direct, &conv_depthwise,
                                                        &conv_reference, NULL };

static const struct conv_kernels *conv_named; /* by conv_use, or NULL */

static bool conv_takes(const struct conv_kernels *k, const struct conv_shape *s)
{
    return !k->takes || k->takes(s);
}

const struct conv_kernels *conv_at(int i) { return conv_ways[i]; }

const struct conv_kernels *conv_for(const struct conv_shape *s)
{
    if (conv_named && conv_takes(conv_named, s)) return conv_named;
    for (const struct conv_kernels *const *k = conv_ways; *k; k++)
        if (conv_takes(*k, s)) return *k;
    return &conv_reference;
}

bool conv_use(const char *name)
{
    if (!name) {
        conv_named = NULL;
        return true;
    }
    for (const struct conv_kernels *const *k = conv_ways; *k; k++)
        if (strcmp((*k)->name, name) == 0) {
            conv_named = *k;
            return true;
        }
    return false;
}

static size_t conv_input_len(const struct conv_shape *s)
{
    return (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->c;
}

static size_t conv_own_work(const struct conv_kernels *k, const struct conv_shape *s)
{
    size_t work = k->work ? k->work(s) : 0;
    return (work + 15) / 16 * 16;
}

size_t conv_work(const struct conv_shape *s)
{
    const struct conv_kernels *k = conv_for(s);
    return conv_own_work(k, s) + (k->fuses ? 0 : conv_input_len(s));
}

size_t conv_packed(const struct conv_shape *s, enum conv_pass pass)
{
    const struct conv_kernels *k = conv_for(s);
    return k->packed ? k->packed(s, pass) : 0;
}

void conv_pack(const struct conv_shape *s, enum conv_pass pass, float *packed, const float *w)
{
    const struct conv_kernels *k = conv_for(s);
    if (k->pack) k->pack(s, pass, packed, w);
}

/* One image of what is done around a convolution. */
struct conv_around {
    const struct conv_shape *s;
    const struct conv_call *c;
    float *x; /* room for the input as the convolution shall see it */
};

static void conv_input_image(void *ctx, size_t image)
{
    const struct conv_around *a = ctx;
    size_t pixels = (size_t)a->s->h * (size_t)a->s->w, channels = (size_t)a->s->c;
    size_t at = image * pixels * channels;
    kernels->fused->norm_relu(a->x + at, a->c->x + at, a->c->in_scale, a->c->in_shift, pixels,
                              channels);
}

static void conv_sums_image(void *ctx, size_t image)
{
    const struct conv_around *a = ctx;
    size_t pixels = (size_t)a->s->oh * (size_t)a->s->ow, channels = (size_t)a->s->k;
    float *sums = a->c->sums + image * channels, *squares = a->c->squares + image * channels;
    float *zero = parallel_scratch(channels);
    memset(zero, 0, channels * sizeof *zero);
    memset(sums, 0, channels * sizeof *sums);
    memset(squares, 0, channels * sizeof *squares);
    kernels->channel_sums(sums, squares, a->c->y + image * pixels * channels, zero, pixels,
                          channels);
}

/* The call with its input written out where the way cannot work it out itself. */
static struct conv_call conv_plain(const struct conv_kernels *k, const struct conv_shape *s,
                                   const struct conv_call *c)
{
    struct conv_call plain = *c;
    if (!c->in_scale) return plain;
    struct conv_around a = { s, c, c->work + conv_own_work(k, s) };
    parallel_for((size_t)s->n, conv_input_image, &a);
    plain.x = a.x;
    plain.in_scale = plain.in_shift = NULL;
    return plain;
}

void conv_forward(const struct conv_shape *s, const struct conv_call *c)
{
    const struct conv_kernels *k = conv_for(s);
    if (k->fuses) {
        k->forward(s, c);
        return;
    }
    struct conv_call plain = conv_plain(k, s, c);
    k->forward(s, &plain);
    if (c->sums) parallel_for((size_t)s->n, conv_sums_image, &(struct conv_around){ s, c, NULL });
}

void conv_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    const struct conv_kernels *k = conv_for(s);
    if (c->overwrite && !k->fuses) memset(c->dx, 0, conv_input_len(s) * sizeof *c->dx);
    k->backward_data(s, c);
}

void conv_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    const struct conv_kernels *k = conv_for(s);
    struct conv_call plain = k->fuses ? *c : conv_plain(k, s, c);
    k->backward_weights(s, &plain);
}
