/* Chooses the kernel table: the best that this machine runs, before main and without being asked,
 * so that no caller can run on a lesser one by accident. */
#include "core/kernels/kernels.h"
#include <string.h>

#define ISA(name, runs_here) extern const struct kernels kernels_##name;
#include "core/kernels/isas.def"
#undef ISA

const struct kernels *kernels = &kernels_portable;

const struct kernels *kernels_at(int i)
{
#define ISA(name, runs_here) \
    if ((runs_here) && i-- == 0) return &kernels_##name;
#include "core/kernels/isas.def"
#undef ISA
    return NULL;
}

const struct kernels *kernels_use(const char *isa)
{
    const struct kernels *k;
    for (int i = 0; (k = kernels_at(i)); i++)
        if (!isa || strcmp(k->isa, isa) == 0) return kernels = k;
    return NULL;
}

__attribute__((constructor)) static void kernels_begin(void)
{
    __builtin_cpu_init();
    kernels_use(NULL);
}
