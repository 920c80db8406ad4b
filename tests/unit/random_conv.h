#ifndef TESTS_UNIT_RANDOM_CONV_H
#define TESTS_UNIT_RANDOM_CONV_H
/* Small convolutions of random shapes and paddings, for comparisons with a slower way. */
#include "core/base/rng.h"
#include "core/kernels/conv/conv.h"

enum { RANDOM_SHAPES = 200, RANDOM_BATCH = 50 };

static int between(struct rng *r, int low, int high)
{
    return low + (int)rng_below(r, (uint32_t)(high - low + 1));
}

/* Below 0: a row or column that nothing reads, if there is one to spare. */
static int padding_behind(int spare, struct rng *r) { return between(r, spare > 0 ? -1 : 0, 4); }

/* The i-th: all kinds of groups come in turn. Channels of every group are a multiple of `even`;
 * there are up to `most` output channels. */
static struct conv_shape random_shape(int i, int even, int most, struct rng *r)
{
    const int groups[] = { 1, 1, 1, 2, 3, 5, 9 };
    struct conv_shape s = { .n = between(r, 1, 3), .groups = groups[i % 7] };
    if (i % 21 == 20) s.groups = between(r, 1, 40); /* depthwise */
    s.c = i % 21 == 20 ? s.groups : even * between(r, 1, 24 / s.groups / even) * s.groups;
    s.k = i % 21 == 20 ? s.groups : even * between(r, 1, most / s.groups / even) * s.groups;
    if (i % 21 == 19) s.k = s.c = (i % 2 ? 4 : 8) * s.groups;
    s.kh = between(r, 1, 5), s.kw = i % 2 ? s.kh : between(r, 1, 5);
    s.stride = between(r, 1, 3), s.pad_top = between(r, 0, 4), s.pad_left = between(r, 0, 4);
    s.h = between(r, s.kh, s.kh + 6), s.w = between(r, s.kw, s.kw + 12);
    s.oh = (s.h + s.pad_top + padding_behind(s.h + s.pad_top - s.kh, r) - s.kh) / s.stride + 1;
    s.ow = (s.w + s.pad_left + padding_behind(s.w + s.pad_left - s.kw, r) - s.kw) / s.stride + 1;
    return s;
}

/* What Winograd's convolution takes. */
static inline struct conv_shape winograd_shape(struct rng *r)
{
    struct conv_shape s = { .n = between(r, 1, 4), .kh = 3, .kw = 3, .stride = 1 };
    do {
        s.groups = between(r, 0, 1) ? between(r, 2, 6) : 1;
        s.c = 16 * between(r, 1, 5), s.k = 16 * between(r, 1, 5), s.pad_top = between(r, 0, 2);
        s.pad_left = between(r, 0, 2);
        if (s.groups > 1) s.c *= s.groups, s.k *= s.groups;
        if (between(r, 0, 2) == 0) /* small groups, that are bundled */
            s.c = s.k = 16 * between(r, 1, 5), s.groups = s.c / (between(r, 0, 1) ? 8 : 2);
        s.h = between(r, 3, 17), s.w = between(r, 3, 17);
        s.oh = s.h + s.pad_top + between(r, 0, 2) - 2;
        s.ow = s.w + s.pad_left + between(r, 0, 2) - 2;
    } while (!conv_winograd.supports(&s));
    return s;
}
#endif
