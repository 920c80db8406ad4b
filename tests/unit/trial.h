#ifndef TESTS_UNIT_TRIAL_H
#define TESTS_UNIT_TRIAL_H
/* One op on tensors of its own, without a graph. Every buffer stands between guards that tell when
 * something was written outside. */
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/ops/ops.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum fill {
    FILL_NORMAL,   /* mean 0, sd 1/2 */
    FILL_SPREAD,   /* a shuffled ladder around 0, steps of 0.05: no two values and no 0 within it */
    FILL_POSITIVE, /* 0.5 .. 1.5 */
    FILL_LABEL     /* class numbers below the channels of input 0; has no gradient */
};

struct trial_case {
    enum op_id op;
    int in[OP_INPUTS][4]; /* n, h, w, c */
    enum fill fill[OP_INPUTS];
    const void *attr;
    unsigned no_grad; /* bit i: input i is nobody's gradient */
    bool evaluation;
};

enum { TRIAL_GUARD = 16 };
static const float trial_mark = -12345.5f;

struct trial {
    const struct trial_case *of;
    const struct op *op;
    struct tensor in[OP_INPUTS], out;
    float *kept[OP_INPUTS]; /* room for a copy of each input */
    struct op_call call;
    struct step step;
    float *buffers[3 * OP_INPUTS + 4];
    size_t lens[3 * OP_INPUTS + 4];
    int n_buffers, n_in;
};

static inline float *trial_buffer(struct trial *t, size_t len)
{
    float *p = mem_new(len + 2 * TRIAL_GUARD, sizeof *p);
    for (int i = 0; i < TRIAL_GUARD; i++) p[i] = p[TRIAL_GUARD + len + (size_t)i] = trial_mark;
    t->buffers[t->n_buffers] = p;
    t->lens[t->n_buffers++] = len;
    return p + TRIAL_GUARD;
}

static inline void trial_fill(float *x, size_t len, enum fill fill, int classes, struct rng *r)
{
    uint32_t *order = calloc(len, sizeof *order);
    rng_shuffle(r, order, (uint32_t)len);
    for (size_t i = 0; i < len; i++) {
        const float made[] = {
            [FILL_NORMAL] = 0.5f * (float)rng_normal(r),
            [FILL_SPREAD] = ((float)order[i] - (float)(len / 2) + 0.5f) * 0.05f,
            [FILL_POSITIVE] = 0.5f + (float)rng_uniform(r),
            [FILL_LABEL] = (float)(order[i] % (uint32_t)classes),
        };
        x[i] = made[fill];
    }
    free(order);
}

/* Inputs and the gradient of the output are drawn, the other gradients zero. */
static inline void trial_begin(struct trial *t, const struct trial_case *c)
{
    *t = (struct trial){ .of = c, .op = ops[c->op] };
    t->step = (struct step){ .training = !c->evaluation, .seed = 3, .index = 11 };
    t->call = (struct op_call){ .out = &t->out, .attr = c->attr, .step = &t->step, .name = "node" };
    struct rng r = rng_stream(1, RNG_TEST, (uint64_t)c->op, 0);
    for (int i = 0; i < OP_INPUTS && c->in[i][0]; i++) {
        struct tensor *x = &t->in[i];
        *x = (struct tensor){
            .n = c->in[i][0], .h = c->in[i][1], .w = c->in[i][2], .c = c->in[i][3]
        };
        x->data = trial_buffer(t, tensor_len(x));
        trial_fill(x->data, tensor_len(x), c->fill[i], c->in[0][3], &r);
        if (!(c->no_grad >> i & 1) && c->fill[i] != FILL_LABEL)
            x->grad = trial_buffer(t, tensor_len(x));
        t->kept[i] = trial_buffer(t, tensor_len(x));
        t->call.in[i] = x;
        t->n_in++;
    }
    struct err e;
    ck_assert_msg(t->op->infer(&t->call, &e), "%s: %s", t->op->name, e.text);
    t->out.data = trial_buffer(t, tensor_len(&t->out));
    t->out.grad = trial_buffer(t, tensor_len(&t->out));
    trial_fill(t->out.grad, tensor_len(&t->out), FILL_NORMAL, 1, &r);
    if (t->op->saved) t->call.saved = trial_buffer(t, t->op->saved(&t->call));
    if (t->op->work) t->call.work = trial_buffer(t, t->op->work(&t->call));
}

static inline void trial_end(struct trial *t)
{
    for (int b = 0; b < t->n_buffers; b++) {
        const float *p = t->buffers[b], *past = p + TRIAL_GUARD + t->lens[b];
        for (int i = 0; i < TRIAL_GUARD; i++)
            ck_assert_msg(p[i] == trial_mark && past[i] == trial_mark,
                          "%s wrote outside of buffer %d of %zu floats", t->op->name, b,
                          t->lens[b]);
        free(t->buffers[b]);
    }
}

static inline void trial_set(float *x, size_t len, float value)
{
    for (size_t i = 0; x && i < len; i++) x[i] = value;
}

/* Backward as the graph may call it: whatever it does not say it reads is NaN. The inputs are
 * restored afterwards. */
static inline void trial_backward(struct trial *t)
{
    for (int i = 0; i < t->n_in; i++) {
        size_t len = tensor_len(&t->in[i]);
        memcpy(t->kept[i], t->in[i].data, len * sizeof(float));
        if (!(t->op->backward_reads & READS_IN(i))) trial_set(t->in[i].data, len, NAN);
    }
    if (!(t->op->backward_reads & READS_OUT)) trial_set(t->out.data, tensor_len(&t->out), NAN);
    if (t->op->work) trial_set(t->call.work, t->op->work(&t->call), NAN);
    t->op->backward(&t->call);
    for (int i = 0; i < t->n_in; i++)
        memcpy(t->in[i].data, t->kept[i], tensor_len(&t->in[i]) * sizeof(float));
}
#endif
