#include "core/kernels/simd/avx2.h"

#include "core/kernels/tiles/peak_body.h"

PEAK(avx2)
