/* One table of register tiles an instruction set. */
#include "core/kernels/tiles/tiles.h"
#include "core/kernels/kernels.h"

#define ISA(name, runs_here) extern const struct direct_isa direct_##name;
#include "core/kernels/isas.def"
#undef ISA

const struct direct_isa *direct_isa(void)
{
    static const struct direct_isa *const tables[] = {
#define ISA(name, runs_here) [ISA_##name] = &direct_##name,
#include "core/kernels/isas.def"
#undef ISA
    };
    return tables[kernels->number];
}
