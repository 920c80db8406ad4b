#ifndef CORE_KERNELS_CONV_WINOGRAD_WEIGHTS_H
#define CORE_KERNELS_CONV_WINOGRAD_WEIGHTS_H
/* The gradient of the weights. */
#include "core/kernels/conv/conv.h"

size_t winograd_weights_work(const struct conv_shape *s);
size_t winograd_weights_scratch(const struct conv_shape *s, const struct conv_call *c);
void winograd_backward_weights(const struct conv_shape *s, const struct conv_call *c);
#endif
