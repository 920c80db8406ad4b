#include "core/kernels/simd/portable.h"

#include "core/kernels/peak_body.h"

PEAK(portable)
