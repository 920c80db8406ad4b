#include "core/kernels/simd/portable.h"

#include "core/kernels/tiles/peak_body.h"

PEAK(portable)
