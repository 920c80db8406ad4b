/* Joins tensors along the channels, in the order of the inputs. In a fused step an input may have
 * been written into its place already, and has its gradient there (tensor.pitch). */
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static bool concat_infer(struct op_call *c, struct err *e)
{
    const struct tensor *a = c->in[0];
    int channels = a->c;
    for (int i = 1; i < OP_INPUTS && c->in[i]; i++) {
        const struct tensor *b = c->in[i];
        if (!shape_is(b, a->n, a->h, a->w, b->c))
            return err_set(e, "concat: shapes " SHAPE " and " SHAPE " differ in more than channels",
                           SHAPE_OF(a), SHAPE_OF(b));
        channels += b->c;
    }
    shape_set(c->out, a->n, a->h, a->w, channels);
    return true;
}

/* Nothing is left to do where all inputs are in their places. */
static void concat_run(const struct op_call *c, void (*f)(const struct op_call *c, struct part p))
{
    const size_t pixels = tensor_pixels(c->out);
    for (int i = 0; i < OP_INPUTS && c->in[i]; i++)
        if (!c->in[i]->pitch) {
            parts_run(c, pixels, part_count(pixels, (size_t)c->out->c), f);
            return;
        }
}

static void concat_forward_part(const struct op_call *c, struct part p)
{
    const struct tensor *y = c->out;
    size_t first = 0;
    for (int i = 0; i < OP_INPUTS && c->in[i]; first += (size_t)c->in[i++]->c) {
        const struct tensor *x = c->in[i];
        const size_t channels = (size_t)x->c;
        for (size_t pixel = p.begin; !x->pitch && pixel < p.end; pixel++)
            pixel_copy((struct pixel){ y, pixel * (size_t)y->c + first },
                       (struct pixel){ x, pixel * channels }, channels);
    }
}

static void concat_forward(const struct op_call *c) { concat_run(c, concat_forward_part); }

static void concat_backward_part(const struct op_call *c, struct part p)
{
    const struct tensor *y = c->out;
    size_t first = 0;
    for (int i = 0; i < OP_INPUTS && c->in[i]; first += (size_t)c->in[i++]->c) {
        const struct tensor *x = c->in[i];
        for (size_t pixel = p.begin; x->grad && !x->pitch && pixel < p.end; pixel++)
            pixel_pass((struct pixel){ x, pixel * (size_t)x->c },
                       (struct pixel){ y, pixel * (size_t)y->c + first }, (size_t)x->c,
                       c->fresh & READS_IN(i));
    }
}

static void concat_backward(const struct op_call *c) { concat_run(c, concat_backward_part); }

const struct op op_concat = {
    .name = "concat",
    .n_in = 2,
    .n_optional = OP_INPUTS - 2,
    .overwrites = READS_OUT - 1, /* all inputs */
    .bf16 = (READS_OUT - 1) | READS_OUT,
    .infer = concat_infer,
    .forward = concat_forward,
    .backward = concat_backward,
};
