/* Weights in the order in which tiles read them, group after group. A panel holds up to two vectors
 * of output channels (of input channels, in a backward pass): [taps][elements read][width], where
 * an element is a channel or, for pairs of bf16, two of them; the last one is filled up with zeros
 * to whole vectors, so that all panels before it begin at n0 * taps * elements. A backward pass has
 * one such set of panels for each of its stride x stride phases, one after the other. */
#include "core/kernels/conv/direct/panels.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include <limits.h>
#include <string.h>

struct panel_pack {
    struct conv_shape s;
    enum conv_pass pass;
    const struct direct_isa *isa;
    float *packed;
    const float *w, *scale;
};

struct direct_phase direct_phase(const struct conv_shape *s, enum conv_axis axis, int p)
{
    const int kernel = conv_kernel(s, axis), pad = conv_pad(s, axis);
    const int first = (p + pad) % s->stride;
    const int taps = first < kernel ? direct_div_up(kernel - first, s->stride) : 0;
    return (struct direct_phase){ first, taps, (p + pad - first) / s->stride - (taps - 1) };
}

struct direct_phase direct_pass_phase(const struct conv_shape *s, bool forward, enum conv_axis axis,
                                      int p)
{
    if (forward) return (struct direct_phase){ 0, conv_kernel(s, axis), -conv_pad(s, axis) };
    return direct_phase(s, axis, p);
}

void direct_reach(const struct conv_shape *s, bool forward, enum conv_axis axis, int *first,
                  int *last)
{
    *first = INT_MAX;
    *last = INT_MIN;
    for (int p = 0; p < (forward ? 1 : s->stride); p++) {
        const struct direct_phase a = direct_pass_phase(s, forward, axis, p);
        if (!a.taps) continue;
        *first = direct_min(*first, a.offset);
        *last = direct_max(*last, a.offset + a.taps - 1);
    }
}

/* Elements of a group. */
static int pack_read(const struct conv_shape *s, enum conv_pass pass)
{
    return (pass == CONV_FORWARD ? s->c : s->k) / s->groups / (direct_pairs(s) ? 2 : 1);
}

static int pack_written(const struct conv_shape *s, enum conv_pass pass)
{
    return (pass == CONV_FORWARD ? s->k : s->c) / s->groups;
}

ptrdiff_t direct_group_panels(const struct conv_shape *s, enum conv_pass pass, int lanes, int taps)
{
    return (ptrdiff_t)taps * pack_read(s, pass) * direct_round_up(pack_written(s, pass), lanes);
}

ptrdiff_t direct_phase_panels(const struct conv_shape *s, int lanes, int py, int px)
{
    int before = 0; /* taps of all earlier phases */
    for (int y = 0; y < s->stride; y++)
        for (int x = 0; x < s->stride; x++)
            if (y < py || (y == py && x < px))
                before +=
                    direct_phase(s, CONV_ROWS, y).taps * direct_phase(s, CONV_COLUMNS, x).taps;
    return s->groups * direct_group_panels(s, CONV_BACKWARD_DATA, lanes, before);
}

size_t direct_dense_packed(const struct conv_shape *s, enum conv_pass pass)
{
    if (pass == CONV_BACKWARD_WEIGHTS) return 0;
    return (size_t)s->groups * (size_t)direct_group_panels(s, pass, DIRECT_LANES, s->kh * s->kw);
}

/* rows x valid weights from w on, of output channel k on, times their scales: a dense copy. */
static const float *pack_scaled(const struct panel_pack *p, const float *w, int rows, int k,
                                int valid)
{
    float *scaled = parallel_scratch((size_t)rows * (size_t)valid);
    for (int i = 0; i < rows; i++)
        kernels->mul(scaled + (ptrdiff_t)i * valid, w + (ptrdiff_t)i * p->s.k, p->scale + k,
                     (size_t)valid);
    return scaled;
}

/* One panel's rows for one tap. */
static void pack_forward(const struct panel_pack *p, int group, int n0, int tap)
{
    const struct conv_shape *s = &p->s;
    const int c = s->c / s->groups, k = s->k / s->groups, taps = s->kh * s->kw;
    const int rows = pack_read(s, p->pass), each = c / rows;
    const int width = direct_panel_width(p->isa, k, n0), valid = direct_min(width, k - n0);
    const float *w = p->w + (ptrdiff_t)tap * c * s->k + group * k + n0;
    float *out = p->packed + group * direct_group_panels(s, p->pass, p->isa->lanes, taps) +
                 ((ptrdiff_t)n0 * taps + (ptrdiff_t)tap * width) * rows;
    ptrdiff_t apart = s->k; /* floats from an input channel's weights to the next's */
    if (p->scale) w = pack_scaled(p, w, c, group * k + n0, valid), apart = valid;
    direct_copy_filled(
        p->isa, direct_pairs(s) ? DIRECT_ROUND : DIRECT_FLOATS,
        &(struct direct_copy){ out, w, w + apart, width, each * apart, rows, .c = valid });
}

static void pack_backward(const struct panel_pack *p, int group, int n0, int tap)
{
    const struct conv_shape *s = &p->s;
    const int c = s->c / s->groups, k = s->k / s->groups, lanes = p->isa->lanes;
    const int y = tap / s->kw, x = tap % s->kw;
    const int py = (y % s->stride - s->pad_top % s->stride + s->stride) % s->stride;
    const int px = (x % s->stride - s->pad_left % s->stride + s->stride) % s->stride;
    const struct direct_phase down = direct_phase(s, CONV_ROWS, py),
                              across = direct_phase(s, CONV_COLUMNS, px);
    const int at = (down.taps - 1 - y / s->stride) * across.taps + across.taps - 1 - x / s->stride;
    const int taps = down.taps * across.taps, width = direct_panel_width(p->isa, c, n0);
    const int rows = pack_read(s, p->pass), valid = direct_min(width, c - n0);
    float *out = p->packed + direct_phase_panels(s, lanes, py, px) +
                 group * direct_group_panels(s, p->pass, lanes, taps) +
                 ((ptrdiff_t)n0 * taps + (ptrdiff_t)at * width) * rows;
    const float *w = p->w + ((ptrdiff_t)tap * c + n0) * s->k + group * k;
    struct direct_columns from = { w, rows, valid, s->k };
    if (direct_pairs(s)) {
        float *rounded = parallel_scratch((size_t)valid * (size_t)rows);
        for (int n = 0; n < valid; n++)
            kernels->narrow((bf16 *)(void *)(rounded + n * rows), w + (ptrdiff_t)n * s->k,
                            (size_t)k);
        from = (struct direct_columns){ rounded, rows, valid, rows };
    }
    direct_pack_columns(out, &from, width);
}

static int pack_panels(const struct panel_pack *p)
{
    return direct_div_up(pack_written(&p->s, p->pass), 2 * p->isa->lanes);
}

static void pack_chunk(void *ctx, size_t chunk)
{
    const struct panel_pack *p = ctx;
    const int taps = p->s.kh * p->s.kw, tap = (int)chunk % taps, panel = (int)chunk / taps;
    const int group = panel / pack_panels(p), n0 = panel % pack_panels(p) * 2 * p->isa->lanes;
    if (p->pass == CONV_FORWARD)
        pack_forward(p, group, n0, tap);
    else
        pack_backward(p, group, n0, tap);
}

void direct_dense_pack(const struct conv_shape *s, const struct conv_packing *p)
{
    struct panel_pack all = { *s, p->pass, direct_isa(), p->packed, p->w, p->scale };
    parallel_for((size_t)s->groups * (size_t)pack_panels(&all) * (size_t)(s->kh * s->kw),
                 pack_chunk, &all);
}
