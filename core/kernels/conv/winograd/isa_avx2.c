#include "core/kernels/simd/avx2.h"

#include "core/kernels/conv/winograd/transforms_body.h"

const struct winograd_isa winograd_avx2 = WINOGRAD_TABLE;
