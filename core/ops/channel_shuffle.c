/* The channels of g groups in turn (Zhang et al. 2018): y[j g + i] = x[i (c / g) + j], for i < g,
 * in every pixel, so that each group of what follows sees channels of all groups before. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

static size_t shuffle_groups(const struct op_call *c)
{
    const struct channel_shuffle_attr *a = c->attr;
    return (size_t)a->groups;
}

static bool channel_shuffle_infer(struct op_call *c, struct err *e)
{
    const struct channel_shuffle_attr *a = c->attr;
    const int channels = c->in[0]->c, groups = a ? a->groups : 0;
    if (groups < 1 || channels % groups)
        return err_set(e, "channel_shuffle: %d groups do not divide %d channels", groups, channels);
    shape_copy(c->out, c->in[0]);
    return true;
}

/* to[j rows + i] = from[i columns + j]: a matrix of rows x columns numbers, transposed. */
static void shuffle_pixel(void *to, const void *from, size_t rows, size_t columns, bool is_bf16)
{
    for (size_t i = 0; i < rows; i++)
        if (is_bf16)
            for (size_t j = 0; j < columns; j++)
                ((bf16 *)to)[j * rows + i] = ((const bf16 *)from)[i * columns + j];
        else
            for (size_t j = 0; j < columns; j++)
                ((float *)to)[j * rows + i] = ((const float *)from)[i * columns + j];
}

static void channel_shuffle_forward_part(const struct op_call *c, struct part p)
{
    const size_t channels = (size_t)c->out->c, groups = shuffle_groups(c);
    for (size_t i = p.begin; i < p.end; i++)
        shuffle_pixel(tensor_data(c->out, i * channels), tensor_data(c->in[0], i * channels),
                      groups, channels / groups, c->out->bf16);
}

static void channel_shuffle_backward_part(const struct op_call *c, struct part p)
{
    const size_t channels = (size_t)c->out->c, groups = shuffle_groups(c);
    const bool fresh = c->fresh & READS_IN(0), is_bf16 = c->out->bf16;
    float *room = parallel_scratch(channels);
    for (size_t i = p.begin; i < p.end; i++) {
        void *dx = tensor_grad(c->in[0], i * channels);
        shuffle_pixel(fresh ? dx : room, tensor_grad(c->out, i * channels), channels / groups,
                      groups, is_bf16);
        if (!fresh) fused_for(is_bf16)->add(dx, room, channels);
    }
}

static void channel_shuffle_run(const struct op_call *c,
                                void (*f)(const struct op_call *c, struct part p))
{
    const size_t pixels = tensor_pixels(c->out);
    parts_run(c, pixels, part_count(pixels, (size_t)c->out->c), f);
}

static void channel_shuffle_forward(const struct op_call *c)
{
    channel_shuffle_run(c, channel_shuffle_forward_part);
}

static void channel_shuffle_backward(const struct op_call *c)
{
    if (c->in[0]->grad) channel_shuffle_run(c, channel_shuffle_backward_part);
}

static void channel_shuffle_describe(const struct op_call *c, struct text *t)
{
    text_addf(t, "groups %zu", shuffle_groups(c));
}

const struct op op_channel_shuffle = {
    .name = "channel_shuffle",
    .n_in = 1,
    .attr_size = sizeof(struct channel_shuffle_attr),
    .overwrites = READS_IN(0),
    .bf16 = READS_IN(0) | READS_OUT,
    .bf16_alike = true,
    .infer = channel_shuffle_infer,
    .forward = channel_shuffle_forward,
    .backward = channel_shuffle_backward,
    .describe = channel_shuffle_describe,
};
