/* Weights in the order in which tiles read them. A panel holds up to two vectors of output
 * channels (of input channels, in a backward pass): [taps][channels read][width]; the last one is
 * filled up with zeros to whole vectors, so that all panels before it begin at n0 * taps *
 * channels. A backward pass has one such set of panels for each of its stride x stride phases, one
 * after the other. */
#include "core/base/parallel.h"
#include "core/kernels/direct.h"
#include <string.h>

struct pack {
    struct conv_shape s;
    enum conv_pass pass;
    const struct direct_isa *isa;
    float *packed;
    const float *w;
};

struct direct_phase direct_phase(const struct conv_shape *s, int kernel, int p)
{
    const int first = (p + s->pad) % s->stride;
    const int taps = first < kernel ? direct_div_up(kernel - first, s->stride) : 0;
    return (struct direct_phase){ first, taps, (p + s->pad - first) / s->stride - (taps - 1) };
}

ptrdiff_t direct_phase_panels(const struct conv_shape *s, int lanes, int py, int px)
{
    int before = 0; /* taps of all earlier phases */
    for (int y = 0; y < s->stride; y++)
        for (int x = 0; x < s->stride; x++)
            if (y < py || (y == py && x < px))
                before += direct_phase(s, s->kh, y).taps * direct_phase(s, s->kw, x).taps;
    return (ptrdiff_t)before * s->k * direct_round_up(s->c, lanes);
}

int direct_panel_width(const struct direct_isa *isa, int columns, int n0)
{
    return direct_min(2 * isa->lanes, direct_round_up(columns - n0, isa->lanes));
}

size_t direct_dense_packed(const struct conv_shape *s, enum conv_pass pass)
{
    const size_t taps = (size_t)s->kh * (size_t)s->kw;
    if (pass == CONV_BACKWARD_WEIGHTS) return 0;
    const int read = pass == CONV_FORWARD ? s->c : s->k,
              written = pass == CONV_FORWARD ? s->k : s->c;
    return taps * (size_t)read * (size_t)direct_round_up(written, DIRECT_LANES);
}

/* One panel's rows for one tap. */
static void pack_forward(const struct pack *p, int n0, int tap)
{
    const struct conv_shape *s = &p->s;
    const int width = direct_panel_width(p->isa, s->k, n0);
    const int valid = direct_min(width, s->k - n0);
    const float *w = p->w + (ptrdiff_t)tap * s->c * s->k + n0;
    float *out = p->packed + ((ptrdiff_t)n0 * s->kh * s->kw + (ptrdiff_t)tap * width) * s->c;
    for (int c = 0; c < s->c; c++, w += s->k, out += width) {
        memcpy(out, w, (size_t)valid * sizeof *out);
        memset(out + valid, 0, (size_t)(width - valid) * sizeof *out);
    }
}

/* out[k][n] = w[n][k] for k < rows, n < valid; 0 up to n = width. Goes in blocks of 16 rows, whose
 * lines stay in the first-level cache until they are full. */
static void pack_transposed(float *restrict out, const float *restrict w, int rows, int valid,
                            int width)
{
    for (int k0 = 0; k0 < rows; k0 += 16) {
        const int k1 = direct_min(rows, k0 + 16);
        for (int n = 0; n < valid; n++)
            for (int k = k0; k < k1; k++) out[k * width + n] = w[(ptrdiff_t)n * rows + k];
        for (int n = valid; n < width; n++)
            for (int k = k0; k < k1; k++) out[k * width + n] = 0;
    }
}

static void pack_backward(const struct pack *p, int n0, int tap)
{
    const struct conv_shape *s = &p->s;
    const int y = tap / s->kw, x = tap % s->kw, pad = s->pad % s->stride;
    const int py = (y % s->stride - pad + s->stride) % s->stride;
    const int px = (x % s->stride - pad + s->stride) % s->stride;
    const struct direct_phase down = direct_phase(s, s->kh, py),
                              across = direct_phase(s, s->kw, px);
    const int at = (down.taps - 1 - y / s->stride) * across.taps + across.taps - 1 - x / s->stride;
    const int width = direct_panel_width(p->isa, s->c, n0);
    float *out = p->packed + direct_phase_panels(s, p->isa->lanes, py, px) +
                 ((ptrdiff_t)n0 * down.taps * across.taps + (ptrdiff_t)at * width) * s->k;
    pack_transposed(out, p->w + ((ptrdiff_t)tap * s->c + n0) * s->k, s->k,
                    direct_min(width, s->c - n0), width);
}

static void pack_chunk(void *ctx, size_t chunk)
{
    const struct pack *p = ctx;
    const int taps = p->s.kh * p->s.kw, n0 = (int)chunk / taps * 2 * p->isa->lanes,
              tap = (int)chunk % taps;
    if (p->pass == CONV_FORWARD)
        pack_forward(p, n0, tap);
    else
        pack_backward(p, n0, tap);
}

void direct_dense_pack(const struct conv_shape *s, enum conv_pass pass, float *packed,
                       const float *w)
{
    struct pack p = { *s, pass, direct_isa(), packed, w };
    const int panels = direct_div_up(pass == CONV_FORWARD ? s->k : s->c, 2 * p.isa->lanes);
    parallel_for((size_t)panels * (size_t)s->kh * (size_t)s->kw, pack_chunk, &p);
}
