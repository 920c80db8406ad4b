#include "core/kernels/simd/avx2.h"

#include "core/kernels/vector/body.h"

const struct kernels kernels_avx2 = KERNELS_TABLE(avx2);
