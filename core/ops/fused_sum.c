/* out = relu(f0 gate0 arm0 + f1 gate1 arm1 + f2 gate2 arm2), or without the ReLU: the end of a
 * residual block (core/ops/fused.h). An arm is a tensor or deferred, y = a u + b, has a gate (n, 1,
 * 1, c) or not, and a constant factor f; arms that are scaled (deferred, gated, or f is not 1)
 * stand before the others.
 *
 * Backward turns out's gradient, in place, into the gradient g of the sum: masked by the ReLU, and
 * with what a squeeze of out adds. The norms of deferred arms go on to use it, and so does a plain
 * arm whose gradient is planned into the same memory. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/fused.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

enum { BLOCK_FLOATS = 4096 }; /* of rows that a third arm is added to while they are in the cache */

static bool fused_sum_infer(struct op_call *c, struct err *e)
{
    (void)e; /* it takes the place of ops that were not refused */
    shape_copy(c->out, c->in[ARM0]);
    return true;
}

/* Sums of out for a squeeze, and the squeeze's gradient. */
static size_t fused_sum_saved(const struct op_call *c)
{
    return c->links.squeezed ? 2 * (size_t)c->out->n * (size_t)c->out->c : 0;
}

struct squeeze_sums fused_sum_squeezed(const struct op_call *c)
{
    return (struct squeeze_sums){ .sum = c->saved,
                                  .grad = c->saved + (size_t)c->out->n * (size_t)c->out->c };
}

static int fused_sum_arms(const struct op_call *c) { return c->in[ARM2] ? 3 : 2; }

static size_t fused_sum_pixels(const struct op_call *c)
{
    return (size_t)c->out->h * (size_t)c->out->w;
}

/* What is read of an arm, from element `at` on. */
static const void *arm_values(const struct tensor *arm, size_t at)
{
    return tensor_data(arm->deferred ? arm->producer->in[0] : arm, at);
}

static float arm_constant(const struct op_call *c, int arm)
{
    const struct fused_sum_attr *attr = c->attr;
    return attr->factor[arm];
}

/* What arm's y is multiplied by in one image: gate and constant, [c], written to `room` where they
 * must be worked out. NULL: 1. at: of the image in (n, 1, 1, c). */
static const float *arm_factor(const struct op_call *c, int arm, size_t at, float *room)
{
    const struct tensor *g = c->in[GATE0 + arm];
    const float constant = arm_constant(c, arm), *gate = g ? g->data + at : NULL;
    if (constant == 1) return gate;
    for (size_t j = 0; j < (size_t)c->out->c; j++) room[j] = gate ? constant * gate[j] : constant;
    return room;
}

/* The same of what is read of the arm; b += what does not depend on that. */
static const float *arm_scale(const struct op_call *c, int arm, size_t at, float *room, float *b)
{
    const struct tensor *x = c->in[arm];
    const float *factors = arm_factor(c, arm, at, room);
    if (!x->deferred) return factors;
    const struct fused_norm_state s = fused_norm_state(x->producer);
    for (size_t j = 0; j < (size_t)c->out->c; j++) {
        const float factor = factors ? factors[j] : 1;
        room[j] = factor * s.a[j];
        b[j] += factor * s.b[j];
    }
    return room;
}

/* The third arm comes block by block, on top of what the first two have left in the cache. */
static void fused_sum_three(const struct sum_rows *all, const void *third, const float *scale,
                            bool is_bf16)
{
    const size_t fit = BLOCK_FLOATS / all->c, step = fit ? fit : 1, size = is_bf16 ? 2 : 4;
    for (size_t row = 0; row < all->rows; row += step) {
        const size_t at = row * all->c * size;
        struct sum_rows two = *all;
        two.out = (char *)all->out + at;
        two.u = (const char *)all->u + at, two.s = (const char *)all->s + at;
        two.rows = all->rows - row < step ? all->rows - row : step;
        two.relu = false, two.sum = NULL, two.stream = false;
        fused_for(is_bf16)->sum(&two);
        fused_for(is_bf16)->sum(&(struct sum_rows){ .out = two.out,
                                                    .u = two.out,
                                                    .s = (const char *)third + at,
                                                    .sa = scale,
                                                    .sum = all->sum,
                                                    .rows = two.rows,
                                                    .c = all->c,
                                                    .relu = all->relu });
    }
}

static void fused_sum_forward_part(const struct op_call *c, struct part p)
{
    const struct fused_sum_attr *attr = c->attr;
    const size_t channels = (size_t)c->out->c, rows = fused_sum_pixels(c);
    float *b = parallel_scratch((1 + ARMS) * channels);
    for (size_t i = p.begin; i < p.end; i++) {
        const size_t at = i * rows * channels;
        const float *scale[ARMS] = { NULL };
        memset(b, 0, channels * sizeof *b);
        for (int arm = 0; arm < fused_sum_arms(c); arm++)
            scale[arm] = arm_scale(c, arm, i * channels, b + (size_t)(1 + arm) * channels, b);
        struct sum_rows r = { .out = tensor_data(c->out, at),
                              .u = arm_values(c->in[ARM0], at),
                              .s = arm_values(c->in[ARM1], at),
                              .a = scale[ARM0],
                              .sa = scale[ARM1],
                              .b = b,
                              .rows = rows,
                              .c = channels,
                              .relu = attr->relu };
        if (c->links.squeezed) {
            r.sum = fused_sum_squeezed(c).sum + i * channels;
            memset(r.sum, 0, channels * sizeof *r.sum);
        }
        r.stream = c->step->training && fused_streams(tensor_bytes(c->out), channels);
        if (c->in[ARM2])
            fused_sum_three(&r, arm_values(c->in[ARM2], at), scale[ARM2], c->out->bf16);
        else
            fused_for(c->out->bf16)->sum(&r);
    }
}

static void fused_sum_forward(const struct op_call *c)
{
    parts_run(c, (size_t)c->out->n, (size_t)c->out->n, fused_sum_forward_part);
}

/* An arm's sums in the backward pass of one image: of g, and of g (values - mean). */
struct arm_sums {
    float *sum, *dot;  /* [c]; NULL: nobody needs them */
    const float *mean; /* [c] */
};

/* A deferred arm's go to its norm, a gated tensor's to `room` of 3 c floats. */
static struct arm_sums arm_sums(const struct op_call *c, int arm, size_t at, float *room)
{
    const struct tensor *x = c->in[arm];
    const size_t channels = (size_t)c->out->c;
    struct arm_sums s = { room, room + channels, room + 2 * channels };
    if (x->deferred) {
        const struct fused_norm_state norm = fused_norm_state(x->producer);
        s = (struct arm_sums){ norm.dsum + at, norm.ddot + at, norm.mean };
    } else if (c->in[GATE0 + arm]) {
        memset(room + 2 * channels, 0, channels * sizeof *room);
    } else {
        return (struct arm_sums){ NULL, NULL, NULL };
    }
    memset(s.sum, 0, channels * sizeof *s.sum);
    memset(s.dot, 0, channels * sizeof *s.dot);
    return s;
}

/* What the norm of a deferred arm will need of the gate, and the gate's gradient: the sum of g
 * times the arm, which is y = a (u - mean) + shift where it is deferred. */
static void arm_gate(const struct op_call *c, int arm, size_t at, struct arm_sums s)
{
    const struct tensor *gate = c->in[GATE0 + arm], *x = c->in[arm];
    const size_t channels = (size_t)c->out->c;
    const float f = arm_constant(c, arm);
    if (!x->deferred) {
        for (size_t j = 0; gate && gate->grad && j < channels; j++)
            gate->grad[at + j] += f * s.dot[j];
        return;
    }
    const struct fused_norm_state norm = fused_norm_state(x->producer);
    const float *shift = x->producer->in[2]->data;
    for (size_t j = 0; j < channels; j++) {
        norm.gate[at + j] = gate ? f * gate->data[at + j] : f;
        if (gate && gate->grad)
            gate->grad[at + j] += f * (norm.a[j] * s.dot[j] + shift[j] * s.sum[j]);
    }
}

/* f gate g for an arm that is a tensor: already there where the plan lets both share one place.
 * zeros: [c], and room for as much behind. */
static void arm_pass(const struct op_call *c, int arm, size_t image, float *zeros)
{
    const struct tensor *to = c->in[arm];
    const size_t channels = (size_t)c->out->c, rows = fused_sum_pixels(c);
    const size_t at = image * rows * channels, len = rows * channels;
    const bool fresh = c->fresh & READS_IN(arm);
    if (to->deferred || !to->grad || to->grad == c->out->grad) return;
    const float *factor = arm_factor(c, arm, image * channels, zeros + channels);
    if (factor)
        fused_for(to->bf16)->norm_grad(&(struct norm_grad_rows){ .dx = tensor_grad(to, at),
                                                                 .dy = tensor_grad(c->out, at),
                                                                 .x = tensor_grad(c->out, at),
                                                                 .alpha = factor,
                                                                 .beta = zeros,
                                                                 .gamma = zeros,
                                                                 .rows = rows,
                                                                 .c = channels,
                                                                 .add = !fresh });
    else if (fresh)
        memcpy(tensor_grad(to, at), tensor_grad(c->out, at), len * (to->bf16 ? 2 : sizeof(float)));
    else
        fused_for(to->bf16)->add(tensor_grad(to, at), tensor_grad(c->out, at), len);
}

/* g of one image, in place, and the sums of all arms. */
static void fused_sum_gradient(const struct op_call *c, size_t image, const struct arm_sums *s)
{
    const struct fused_sum_attr *attr = c->attr;
    const size_t channels = (size_t)c->out->c, rows = fused_sum_pixels(c);
    const size_t at = image * rows * channels;
    struct sum_grad_rows r = { .g = tensor_grad(c->out, at), .rows = rows, .c = channels };
    if (attr->relu) r.out = tensor_data(c->out, at);
    if (c->links.squeezed) r.more = fused_sum_squeezed(c).grad + image * channels;
    r.sum = s[ARM0].sum;
    if (s[ARM0].dot) r.u = arm_values(c->in[ARM0], at), r.dot_u = s[ARM0].dot;
    if (s[ARM1].dot) r.s = arm_values(c->in[ARM1], at), r.dot_s = s[ARM1].dot;
    r.mean_u = s[ARM0].mean, r.mean_s = s[ARM1].mean;
    if (attr->relu || r.more || r.sum) fused_for(c->out->bf16)->sum_grad(&r);
    if (s[ARM0].sum && s[ARM1].sum) memcpy(s[ARM1].sum, s[ARM0].sum, channels * sizeof *r.sum);
    if (!s[ARM2].sum) return;
    fused_for(c->out->bf16)
        ->norm_sums(&(struct norm_sums_rows){ .dy = r.g,
                                              .x = arm_values(c->in[ARM2], at),
                                              .mean = s[ARM2].mean,
                                              .sum = s[ARM2].sum,
                                              .dot = s[ARM2].dot,
                                              .rows = rows,
                                              .c = channels });
}

static void fused_sum_backward_part(const struct op_call *c, struct part p)
{
    const size_t channels = (size_t)c->out->c, at = p.begin * channels;
    float *zeros = parallel_scratch((2 + 3 * ARMS) * channels), *room = zeros + 2 * channels;
    struct arm_sums s[ARMS] = { { NULL, NULL, NULL } };
    memset(zeros, 0, channels * sizeof *zeros);
    for (int arm = 0; arm < fused_sum_arms(c); arm++, room += 3 * channels)
        s[arm] = arm_sums(c, arm, at, room);
    fused_sum_gradient(c, p.begin, s);
    for (int arm = 0; arm < fused_sum_arms(c); arm++) {
        arm_gate(c, arm, at, s[arm]);
        arm_pass(c, arm, p.begin, zeros);
    }
}

static void fused_sum_backward(const struct op_call *c)
{
    parts_run(c, (size_t)c->out->n, (size_t)c->out->n, fused_sum_backward_part);
}

const struct op op_fused_sum = {
    .name = "fused_sum",
    .n_in = 2,
    .n_optional = 4,
    .attr_size = sizeof(struct fused_sum_attr),
    .backward_reads = READS_IN(ARM0) | READS_IN(ARM1) | READS_IN(ARM2) | READS_IN(GATE0) |
                      READS_IN(GATE1) | READS_IN(GATE2) | READS_OUT,
    .overwrites = READS_IN(ARM0) | READS_IN(ARM1) | READS_IN(ARM2),
    .recomputable = true,
    .bf16 = READS_IN(ARM0) | READS_IN(ARM1) | READS_IN(ARM2) | READS_OUT,
    .infer = fused_sum_infer,
    .saved = fused_sum_saved,
    .forward = fused_sum_forward,
    .backward = fused_sum_backward,
};
