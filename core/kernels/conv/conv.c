/* Which algorithm computes the convolutions of a shape; and what is fused around a convolution,
 * or stored as bf16, done in passes of its own for the algorithms that know nothing of it. */
#include "core/kernels/conv/conv.h"
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include <string.h>

/* Best first; the last takes every shape. */
static const struct conv_algorithm *const conv_ways[] = { &conv_winograd, &conv_bf16_dot,
                                                          &conv_direct, &conv_reference, NULL };

static const struct conv_algorithm *conv_named; /* by conv_use, or NULL */

static bool conv_supports(const struct conv_algorithm *k, const struct conv_shape *s)
{
    return !k->supports || k->supports(s);
}

const struct conv_algorithm *conv_algorithm_at(int i) { return conv_ways[i]; }

const struct conv_algorithm *conv_for(const struct conv_shape *s)
{
    if (conv_named && conv_supports(conv_named, s)) return conv_named;
    for (const struct conv_algorithm *const *k = conv_ways; *k; k++)
        if ((!(*k)->preferred || (*k)->preferred()) && conv_supports(*k, s)) return *k;
    return &conv_reference;
}

bool conv_use(const char *name)
{
    if (!name) {
        conv_named = NULL;
        return true;
    }
    for (const struct conv_algorithm *const *k = conv_ways; *k; k++)
        if (strcmp((*k)->name, name) == 0) {
            conv_named = *k;
            return true;
        }
    return false;
}

/* How a call is carried out: by which algorithm, and what must be done around it. */
struct conv_plan {
    const struct conv_algorithm *algorithm;
    struct conv_shape shape; /* as the algorithm sees it */
    bool widen_x, widen_y;   /* bf16 that the algorithm reads as float only */
    bool apply;              /* it cannot work its input out itself */
    size_t own;              /* floats of work that are the algorithm's */
};

static struct conv_plan conv_plan(const struct conv_shape *s, bool in_scale)
{
    struct conv_plan p = { .algorithm = conv_for(s), .shape = *s };
    const bool native = p.algorithm->supports_bf16 && p.algorithm->supports_bf16(s);
    p.widen_x = s->bf16_x && !native;
    p.widen_y = s->bf16_y && !native;
    p.shape.bf16_x &= native;
    p.shape.bf16_y &= native;
    p.apply = in_scale && !p.algorithm->fuses_batch_norm;
    p.own = p.algorithm->work ? mem_floats(p.algorithm->work(&p.shape)) : 0;
    return p;
}

static size_t conv_x_image(const struct conv_shape *s)
{
    return (size_t)s->h * (size_t)s->w * (size_t)s->c;
}

static size_t conv_y_image(const struct conv_shape *s)
{
    return (size_t)s->oh * (size_t)s->ow * (size_t)s->k;
}

static size_t conv_x_len(const struct conv_shape *s) { return (size_t)s->n * conv_x_image(s); }
static size_t conv_y_len(const struct conv_shape *s) { return (size_t)s->n * conv_y_image(s); }
size_t conv_work(const struct conv_shape *s)
{
    const struct conv_plan p = conv_plan(s, true);
    return p.own + (p.widen_x || p.apply ? mem_floats(conv_x_len(s)) : 0) +
           (p.widen_y ? mem_floats(conv_y_len(s)) : 0);
}

size_t conv_scratch(const struct conv_shape *s, bool in_scale)
{
    static const float some[1] = { 1 };
    const struct conv_plan p = conv_plan(s, in_scale);
    const struct conv_call c = { .in_scale = in_scale && !p.apply ? some : NULL };
    return p.algorithm->scratch ? p.algorithm->scratch(&p.shape, &c) : 0;
}

uint64_t conv_macs(const struct conv_shape *s)
{
    return (uint64_t)conv_y_len(s) * (uint64_t)(s->kh * s->kw) * (uint64_t)(s->c / s->groups);
}

uint64_t conv_macs_executed(const struct conv_shape *s)
{
    const struct conv_plan p = conv_plan(s, false);
    return p.algorithm->macs_executed ? p.algorithm->macs_executed(&p.shape) : conv_macs(s);
}

size_t conv_packed(const struct conv_shape *s, enum conv_pass pass)
{
    const struct conv_plan p = conv_plan(s, false);
    return p.algorithm->packed ? p.algorithm->packed(&p.shape, pass) : 0;
}

void conv_pack(const struct conv_shape *s, const struct conv_packing *packing)
{
    const struct conv_plan p = conv_plan(s, false);
    if (p.algorithm->pack) p.algorithm->pack(&p.shape, packing);
}

bool conv_folds_batch_norm(const struct conv_shape *s)
{
    const struct conv_plan p = conv_plan(s, false);
    return p.algorithm->folds_batch_norm && p.algorithm->folds_batch_norm(&p.shape);
}

/* What is done around a convolution. */
struct conv_around {
    const struct conv_shape *s;
    const struct conv_call *c;
    struct conv_plan plan;
    float *x, *y; /* float stand-ins for the tensors on either side, or NULL */
};

static struct conv_around conv_around(const struct conv_shape *s, const struct conv_call *c)
{
    struct conv_around a = { s, c, conv_plan(s, c->in_scale), NULL, NULL };
    float *room = c->work + a.plan.own;
    if (a.plan.widen_x || a.plan.apply) {
        a.x = room;
        room += mem_floats(conv_x_len(s));
    }
    if (a.plan.widen_y) a.y = room;
    return a;
}

static void conv_apply_chunk(void *ctx, size_t image)
{
    const struct conv_around *a = ctx;
    const size_t len = conv_x_image(a->s), channels = (size_t)a->s->c;
    const float *x = a->plan.widen_x ? a->x : a->c->x;
    kernels->fused->norm(&(struct norm_rows){ .y = a->x + image * len,
                                              .x = x + image * len,
                                              .a = a->c->in_scale,
                                              .b = a->c->in_shift,
                                              .rows = len / channels,
                                              .c = channels,
                                              .relu = true,
                                              .cap = a->c->in_cap });
}

static void conv_zero_chunk(void *ctx, size_t image)
{
    const struct conv_around *a = ctx;
    const size_t len = conv_x_image(a->s);
    float *dx = a->x ? a->x : a->c->dx;
    memset(dx + image * len, 0, len * sizeof *dx);
}

static void conv_sums_chunk(void *ctx, size_t image)
{
    const struct conv_around *a = ctx;
    const size_t len = conv_y_image(a->s), channels = (size_t)a->s->k;
    const float *y = a->y ? a->y + image * len : (const float *)a->c->y + image * len;
    float *sums = a->c->sums + image * channels, *squares = a->c->squares + image * channels;
    float *zero = parallel_scratch(channels);
    memset(zero, 0, channels * sizeof *zero);
    memset(sums, 0, channels * sizeof *sums);
    memset(squares, 0, channels * sizeof *squares);
    kernels->channel_sums(sums, squares, y, zero, len / channels, channels);
}

/* One image a chunk. */
static void conv_each(struct conv_around *a, void (*chunk)(void *ctx, size_t image))
{
    parallel_for((size_t)a->s->n, chunk, a);
}

/* The call's input as the algorithm shall see it. */
static void conv_give_x(struct conv_around *a, struct conv_call *call)
{
    if (!a->x) return;
    if (a->plan.widen_x) bf16_widen(a->x, a->c->x, conv_x_len(a->s));
    call->x = a->x;
    if (!a->plan.apply) return;
    conv_each(a, conv_apply_chunk);
    call->in_scale = call->in_shift = NULL, call->in_cap = 0;
}

static void conv_give_dy(struct conv_around *a, struct conv_call *call)
{
    if (!a->y) return;
    bf16_widen(a->y, a->c->dy, conv_y_len(a->s));
    call->dy = a->y;
}

void conv_forward(const struct conv_shape *s, const struct conv_call *c)
{
    struct conv_around a = conv_around(s, c);
    struct conv_call call = *c;
    conv_give_x(&a, &call);
    if (a.y) call.y = a.y;
    a.plan.algorithm->forward(&a.plan.shape, &call);
    if (c->sums && !a.plan.algorithm->fuses_batch_norm) conv_each(&a, conv_sums_chunk);
    if (a.y) bf16_narrow(c->y, a.y, conv_y_len(s));
}

void conv_backward_data(const struct conv_shape *s, const struct conv_call *c)
{
    struct conv_around a = conv_around(s, c);
    struct conv_call call = *c;
    conv_give_dy(&a, &call);
    if (!a.plan.widen_x) a.x = NULL;
    if (a.x) call.dx = a.x;
    if (c->overwrite && !a.plan.algorithm->fuses_batch_norm)
        conv_each(&a, conv_zero_chunk);
    else if (a.x && !c->overwrite)
        bf16_widen(a.x, c->dx, conv_x_len(s));
    a.plan.algorithm->backward_data(&a.plan.shape, &call);
    if (a.x) bf16_narrow(c->dx, a.x, conv_x_len(s));
}

void conv_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    struct conv_around a = conv_around(s, c);
    struct conv_call call = *c;
    conv_give_x(&a, &call);
    conv_give_dy(&a, &call);
    a.plan.algorithm->backward_weights(&a.plan.shape, &call);
}
