/* The direct convolution as one of conv.h's ways: which shapes it takes and which part serves them.
 */
#include "core/kernels/direct.h"
#include "core/base/err.h"
#include "core/kernels/kernels.h"
#include <string.h>

const struct direct_isa *direct_isa(void)
{
    static const struct direct_isa *const tables[] = {
#define ISA(name, runs_here) &direct_##name,
#include "core/kernels/isas.def"
#undef ISA
    };
    size_t i = 0;
    while (i < sizeof tables / sizeof *tables && strcmp(tables[i]->isa, kernels->isa) != 0) i++;
    BUG_IF(i == sizeof tables / sizeof *tables, "no direct convolution for %s", kernels->isa);
    return tables[i];
}

static bool direct_takes(const struct conv_shape *s) { return s->groups == 1; }

static size_t direct_work(const struct conv_shape *s)
{
    size_t most = direct_weights_work(s);
    for (int pass = CONV_FORWARD; pass <= CONV_BACKWARD_DATA; pass++) {
        const size_t len = direct_dense_work(s, (enum conv_pass)pass);
        most = len > most ? len : most;
    }
    return most;
}

const struct conv_kernels conv_direct = {
    .name = "direct",
    .takes = direct_takes,
    .work = direct_work,
    .packed = direct_dense_packed,
    .pack = direct_dense_pack,
    .fuses = true,
    .forward = direct_dense_forward,
    .backward_data = direct_dense_backward_data,
    .backward_weights = direct_dense_backward_weights,
};
