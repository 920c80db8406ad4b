/* Weights of Winograd's convolution as its passes read them. */
#include "core/kernels/conv/winograd/pack.h"
#include "core/base/parallel.h"
#include "core/kernels/conv/winograd/transforms.h"
#include <string.h>

/* A chunk takes PACK_ROWS rows of a panel. */
struct winograd_pack {
    const struct conv_shape *s;
    const struct conv_packing *p;
    const struct direct_isa *isa;
    int bundle;        /* groups that are taken as one */
    int rows, columns; /* of a group or bundle: in, out */
};

enum { PACK_ROWS = 16 };

/* The rows of a panel of one group or bundle. */
struct pack_part {
    int group, row, rows, from, width;
};

/* out[tap][row][width] = the part's weights: transposed where output channels are the rows, and 0
 * between channels of different groups. */
static void pack_gather(const struct winograd_pack *a, const struct pack_part *t, float *out)
{
    const int k = a->s->k, rows = a->rows / a->bundle, columns = a->columns / a->bundle;
    const bool forward = a->p->pass == CONV_FORWARD;
    const int taps = WINOGRAD_TAPS * PACK_ROWS * t->width;
    if (a->bundle > 1) memset(out, 0, (size_t)taps * sizeof *out);
    for (int tap = 0; tap < WINOGRAD_TAPS; tap++, out += PACK_ROWS * t->width)
        for (int n = 0; n < t->width; n++) {
            const int column = t->from + n, own = column / columns * rows; /* its group's rows */
            const int begin = direct_max(t->row, own),
                      end = direct_min(t->row + t->rows, own + rows);
            const int in = forward ? rows : columns; /* input channels of a group */
            const float *w = a->p->w + (ptrdiff_t)tap * in * k;
            for (int r = begin; r < end; r++)
                out[(r - t->row) * t->width + n] =
                    forward ? w[(ptrdiff_t)(r - own) * k + t->group * a->columns + column]
                            : w[(ptrdiff_t)(column % columns) * k + t->group * a->rows + r];
        }
}

static void pack_part(const struct winograd_pack *a, const struct pack_part *t)
{
    const int k = a->s->k, to = t->group * a->columns + t->from;
    const bool forward = a->p->pass == CONV_FORWARD;
    struct winograd_weights w = {
        .rows = t->rows,
        .width = t->width,
        .cells = (float *)a->p->packed + (ptrdiff_t)WINOGRAD_CELLS * a->rows * to +
                 (ptrdiff_t)t->row * t->width,
        .plane = (ptrdiff_t)a->rows * t->width,
    };
    if (forward && a->p->scale) w.scale = a->p->scale + to;
    if (forward && a->bundle == 1) {
        w.w = a->p->w + (ptrdiff_t)t->row * k + to;
        w.tap = (ptrdiff_t)a->rows * k, w.row = k;
    } else {
        float *gathered = parallel_scratch((size_t)(WINOGRAD_TAPS * PACK_ROWS * t->width));
        pack_gather(a, t, gathered);
        w.w = gathered, w.tap = (ptrdiff_t)PACK_ROWS * t->width, w.row = t->width;
    }
    if (!forward) /* turned by half: the last tap first */
        w.w += (WINOGRAD_TAPS - 1) * w.tap, w.tap = -w.tap;
    winograd_isa()->weights(&w);
}

static int pack_blocks(const struct winograd_pack *a) { return direct_div_up(a->rows, PACK_ROWS); }
static int pack_panels(const struct winograd_pack *a)
{
    return direct_div_up(a->columns, 2 * a->isa->lanes);
}

static void pack_chunk(void *ctx, size_t chunk)
{
    const struct winograd_pack *a = ctx;
    const int panel = (int)chunk / pack_blocks(a);
    struct pack_part t = { .group = panel / pack_panels(a),
                           .row = (int)chunk % pack_blocks(a) * PACK_ROWS,
                           .from = panel % pack_panels(a) * 2 * a->isa->lanes };
    t.rows = direct_min(PACK_ROWS, a->rows - t.row);
    t.width = direct_panel_width(a->isa, a->columns, t.from);
    pack_part(a, &t);
}

void winograd_pack(const struct conv_shape *s, const struct conv_packing *p)
{
    const int groups = winograd_groups(s), c = s->c / groups, k = s->k / groups;
    const bool forward = p->pass == CONV_FORWARD;
    struct winograd_pack a = {
        s, p, direct_isa(), winograd_bundle(s), forward ? c : k, forward ? k : c
    };
    parallel_for((size_t)(groups * pack_panels(&a) * pack_blocks(&a)), pack_chunk, &a);
}

size_t winograd_packed(const struct conv_shape *s, enum conv_pass pass)
{
    if (pass == CONV_BACKWARD_WEIGHTS) return 0;
    return WINOGRAD_CELLS * (size_t)(s->c / winograd_groups(s)) * (size_t)s->k;
}
