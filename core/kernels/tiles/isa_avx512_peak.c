#include "core/kernels/simd/avx512.h"

#include "core/kernels/tiles/peak_body.h"

PEAK(avx512)
