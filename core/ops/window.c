#include "core/ops/window.h"
#include "core/ops/shape.h"

struct window window_of(const struct op_call *c)
{
    static const struct pool_attr none; /* refused by window_infer */
    const struct pool_attr *a = c->attr ? c->attr : &none;
    return (struct window){ a->size, a->stride ? a->stride : a->size, a->pad, a->ceil };
}

/* How many windows there are along `len` pixels. */
static int window_count(struct window v, int len)
{
    const int past = len + 2 * v.pad - v.size;
    const int count = (v.ceil ? past + v.stride - 1 : past) / v.stride + 1;
    return (count - 1) * v.stride < len + v.pad ? count : count - 1; /* one that begins outside */
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
    shape_set(c->out, x->n, window_count(v, x->h), window_count(v, x->w), x->c);
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

/* Windows [*from, *to) of `count` that have pixel `at`. */
static void window_over(struct window v, int at, int count, int *from, int *to)
{
    const int first = at + v.pad - v.size; /* one that begins here just ends before the pixel */
    *from = window_clamp(first < 0 ? 0 : first / v.stride + 1, count);
    *to = window_clamp((at + v.pad) / v.stride + 1, count);
}

struct window_span window_span_over(const struct op_call *c, size_t row, int column)
{
    const struct window v = window_of(c);
    struct window_span s;
    window_over(v, (int)(row % (size_t)c->in[0]->h), c->out->h, &s.top, &s.bottom);
    window_over(v, column, c->out->w, &s.left, &s.right);
    return s;
}

uint64_t window_macs(const struct op_call *c)
{
    struct window v = window_of(c);
    return tensor_len(c->out) * (uint64_t)v.size * (uint64_t)v.size;
}

void window_describe(const struct op_call *c, struct text *t)
{
    struct window v = window_of(c);
    const struct pool_attr *a = c->attr;
    text_addf(t, "%dx%d/%d pad %d", v.size, v.size, v.stride, v.pad);
    if (v.ceil) text_add(t, " ceil");
    if (a->exclude_pad) text_add(t, " not counted");
}
