#ifndef CORE_KERNELS_CONV_SUMS_H
#define CORE_KERNELS_CONV_SUMS_H
#include "core/kernels/conv/conv.h"

/* The last step of a forward pass that sums: the call's sums and squares from those of the row
 * blocks of each image, partial[n][row_blocks][2][k], top to bottom. */
void direct_add_sums(const struct conv_shape *s, const struct conv_call *c, const float *partial,
                     int row_blocks);
#endif
