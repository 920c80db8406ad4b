#ifndef CORE_KERNELS_CONV_DIRECT_PANELS_H
#define CORE_KERNELS_CONV_DIRECT_PANELS_H
/* Weights of the direct convolution as its inner loop reads them: panels of a vector or two of
 * output channels, tap by tap; and which taps the pixels of a backward pass see. */
#include "core/kernels/conv/conv.h"
#include "core/kernels/tiles/tiles.h"

/* Whether a pass that writes pixels multiplies pairs of bf16; floats otherwise, whatever its
 * tensors are. */
static inline bool direct_pairs(const struct conv_shape *s)
{
    return s->pairs && s->c / s->groups % 2 == 0 && s->k / s->groups % 2 == 0;
}

/* The rows or the columns of the input that see the same taps in a backward pass: there are
 * `stride` such phases in each direction. Pixel p + stride t reads the taps first, first + stride,
 * ... of the kernel, last one first, at the output's pixels t + offset, t + offset + 1, ... */
struct direct_phase {
    int first, taps, offset;
};
struct direct_phase direct_phase(const struct conv_shape *s, enum conv_axis axis, int p);

/* The same for either pass that writes pixels: forward has one phase, that sees every tap. And the
 * first and last pixel, from t, that any phase of the pass reads. */
struct direct_phase direct_pass_phase(const struct conv_shape *s, bool forward, enum conv_axis axis,
                                      int p);
void direct_reach(const struct conv_shape *s, bool forward, enum conv_axis axis, int *first,
                  int *last);

/* Panels: the elements of a group with so many taps, and where those of a phase begin. */
ptrdiff_t direct_group_panels(const struct conv_shape *s, enum conv_pass pass, int lanes, int taps);
ptrdiff_t direct_phase_panels(const struct conv_shape *s, int lanes, int py, int px);

/* Packed weights of dense convolutions, as conv.h has it. */
size_t direct_dense_packed(const struct conv_shape *s, enum conv_pass pass);
void direct_dense_pack(const struct conv_shape *s, const struct conv_packing *p);
#endif
