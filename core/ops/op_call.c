#include "core/ops/op_call.h"
#include "core/base/mem.h"

/* A call with float stand-ins for the tensors that its op does not take as they are. */
struct widened {
    struct op_call call;
    struct tensor in[OP_INPUTS], out;
    bool wide[OP_INPUTS], wide_out;
};

/* The tensors that the op takes as bf16 in this call: READS_IN and READS_OUT bits. */
static unsigned widen_none(const struct op *op, const struct op_call *c)
{
    for (int i = 0; op->bf16_alike && i < OP_INPUTS; i++)
        if (c->in[i] && (op->bf16 & READS_IN(i)) && c->in[i]->bf16 != c->out->bf16) return 0;
    return op->bf16;
}

/* Whether the op takes input i, and the output, as float only. A deferred tensor has no contents.
 */
static bool widen_in(const struct op *op, const struct op_call *c, int i)
{
    const struct tensor *t = c->in[i];
    return t && t->bf16 && !t->deferred && !(widen_none(op, c) & READS_IN(i));
}

static bool widen_out(const struct op *op, const struct op_call *c)
{
    return c->out->bf16 && !c->out->deferred && !(widen_none(op, c) & READS_OUT);
}

static void widen_data(const struct tensor *wide, const struct tensor *t)
{
    bf16_widen(wide->data, tensor_data(t, 0), tensor_len(t));
}

static void widen_grad(const struct tensor *wide, const struct tensor *t)
{
    bf16_widen(wide->grad, tensor_grad(t, 0), tensor_len(t));
}

static size_t widen_room(const struct tensor *t) { return mem_floats(tensor_len(t)); }

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
    float *room = c->work + (op->work ? mem_floats(op->work(c)) : 0);
    for (int i = 0; i < OP_INPUTS; i++) {
        w->wide[i] = widen_in(op, c, i);
        if (!w->wide[i]) continue;
        const int first = widen_same(c, i);
        if (first == i) w->in[i] = widen_tensor(c->in[i], &room);
        w->call.in[i] = &w->in[first];
        w->wide[i] = first == i;
    }
    w->wide_out = widen_out(op, c);
    if (!w->wide_out) return;
    w->out = widen_tensor(c->out, &room);
    w->call.out = &w->out;
}

static bool widen_needed(const struct op *op, const struct op_call *c)
{
    bool needed = widen_out(op, c);
    for (int i = 0; i < OP_INPUTS; i++) needed |= widen_in(op, c, i);
    return needed;
}

size_t op_work(const struct op *op, const struct op_call *c)
{
    size_t work = op->work ? op->work(c) : 0;
    if (!widen_needed(op, c)) return work;
    work = mem_floats(work);
    for (int i = 0; i < OP_INPUTS; i++)
        if (widen_in(op, c, i)) work += 2 * widen_room(c->in[i]);
    if (widen_out(op, c)) work += 2 * widen_room(c->out);
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
        if (w.wide[i]) widen_data(&w.in[i], c->in[i]);
    op->forward(&w.call);
    if (w.wide_out) bf16_narrow(tensor_data(c->out, 0), w.out.data, tensor_len(c->out));
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
        if (op->backward_reads & READS_IN(i)) widen_data(&w.in[i], c->in[i]);
        if (c->in[i]->grad && !(c->fresh & READS_IN(i))) widen_grad(&w.in[i], c->in[i]);
    }
    if (w.wide_out) {
        if (op->backward_reads & READS_OUT) widen_data(&w.out, c->out);
        if (c->out->grad) widen_grad(&w.out, c->out);
    }
    op->backward(&w.call);
    for (int i = 0; i < OP_INPUTS; i++)
        if (w.wide[i] && c->in[i]->grad)
            bf16_narrow(tensor_grad(c->in[i], 0), w.in[i].grad, tensor_len(c->in[i]));
}
