/* Convolution: inputs x, weights (kh, kw, c / groups, k), optionally a bias (1, 1, 1, k). */
#include "core/kernels/conv/conv.h"
#include "core/ops/fused.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

enum { X, WEIGHTS, BIAS };

static struct padding conv2d_padding(const struct op_call *c)
{
    const struct conv2d_attr *a = c->attr;
    return a ? a->pad : (struct padding){ 0, 0, 0, 0 };
}

static struct conv_shape conv2d_shape(const struct op_call *c)
{
    const struct conv2d_attr *a = c->attr;
    const struct tensor *x = c->in[X], *w = c->in[WEIGHTS];
    struct conv_shape s = { .n = x->n, .h = x->h, .w = x->w, .c = x->c };
    s.bf16_x = (x->deferred ? x->producer->in[0] : x)->bf16, s.bf16_y = c->out->bf16;
    s.k = w->c, s.kh = w->n, s.kw = w->h;
    s.stride = a && a->stride ? a->stride : 1;
    s.groups = a && a->groups ? a->groups : 1;
    const struct padding pad = conv2d_padding(c);
    s.pad_top = pad.top, s.pad_left = pad.left;
    s.oh = (s.h + pad.top + pad.bottom - s.kh) / s.stride + 1;
    s.ow = (s.w + pad.left + pad.right - s.kw) / s.stride + 1;
    return s;
}

static bool conv2d_infer(struct op_call *c, struct err *e)
{
    const struct tensor *w = c->in[WEIGHTS], *bias = c->in[BIAS];
    const struct conv2d_attr *a = c->attr;
    const struct padding pad = conv2d_padding(c);
    if (a && (a->stride < 0 || a->groups < 0 || pad.top < 0 || pad.left < 0))
        return err_set(e,
                       "conv2d: stride %d, padding %d at the top and %d at the left and groups %d "
                       "must not be negative",
                       a->stride, pad.top, pad.left, a->groups);
    struct conv_shape s = conv2d_shape(c);
    if (s.c % s.groups || s.k % s.groups)
        return err_set(e, "conv2d: %d groups do not divide %d input and %d output channels",
                       s.groups, s.c, s.k);
    if (w->w != s.c / s.groups)
        return err_set(e, "conv2d: weights for %d input channels in a group, but there are %d",
                       w->w, s.c / s.groups);
    if (s.h + pad.top + pad.bottom < s.kh || s.w + pad.left + pad.right < s.kw)
        return err_set(e,
                       "conv2d: a %dx%d kernel does not fit into %dx%d pixels with padding %d, %d, "
                       "%d, %d (top, bottom, left, right)",
                       s.kh, s.kw, s.h, s.w, pad.top, pad.bottom, pad.left, pad.right);
    if (bias && !shape_is(bias, 1, 1, 1, s.k))
        return err_set(e, "conv2d: a bias of " SHAPE " for %d channels", SHAPE_OF(bias), s.k);
    shape_set(c->out, s.n, s.oh, s.ow, s.k);
    return true;
}

static size_t conv2d_work(const struct op_call *c)
{
    struct conv_shape s = conv2d_shape(c);
    size_t work = conv_work(&s), bias = c->in[BIAS] ? channel_total_work(c->out) : 0;
    if (work < bias) work = bias;
    return work > (size_t)s.k ? work : (size_t)s.k; /* a norm's scale */
}

static size_t conv2d_scratch(const struct op_call *c)
{
    struct conv_shape s = conv2d_shape(c);
    return conv_scratch(&s, c->in[X]->deferred);
}

/* The call as the kernels know it: a deferred input is read as the norm's input, and the norm that
 * follows in a fused step gets its sums. */
static struct conv_call conv2d_call(const struct op_call *c)
{
    const struct tensor *x = c->in[X], *w = c->in[WEIGHTS];
    struct conv_call call = { .x = x->data, .w = w->data, .work = c->work };
    if (x->deferred) call.x = x->producer->in[0]->data;
    if (x->deferred && !fused_norm_folds(x->producer)) {
        struct fused_norm_state s = fused_norm_state(x->producer);
        const struct fused_norm_attr *norm = x->producer->attr;
        call.in_scale = s.a, call.in_shift = s.b, call.in_cap = norm->cap;
    }
    return call;
}

/* Packed weights; with the norm's scale in them, and its shift after them, where that folds. */
static size_t conv2d_prepared(const struct op_call *c)
{
    struct conv_shape s = conv2d_shape(c);
    const size_t packed = conv_packed(&s, CONV_FORWARD);
    const bool gives = packed && (!c->links.norm || conv_folds_batch_norm(&s));
    return gives ? packed + (c->links.norm ? (size_t)s.k : 0) : 0;
}

static void conv2d_prepare(const struct op_call *c)
{
    struct conv_shape s = conv2d_shape(c);
    struct conv_packing p = { .pass = CONV_FORWARD,
                              .w = c->in[WEIGHTS]->data,
                              .packed = c->prepared };
    float *scale = c->work;
    if (c->links.norm && fused_norm_folds(c->links.norm)) {
        fused_norm_fold(c->links.norm, scale, c->prepared + conv_packed(&s, CONV_FORWARD));
        p.scale = scale;
    }
    conv_pack(&s, &p);
}

static void conv2d_forward(const struct op_call *c)
{
    struct conv_shape s = conv2d_shape(c);
    struct conv_call call = conv2d_call(c);
    call.y = c->out->data;
    if (c->in[BIAS]) call.bias = c->in[BIAS]->data;
    if (c->prepared && !c->step->training) {
        call.packed = c->prepared;
        if (c->links.norm && fused_norm_folds(c->links.norm)) {
            const struct fused_norm_attr *norm = c->links.norm->attr;
            call.bias = c->prepared + conv_packed(&s, CONV_FORWARD);
            call.relu = norm->relu, call.cap = norm->cap;
        }
    }
    if (c->links.norm && fused_norm_wants_sums(c->links.norm)) {
        struct fused_norm_state norm = fused_norm_state(c->links.norm);
        call.sums = norm.sum, call.squares = norm.square;
        if (c->step->training) call.bias = fused_norm_pivot(c->links.norm, call.bias);
    }
    conv_forward(&s, &call);
}

static void conv2d_backward(const struct op_call *c)
{
    struct conv_shape s = conv2d_shape(c);
    struct conv_call call = conv2d_call(c);
    struct tensor *x = c->in[X], *w = c->in[WEIGHTS], *bias = c->in[BIAS];
    call.dy = c->out->grad, call.dx = x->grad, call.dw = w->grad;
    call.overwrite = c->fresh & READS_IN(X);
    if (x->grad) conv_backward_data(&s, &call);
    if (w->grad) conv_backward_weights(&s, &call);
    if (bias && bias->grad) channel_total(bias->grad, c->out, c->work);
}

static uint64_t conv2d_macs(const struct op_call *c)
{
    struct conv_shape s = conv2d_shape(c);
    return conv_macs(&s);
}

static uint64_t conv2d_macs_executed(const struct op_call *c)
{
    struct conv_shape s = conv2d_shape(c);
    return conv_macs_executed(&s);
}

static void conv2d_describe(const struct op_call *c, struct text *t)
{
    struct conv_shape s = conv2d_shape(c);
    const struct padding pad = conv2d_padding(c);
    const bool even = pad.top == pad.bottom && pad.top == pad.left && pad.top == pad.right;
    text_addf(t, "%dx%d/%d pad %d", s.kh, s.kw, s.stride, pad.top);
    if (!even) text_addf(t, ",%d,%d,%d", pad.bottom, pad.left, pad.right);
    text_addf(t, " groups %d", s.groups);
}

const struct op op_conv2d = {
    .name = "conv2d",
    .n_in = 2,
    .n_optional = 1,
    .attr_size = sizeof(struct conv2d_attr),
    .backward_reads = READS_IN(X) | READS_IN(WEIGHTS),
    .overwrites = READS_IN(X),
    .bf16 = READS_IN(X) | READS_OUT,
    .infer = conv2d_infer,
    .work = conv2d_work,
    .scratch = conv2d_scratch,
    .prepared = conv2d_prepared,
    .prepare = conv2d_prepare,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
    .macs = conv2d_macs,
    .macs_executed = conv2d_macs_executed,
    .describe = conv2d_describe,
};
