#include "core/ops/parts.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include <string.h>

enum { PART_FLOATS = 1 << 14, PARTS_MOST = 64 };

size_t part_count(size_t items, size_t floats)
{
    size_t parts = (items * floats + PART_FLOATS - 1) / PART_FLOATS;
    if (parts > PARTS_MOST) parts = PARTS_MOST;
    if (parts > items) parts = items;
    return parts ? parts : 1;
}

struct parts {
    const struct op_call *call;
    size_t items, count;
    void (*f)(const struct op_call *c, struct part p);
    void (*floats)(const struct op_call *c, size_t at, size_t len);
};

static void parts_chunk(void *ctx, size_t chunk)
{
    const struct parts *p = ctx;
    struct part part = { .number = chunk };
    parallel_part(p->items, p->count, chunk, &part.begin, &part.end);
    if (p->f)
        p->f(p->call, part);
    else
        p->floats(p->call, part.begin, part.end - part.begin);
}

void parts_run(const struct op_call *c, size_t items, size_t parts,
               void (*f)(const struct op_call *c, struct part p))
{
    parallel_for(parts, parts_chunk, &(struct parts){ c, items, parts, f, NULL });
}

void floats_run(const struct op_call *c, void (*f)(const struct op_call *c, size_t at, size_t len))
{
    size_t len = tensor_len(c->out), parts = part_count(len, 1);
    parallel_for(parts, parts_chunk, &(struct parts){ c, len, parts, NULL, f });
}

const float *tensor_floats(const struct tensor *t, size_t at, size_t len, float *room)
{
    if (!t->bf16) return t->data + at;
    kernels->widen(room, tensor_data(t, at), len);
    return room;
}

const float *tensor_grad_floats(const struct tensor *t, size_t at, size_t len, float *room)
{
    if (!t->bf16) return t->grad + at;
    kernels->widen(room, tensor_grad(t, at), len);
    return room;
}

static void numbers_copy(void *to, bool to_bf16, const void *from, bool from_bf16, size_t c)
{
    if (to_bf16 == from_bf16)
        memcpy(to, from, c * (to_bf16 ? 2 : sizeof(float)));
    else if (to_bf16)
        kernels->narrow(to, from, c);
    else
        kernels->widen(to, from, c);
}

void pixel_copy(struct pixel to, struct pixel from, size_t c)
{
    numbers_copy(tensor_data(to.t, to.at), to.t->bf16, tensor_data(from.t, from.at), from.t->bf16,
                 c);
}

void pixel_pass(struct pixel to, struct pixel from, size_t c, bool fresh)
{
    void *dx = tensor_grad(to.t, to.at);
    const void *dy = tensor_grad(from.t, from.at);
    if (fresh) {
        numbers_copy(dx, to.t->bf16, dy, from.t->bf16, c);
    } else if (to.t->bf16 == from.t->bf16) {
        fused_for(to.t->bf16)->add(dx, dy, c);
    } else {
        float *sum = parallel_scratch(2 * c), *more = sum + c;
        kernels->add(sum, tensor_grad_floats(to.t, to.at, c, sum),
                     tensor_grad_floats(from.t, from.at, c, more), c);
        numbers_copy(dx, to.t->bf16, sum, false, c);
    }
}

struct total {
    const struct tensor *y;
    float *partial;
    size_t pixels, channels, parts;
};

static void total_chunk(void *ctx, size_t chunk)
{
    const struct total *t = ctx;
    float *sum = t->partial + chunk * t->channels;
    size_t begin, end;
    memset(sum, 0, t->channels * sizeof *sum);
    parallel_part(t->pixels, t->parts, chunk, &begin, &end);
    if (!t->y->bf16) {
        kernels->channel_sum(sum, t->y->grad + begin * t->channels, end - begin, t->channels);
        return;
    }
    float *room = parallel_scratch(t->channels);
    for (size_t i = begin; i < end; i++)
        kernels->add(sum, sum, tensor_grad_floats(t->y, i * t->channels, t->channels, room),
                     t->channels);
}

size_t channel_total_work(const struct tensor *y)
{
    return part_count(tensor_pixels(y), (size_t)y->c) * (size_t)y->c;
}

void channel_total(float *sum, const struct tensor *y, float *partial)
{
    struct total t = { y, partial, tensor_pixels(y), (size_t)y->c, 0 };
    t.parts = part_count(t.pixels, t.channels);
    parallel_for(t.parts, total_chunk, &t);
    kernels->channel_sum(sum, partial, t.parts, t.channels);
}
