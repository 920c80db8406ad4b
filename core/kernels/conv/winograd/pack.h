#ifndef CORE_KERNELS_CONV_WINOGRAD_PACK_H
#define CORE_KERNELS_CONV_WINOGRAD_PACK_H
/* Weights as cells, laid out in panels. */
#include "core/kernels/conv/conv.h"
#include "core/kernels/tiles/tiles.h"

/* Groups of 2 or 8 channels are taken together to bundles of a vector: to groups whose weights
 * between channels of different groups are 0. How many a bundle has; and how many groups that
 * leaves. */
static inline int winograd_bundle(const struct conv_shape *s)
{
    const int c = s->c / s->groups;
    const bool small = c == s->k / s->groups && c > 1 && c < DIRECT_LANES;
    return small && DIRECT_LANES % c == 0 && s->c % DIRECT_LANES == 0 ? DIRECT_LANES / c : 1;
}
static inline int winograd_groups(const struct conv_shape *s)
{
    return s->groups / winograd_bundle(s);
}

/* Weights as a pass reads them: [panel of all groups or bundles][cell][in][width]. */
size_t winograd_packed(const struct conv_shape *s, enum conv_pass pass);
void winograd_pack(const struct conv_shape *s, const struct conv_packing *p);
#endif
