#include "core/ops/window.h"
#include "core/ops/shape.h"

struct window window_of(const struct op_call *c)
{
    static const struct pool_attr none; /* refused by window_infer */
    const struct pool_attr *a = c->attr ? c->attr : &none;
    return (struct window){ a->size, a->stride ? a->stride : a->size, a->pad };
}

bool window_infer(struct op_call *c, const char *what, struct err *e)
{
    const struct tensor *x = c->in[0];
    struct window v = window_of(c);
    if (v.size < 1 || v.stride < 1)
        return err_set(e, "%s: window %d and stride %d must be at least 1", what, v.size, v.stride);
    if (v.pad < 0 || v.pad > v.size / 2)
        return err_set(e, "%s: padding %d is more than half of the window %d", what, v.pad, v.size);
    if (x->h + 2 * v.pad < v.size || x->w + 2 * v.pad < v.size)
        return err_set(e, "%s: a %dx%d window does not fit into %dx%d pixels with padding %d", what,
                       v.size, v.size, x->h, x->w, v.pad);
    shape_set(c->out, x->n, (x->h + 2 * v.pad - v.size) / v.stride + 1,
              (x->w + 2 * v.pad - v.size) / v.stride + 1, x->c);
    return true;
}

static int window_clamp(int v, int most) { return v < 0 ? 0 : v > most ? most : v; }

struct window_span window_span(const struct op_call *c, size_t row, int column)
{
    const struct tensor *x = c->in[0];
    struct window v = window_of(c);
    int top = (int)(row % (size_t)c->out->h) * v.stride - v.pad, left = column * v.stride - v.pad;
    return (struct window_span){ window_clamp(top, x->h), window_clamp(top + v.size, x->h),
                                 window_clamp(left, x->w), window_clamp(left + v.size, x->w) };
}

uint64_t window_macs(const struct op_call *c)
{
    struct window v = window_of(c);
    return tensor_len(c->out) * (uint64_t)v.size * (uint64_t)v.size;
}

void window_describe(const struct op_call *c, struct text *t)
{
    struct window v = window_of(c);
    text_addf(t, "%dx%d/%d pad %d", v.size, v.size, v.stride, v.pad);
}
