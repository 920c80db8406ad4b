/* out = relu(gate0 arm0 + gate1 arm1), the end of a residual block (core/ops/fused.h). An arm is a
 * tensor (without a gate) or deferred, y = a u + b; fuse.c puts the deferred one first where there
 * is one. Backward masks out's gradient in place: from then on it is the gradient g of the sum,
 * which the norms of deferred arms and the aliased gradient of a shortcut go on to use. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/fused.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <string.h>

enum { ARMS = 2 };

static bool fused_sum_infer(struct op_call *c, struct err *e)
{
    (void)e; /* it takes the place of ops that were not refused */
    shape_copy(c->out, c->in[ARM0]);
    return true;
}

static size_t fused_sum_pixels(const struct op_call *c)
{
    return (size_t)c->out->h * (size_t)c->out->w;
}

/* What is read of an arm, from element `at` on. */
static const void *fused_sum_values(const struct tensor *arm, size_t at)
{
    return tensor_data(arm->norm ? arm->norm->in[0] : arm, at);
}

/* For one image, a = gate a and b += gate b of a deferred arm; NULL for a tensor. */
static const float *fused_sum_scale(const struct op_call *c, int arm, size_t at, float *a, float *b)
{
    if (!c->in[arm]->norm) return NULL;
    struct fused_norm_state s = fused_norm_state(c->in[arm]->norm);
    const float *gate = c->in[GATE0 + arm] ? c->in[GATE0 + arm]->data + at : NULL;
    for (size_t j = 0; j < (size_t)c->out->c; j++) {
        float g = gate ? gate[j] : 1;
        a[j] = g * s.a[j];
        b[j] += g * s.b[j];
    }
    return a;
}

static void fused_sum_forward_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->out->c, rows = fused_sum_pixels(c);
    float *a[ARMS], *b = parallel_scratch(3 * channels);
    a[ARM0] = b + channels, a[ARM1] = b + 2 * channels;
    for (size_t i = p.begin; i < p.end; i++) {
        size_t at = i * rows * channels;
        memset(b, 0, channels * sizeof *b);
        fused_for(c->out->bf16)
            ->residual(&(struct residual_rows){
                .out = tensor_data(c->out, at),
                .u = fused_sum_values(c->in[ARM0], at),
                .s = fused_sum_values(c->in[ARM1], at),
                .a = fused_sum_scale(c, ARM0, i * channels, a[ARM0], b),
                .sa = fused_sum_scale(c, ARM1, i * channels, a[ARM1], b),
                .b = b,
                .rows = rows,
                .c = channels,
                .stream = c->step->training && fused_streams(tensor_bytes(c->out), channels) });
    }
}

static void fused_sum_forward(const struct op_call *c)
{
    parts_run(c, (size_t)c->out->n, (size_t)c->out->n, fused_sum_forward_part);
}

/* What the norm of a deferred arm will need of the gate of one image, and the gate's gradient: the
 * sum of g y = a sum of g (u - mean) + shift sum of g, since y = a (u - mean) + shift. */
static void fused_sum_gate(const struct op_call *c, int arm, size_t at)
{
    const struct tensor *gate = c->in[GATE0 + arm];
    const struct op_call *norm = c->in[arm]->norm;
    if (!norm) return;
    struct fused_norm_state s = fused_norm_state(norm);
    const float *shift = norm->in[2]->data;
    for (size_t j = 0; j < (size_t)c->out->c; j++) {
        s.gate[at + j] = gate ? gate->data[at + j] : 1;
        if (gate && gate->grad)
            gate->grad[at + j] += s.a[j] * s.ddot[at + j] + shift[j] * s.dsum[at + j];
    }
}

/* g for an arm that is a tensor: already there where the plan lets both share one place. */
static void fused_sum_pass(const struct op_call *c, int arm, size_t at, size_t len)
{
    const struct tensor *to = c->in[arm];
    if (to->norm || !to->grad || to->grad == c->out->grad) return;
    if (c->fresh & READS_IN(arm))
        memcpy(tensor_grad(to, at), tensor_grad(c->out, at), len * (to->bf16 ? 2 : sizeof(float)));
    else
        fused_for(to->bf16)->add(tensor_grad(to, at), tensor_grad(c->out, at), len);
}

static void fused_sum_backward_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->out->c, rows = fused_sum_pixels(c);
    size_t at = p.begin * channels, all = at * rows;
    struct residual_grad_rows r = {
        .g = tensor_grad(c->out, all), .out = tensor_data(c->out, all), .rows = rows, .c = channels
    };
    struct fused_norm_state s[ARMS];
    for (int arm = ARM0; arm <= ARM1; arm++) {
        if (!c->in[arm]->norm) continue;
        s[arm] = fused_norm_state(c->in[arm]->norm);
        memset(s[arm].dsum + at, 0, channels * sizeof(float));
        memset(s[arm].ddot + at, 0, channels * sizeof(float));
    }
    bool both = c->in[ARM1]->norm;
    if (c->in[ARM0]->norm) {
        r.u = fused_sum_values(c->in[ARM0], all);
        r.mean_u = s[ARM0].mean, r.sum = s[ARM0].dsum + at, r.dot_u = s[ARM0].ddot + at;
    }
    if (both) {
        r.s = fused_sum_values(c->in[ARM1], all);
        r.mean_s = s[ARM1].mean, r.dot_s = s[ARM1].ddot + at;
    }
    fused_for(c->out->bf16)->residual_grad(&r);
    if (both) memcpy(s[ARM1].dsum + at, s[ARM0].dsum + at, channels * sizeof(float));
    for (int arm = ARM0; arm <= ARM1; arm++) {
        fused_sum_gate(c, arm, at);
        fused_sum_pass(c, arm, all, rows * channels);
    }
}

static void fused_sum_backward(const struct op_call *c)
{
    parts_run(c, (size_t)c->out->n, (size_t)c->out->n, fused_sum_backward_part);
}

const struct op op_fused_sum = {
    .name = "fused_sum",
    .n_in = 2,
    .n_optional = 2,
    .backward_reads =
        READS_IN(ARM0) | READS_IN(ARM1) | READS_IN(GATE0) | READS_IN(GATE1) | READS_OUT,
    .overwrites = READS_IN(ARM0) | READS_IN(ARM1),
    .recomputable = true,
    .bf16 = READS_IN(ARM0) | READS_IN(ARM1) | READS_OUT,
    .infer = fused_sum_infer,
    .forward = fused_sum_forward,
    .backward = fused_sum_backward,
};
