#ifndef CORE_KERNELS_CONV_DIRECT_DENSE_H
#define CORE_KERNELS_CONV_DIRECT_DENSE_H
/* Dense convolutions, and grouped ones whose groups fill a vector: passes that write pixels
 * (dense.c), and the gradient of the weights (dense_weights.c). */
#include "core/kernels/conv/conv.h"

size_t direct_dense_work(const struct conv_shape *s);
void direct_dense_forward(const struct conv_shape *s, const struct conv_call *c);
void direct_dense_backward_data(const struct conv_shape *s, const struct conv_call *c);
size_t direct_weights_work(const struct conv_shape *s);

/* Scratch of a thread (conv_algorithm.scratch): of the first two passes, of the third. */
size_t direct_dense_scratch(const struct conv_shape *s, const struct conv_call *c);
size_t direct_weights_scratch(const struct conv_shape *s, const struct conv_call *c);
void direct_dense_backward_weights(const struct conv_shape *s, const struct conv_call *c);
#endif
