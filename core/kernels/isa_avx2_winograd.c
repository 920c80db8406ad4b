#include "core/kernels/simd/avx2.h"

#include "core/kernels/winograd_body.h"

const struct winograd_isa winograd_avx2 = WINOGRAD_TABLE;
