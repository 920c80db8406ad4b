/* Copies rectangles of an image into scratch, so that the inner loops see neither borders nor
 * strides: what lies outside the image becomes zero. */
#include "core/kernels/direct.h"
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

static void window_row(const struct direct_window *w, const float *row, int from, int to,
                       float *out)
{
    const bool run = w->channels == w->c && w->pixel == w->c && w->step == 1;
    const float *x = row + (ptrdiff_t)(w->col + from * w->step) * w->c + w->from;
    window_zero(w, out, from);
    window_zero(w, out + to * w->pixel, w->cols - to);
    if (run && !w->scale)
        memcpy(out + from * w->pixel, x, (size_t)((to - from) * w->pixel) * sizeof *out);
    else
        direct_isa()->copy(&(struct direct_copy){
            .out = out + from * w->pixel,
            .x = x,
            .out_pixel = w->pixel,
            .x_pixel = (ptrdiff_t)w->step * w->c,
            .pixels = to - from,
            .c = w->channels,
            .scale = w->scale ? w->scale + w->from : NULL,
            .shift = w->scale ? w->shift + w->from : NULL,
        });
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
            window_row(w, w->x + (ptrdiff_t)y * w->w * w->c, from, to, out);
    }
}
