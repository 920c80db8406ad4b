#include "core/kernels/simd/portable.h"

#include "core/kernels/vector/body.h"

const struct kernels kernels_portable = KERNELS_TABLE(portable);
