/* Copies rectangles of an image into scratch, so that the inner loops see neither borders nor
 * strides: what lies outside the image becomes zero. */
#include "core/kernels/tiles/tiles.h"
#include <string.h>

/* The columns [*from, *to) of the window that lie inside the image. */
static void window_inside(const struct direct_window *w, int *from, int *to)
{
    const int before = w->col < 0 ? direct_div_up(-w->col, w->step) : 0;
    const int reach = w->w > w->col ? direct_div_up(w->w - w->col, w->step) : 0;
    *from = direct_min(before, w->cols);
    *to = direct_max(*from, direct_min(reach, w->cols));
}

static void window_zero(const struct direct_window *w, float *out, int pixels)
{
    if (pixels > 0) memset(out, 0, (size_t)(pixels * w->pixel) * sizeof *out);
}

/* Column `from` of row y of an image. */
static const void *window_at(const struct direct_window *w, const void *x, int y, int from)
{
    const bool is_bf16 = w->kind != DIRECT_FLOATS;
    const ptrdiff_t pixel = (ptrdiff_t)y * w->w + w->col + from * w->step;
    return (const char *)x + direct_bytes(is_bf16, pixel * w->c + w->from);
}

static void window_row(const struct direct_window *w, int y, int from, int to, float *out)
{
    window_zero(w, out, from);
    window_zero(w, out + to * w->pixel, w->cols - to);
    struct direct_copy c = {
        .out = out + from * w->pixel,
        .x = window_at(w, w->x, y, from),
        .x2 = w->x2 ? window_at(w, w->x2, y, from) : NULL,
        .out_pixel = w->pixel,
        .x_pixel = (ptrdiff_t)w->step * w->c,
        .pixels = to - from,
        .c = w->channels,
        .scale = w->scale ? w->scale + w->from : NULL,
        .shift = w->scale ? w->shift + w->from : NULL,
        .cap = w->cap,
    };
    enum direct_kind kind = w->kind;
    if (kind == DIRECT_PAIRS && !w->scale) /* they move as floats do */
        kind = DIRECT_FLOATS, c.x_pixel /= 2, c.c /= 2;
    if (kind == DIRECT_FLOATS && !w->scale && c.c == c.out_pixel && c.c == c.x_pixel)
        memcpy(c.out, c.x, (size_t)((to - from) * w->pixel) * sizeof *out);
    else
        w->isa->copy[kind](&c);
}

void direct_window_copy(const struct direct_window *w, float *out)
{
    int from, to;
    window_inside(w, &from, &to);
    for (int r = 0; r < w->rows; r++, out += w->cols * w->pixel) {
        const int y = w->row + r * w->step;
        if (y < 0 || y >= w->h || from == to)
            window_zero(w, out, w->cols);
        else
            window_row(w, y, from, to, out);
    }
}
