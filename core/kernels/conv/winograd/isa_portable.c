#include "core/kernels/simd/portable.h"

#include "core/kernels/conv/winograd/transforms_body.h"

const struct winograd_isa winograd_portable = WINOGRAD_TABLE;
