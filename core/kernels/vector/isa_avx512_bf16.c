#include "core/kernels/simd/avx512.h"

#include "core/kernels/vector/body.h"

const struct kernels kernels_avx512_bf16 = KERNELS_TABLE(avx512_bf16);
