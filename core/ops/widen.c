#include "core/ops/widen.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"

enum { WIDEN_PART = 1 << 14 }; /* floats copied by one chunk */

/* A call with float stand-ins for the tensors that its op does not take as they are. */
struct widened {
    struct op_call call;
    struct tensor in[OP_INPUTS], out;
    bool wide[OP_INPUTS], wide_out;
};

struct widen_copy {
    float *wide;
    bf16 *narrow;
    size_t len;
    bool back;
};

static void widen_chunk(void *ctx, size_t chunk)
{
    const struct widen_copy *w = ctx;
    const size_t at = chunk * WIDEN_PART;
    const size_t len = w->len - at < WIDEN_PART ? w->len - at : WIDEN_PART;
    if (w->back)
        kernels->narrow(w->narrow + at, w->wide + at, len);
    else
        kernels->widen(w->wide + at, w->narrow + at, len);
}

static void widen_run(float *wide, void *narrow, size_t len, bool back)
{
    struct widen_copy w = { wide, narrow, len, back };
    parallel_for((len + WIDEN_PART - 1) / WIDEN_PART, widen_chunk, &w);
}

static size_t widen_room(const struct tensor *t) { return (tensor_len(t) + 15) / 16 * 16; }

/* The first input that is the same tensor as input i: both share one stand-in. */
static int widen_same(const struct op_call *c, int i)
{
    int first = 0;
    while (c->in[first] != c->in[i]) first++;
    return first;
}

/* The stand-ins lie in work after the op's own: contents, and gradients where there are some. */
static struct tensor widen_tensor(const struct tensor *t, float **room)
{
    struct tensor wide = *t;
    wide.bf16 = false;
    wide.data = *room;
    *room += widen_room(t);
    if (t->grad) {
        wide.grad = *room;
        *room += widen_room(t);
    }
    return wide;
}

static void widen_call(struct widened *w, const struct op *op, const struct op_call *c)
{
    *w = (struct widened){ .call = *c };
    float *room = c->work + (op->work ? (op->work(c) + 15) / 16 * 16 : 0);
    for (int i = 0; i < OP_INPUTS; i++) {
        const struct tensor *t = c->in[i];
        w->wide[i] = t && t->bf16 && !t->norm && !(op->bf16 & READS_IN(i));
        if (!w->wide[i]) continue;
        const int first = widen_same(c, i);
        if (first == i) w->in[i] = widen_tensor(t, &room);
        w->call.in[i] = &w->in[first];
        w->wide[i] = first == i;
    }
    w->wide_out = c->out->bf16 && !c->out->norm && !(op->bf16 & READS_OUT);
    if (!w->wide_out) return;
    w->out = widen_tensor(c->out, &room);
    w->call.out = &w->out;
}

static bool widen_needed(const struct op *op, const struct op_call *c)
{
    bool needed = c->out->bf16 && !c->out->norm && !(op->bf16 & READS_OUT);
    for (int i = 0; i < OP_INPUTS; i++)
        needed |= c->in[i] && c->in[i]->bf16 && !c->in[i]->norm && !(op->bf16 & READS_IN(i));
    return needed;
}

size_t op_work(const struct op *op, const struct op_call *c)
{
    size_t work = op->work ? op->work(c) : 0;
    if (!widen_needed(op, c)) return work;
    work = (work + 15) / 16 * 16;
    for (int i = 0; i < OP_INPUTS; i++)
        if (c->in[i] && c->in[i]->bf16 && !c->in[i]->norm && !(op->bf16 & READS_IN(i)))
            work += 2 * widen_room(c->in[i]);
    if (c->out->bf16 && !(op->bf16 & READS_OUT)) work += 2 * widen_room(c->out);
    return work;
}

void op_forward(const struct op *op, const struct op_call *c)
{
    if (!widen_needed(op, c)) {
        op->forward(c);
        return;
    }
    struct widened w;
    widen_call(&w, op, c);
    for (int i = 0; i < OP_INPUTS; i++)
        if (w.wide[i]) widen_run(w.in[i].data, c->in[i]->data, tensor_len(c->in[i]), false);
    op->forward(&w.call);
    if (w.wide_out) widen_run(w.out.data, c->out->data, tensor_len(c->out), true);
}

void op_backward(const struct op *op, const struct op_call *c)
{
    if (!widen_needed(op, c)) {
        op->backward(c);
        return;
    }
    struct widened w;
    widen_call(&w, op, c);
    for (int i = 0; i < OP_INPUTS; i++) {
        if (!w.wide[i]) continue;
        const size_t len = tensor_len(c->in[i]);
        if (op->backward_reads & READS_IN(i)) widen_run(w.in[i].data, c->in[i]->data, len, false);
        if (c->in[i]->grad && !(c->fresh & READS_IN(i)))
            widen_run(w.in[i].grad, c->in[i]->grad, len, false);
    }
    if (w.wide_out) {
        const size_t len = tensor_len(c->out);
        if (op->backward_reads & READS_OUT) widen_run(w.out.data, c->out->data, len, false);
        if (c->out->grad) widen_run(w.out.grad, c->out->grad, len, false);
    }
    op->backward(&w.call);
    for (int i = 0; i < OP_INPUTS; i++)
        if (w.wide[i] && c->in[i]->grad)
            widen_run(w.in[i].grad, c->in[i]->grad, tensor_len(c->in[i]), true);
}
