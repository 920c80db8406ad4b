/* The peak of the instruction set in use (peak_body.h). */
#include "core/kernels/kernels.h"
#include "core/kernels/tiles/tiles.h"

float kernels_peak(bool bf16_pairs, long steps)
{
    const struct direct_isa *isa = direct_isa();
    return (bf16_pairs && isa->pairs ? isa->peak_bf16 : isa->peak)(steps);
}

double kernels_peak_macs(bool bf16_pairs)
{
    const struct direct_isa *isa = direct_isa();
    return (bf16_pairs && isa->pairs ? 2.0 : 1.0) * DIRECT_PEAK * isa->lanes;
}
