#ifndef TESTS_UNIT_TRIAL_H
#define TESTS_UNIT_TRIAL_H
/* One op on tensors of its own, without a graph. Every buffer stands between guards that tell when
 * something was written outside. */
#include "core/base/digest.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/ops/op_call.h"
#include "core/ops/ops.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum fill {
    FILL_NORMAL,   /* mean 0, sd 1/2 */
    FILL_SPREAD,   /* a shuffled ladder around 0, steps of 0.05: no two values and no 0 within it */
    FILL_BETWEEN,  /* the same, half a step further: none of FILL_SPREAD's values either */
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
    bool bf16; /* input 0, the output and what else has many pixels; never parameters */
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
            [FILL_BETWEEN] = ((float)order[i] - (float)(len / 2)) * 0.05f,
            [FILL_POSITIVE] = 0.5f + (float)rng_uniform(r),
            [FILL_LABEL] = (float)(order[i] % (uint32_t)classes),
        };
        x[i] = made[fill];
    }
    free(order);
}

static inline void *trial_room(struct trial *t, const struct tensor *x)
{
    return trial_buffer(t, (tensor_bytes(x) + sizeof(float) - 1) / sizeof(float));
}

/* Fills x's contents, or its gradient, with numbers drawn. */
static inline void trial_draw(const struct tensor *x, void *to, enum fill fill, int classes,
                              struct rng *r)
{
    const size_t len = tensor_len(x);
    float *drawn = mem_new(len, sizeof *drawn);
    trial_fill(drawn, len, fill, classes, r);
    if (x->bf16)
        bf16_narrow(to, drawn, len);
    else
        memcpy(to, drawn, len * sizeof *drawn);
    free(drawn);
}

static inline bool trial_parameter(const struct trial_case *c, int i)
{
    return i > 0 && (c->op == OP_conv2d || c->in[i][1] * c->in[i][2] == 1);
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
        x->bf16 = c->bf16 && !trial_parameter(c, i);
        x->data = trial_room(t, x);
        trial_draw(x, x->data, c->fill[i], c->in[0][3], &r);
        if (!(c->no_grad >> i & 1) && c->fill[i] != FILL_LABEL) x->grad = trial_room(t, x);
        t->kept[i] = trial_room(t, x);
        t->call.in[i] = x;
        t->n_in++;
    }
    struct err e;
    ck_assert_msg(t->op->infer(&t->call, &e), "%s: %s", t->op->name, e.text);
    t->out.bf16 = c->bf16;
    t->out.data = trial_room(t, &t->out);
    t->out.grad = trial_room(t, &t->out);
    trial_draw(&t->out, t->out.grad, FILL_NORMAL, 1, &r);
    if (t->op->saved) t->call.saved = trial_buffer(t, t->op->saved(&t->call));
    const size_t work = op_work(t->op, &t->call);
    if (work) t->call.work = trial_buffer(t, work);
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

/* All bits are set: NaN, as floats and as bf16. */
static inline void trial_nan(const struct tensor *x) { memset(x->data, 0xff, tensor_bytes(x)); }

/* Backward as the graph may call it: whatever it does not say it reads is NaN. The inputs are
 * restored afterwards. */
static inline void trial_backward(struct trial *t)
{
    for (int i = 0; i < t->n_in; i++) {
        memcpy(t->kept[i], t->in[i].data, tensor_bytes(&t->in[i]));
        if (!(t->op->backward_reads & READS_IN(i))) trial_nan(&t->in[i]);
    }
    if (!(t->op->backward_reads & READS_OUT)) trial_nan(&t->out);
    trial_set(t->call.work, op_work(t->op, &t->call), NAN);
    op_backward(t->op, &t->call);
    for (int i = 0; i < t->n_in; i++) memcpy(t->in[i].data, t->kept[i], tensor_bytes(&t->in[i]));
}

/* A digest of everything that forward and backward leave, but of work. */
static inline uint64_t trial_digest(const struct trial_case *c)
{
    struct trial t;
    struct digest *d = digest_create();
    trial_begin(&t, c);
    op_forward(t.op, &t.call);
    digest_add(d, t.out.data, tensor_bytes(&t.out));
    trial_backward(&t);
    for (int i = 0; i < t.n_in; i++) {
        size_t bytes = tensor_bytes(&t.in[i]);
        digest_add(d, t.in[i].data, bytes); /* a batch norm moves its running statistics */
        if (t.in[i].grad) digest_add(d, t.in[i].grad, bytes);
    }
    trial_end(&t);
    return digest_end(d);
}
#endif
