/* What the arithmetic units can do at best: multiply-adds on registers alone, over the vector type
 * vf. Compiled without sanitizers in every build, since an instrumented loop is no peak. */
#include "core/kernels/simd/unroll.h"
#include "core/kernels/tiles/tiles.h"

INLINE float peak_body(const bool pairs, long steps)
{
    const vf a = vf_set(0.5f), b = vf_set(1.0f);
    vf sums[DIRECT_PEAK], all = vf_set(0);
    REPEAT (i, 0, DIRECT_PEAK) sums[i] = vf_set((float)i);
    for (long s = 0; s < steps; s++)
        REPEAT (i, 0, DIRECT_PEAK) sums[i] = pairs ? vf_dot(a, b, sums[i]) : vf_fma(sums[i], a, b);
    REPEAT (i, 0, DIRECT_PEAK) all += sums[i];
    return all[0];
}

#define PEAK(name)                                                    \
    float peak_##name(long steps) { return peak_body(false, steps); } \
    float peak_bf16_##name(long steps) { return peak_body(true, steps); }
