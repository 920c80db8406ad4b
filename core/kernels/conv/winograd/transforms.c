/* One table of transforms an instruction set. */
#include "core/kernels/conv/winograd/transforms.h"

#define ISA(name, runs_here) extern const struct winograd_isa winograd_##name;
#include "core/kernels/isas.def"
#undef ISA

const struct winograd_isa *winograd_isa(void)
{
    static const struct winograd_isa *const tables[] = {
#define ISA(name, runs_here) [ISA_##name] = &winograd_##name,
#include "core/kernels/isas.def"
#undef ISA
    };
    return tables[kernels->number];
}
