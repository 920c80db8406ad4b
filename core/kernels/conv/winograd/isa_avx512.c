#include "core/kernels/simd/avx512.h"

#include "core/kernels/conv/winograd/transforms_body.h"

const struct winograd_isa winograd_avx512 = WINOGRAD_TABLE;
