#include "core/kernels/simd/avx2.h"

#include "core/kernels/peak_body.h"

PEAK(avx2)
