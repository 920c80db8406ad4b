/* Two branches mixed by a random share (Shake-Shake: Gastaldi 2017): in training y = alpha a +
 * (1 - alpha) b, and the gradients are beta dy and (1 - beta) dy, with a share beta of its own that
 * is no derivative; in an evaluation both are one half.
 * saved: alpha [n], beta [n]. */
#include "core/kernels/kernels.h"
#include "core/ops/draw.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static const struct shake_attr *shake_attr(const struct op_call *c)
{
    static const struct shake_attr none;
    return c->attr ? c->attr : &none;
}

static bool shake_infer(struct op_call *c, struct err *e)
{
    const struct tensor *a = c->in[0], *b = c->in[1];
    if (!shape_same(a, b))
        return err_set(e, "shake: shapes " SHAPE " and " SHAPE " differ", SHAPE_OF(a), SHAPE_OF(b));
    shape_copy(c->out, a);
    return true;
}

static size_t shake_saved(const struct op_call *c) { return 2 * (size_t)c->out->n; }

static void shake_draw(const struct op_call *c, size_t image)
{
    const struct shake_attr *attr = shake_attr(c);
    float *alpha = c->saved + image, *beta = alpha + c->out->n;
    *alpha = *beta = 0.5f;
    if (!c->step->training) return;
    struct rng r = draw_stream(c, RNG_SHAKE, attr->batch ? 0 : image);
    *alpha = (float)rng_uniform(&r);
    if (attr->backward == SHAKE_SHAKE) *beta = (float)rng_uniform(&r);
    if (attr->backward == SHAKE_KEEP) *beta = *alpha;
}

static size_t shake_image(const struct op_call *c)
{
    return tensor_len(c->out) / (size_t)c->out->n;
}

static void shake_forward_part(const struct op_call *c, struct part p)
{
    const size_t len = shake_image(c);
    for (size_t i = p.begin; i < p.end; i++) {
        shake_draw(c, i);
        maps_for(c->out->bf16)
            ->mix(&(struct mix_map){ .y = tensor_data(c->out, i * len),
                                     .x = tensor_data(c->in[0], i * len),
                                     .z = tensor_data(c->in[1], i * len),
                                     .a = c->saved[i],
                                     .b = 1 - c->saved[i],
                                     .n = len });
    }
}

static void shake_backward_part(const struct op_call *c, struct part p)
{
    const size_t len = shake_image(c);
    const float *beta = c->saved + c->out->n;
    for (size_t i = p.begin; i < p.end; i++)
        for (int k = 0; k < 2; k++)
            if (c->in[k]->grad)
                maps_for(c->out->bf16)
                    ->pass(&(struct pass_map){ .dx = tensor_grad(c->in[k], i * len),
                                               .dy = tensor_grad(c->out, i * len),
                                               .factor = k ? 1 - beta[i] : beta[i],
                                               .n = len,
                                               .add = !(c->fresh & READS_IN(k)) });
}

static void shake_run(const struct op_call *c, void (*f)(const struct op_call *c, struct part p))
{
    const size_t images = (size_t)c->out->n;
    parts_run(c, images, part_count(images, shake_image(c)), f);
}

static void shake_forward(const struct op_call *c) { shake_run(c, shake_forward_part); }
static void shake_backward(const struct op_call *c) { shake_run(c, shake_backward_part); }

static uint64_t shake_macs(const struct op_call *c) { return tensor_len(c->out); }

static void shake_describe(const struct op_call *c, struct text *t)
{
    static const char *const names[] = {
        [SHAKE_SHAKE] = "shake", [SHAKE_EVEN] = "even", [SHAKE_KEEP] = "keep"
    };
    const struct shake_attr *attr = shake_attr(c);
    text_addf(t, "%s, one share a%s", names[attr->backward], attr->batch ? " batch" : "n image");
}

const struct op op_shake = {
    .name = "shake",
    .n_in = 2,
    .attr_size = sizeof(struct shake_attr),
    .overwrites = READS_IN(0) | READS_IN(1),
    .bf16 = READS_IN(0) | READS_IN(1) | READS_OUT,
    .bf16_alike = true,
    .infer = shake_infer,
    .saved = shake_saved,
    .forward = shake_forward,
    .backward = shake_backward,
    .macs = shake_macs,
    .describe = shake_describe,
};
