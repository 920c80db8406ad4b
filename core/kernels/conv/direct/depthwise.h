#ifndef CORE_KERNELS_CONV_DIRECT_DEPTHWISE_H
#define CORE_KERNELS_CONV_DIRECT_DEPTHWISE_H
/* Depthwise convolutions, and groups of 4 and 8 channels that are narrower than a vector. */
#include "core/kernels/conv/conv.h"

bool direct_depthwise_supports(const struct conv_shape *s);
size_t direct_depthwise_packed(const struct conv_shape *s, enum conv_pass pass);
void direct_depthwise_pack(const struct conv_shape *s, const struct conv_packing *p);
size_t direct_depthwise_work(const struct conv_shape *s);
size_t direct_depthwise_scratch(const struct conv_shape *s, const struct conv_call *c);
void direct_depthwise_forward(const struct conv_shape *s, const struct conv_call *c);
void direct_depthwise_backward_data(const struct conv_shape *s, const struct conv_call *c);
void direct_depthwise_backward_weights(const struct conv_shape *s, const struct conv_call *c);
#endif
