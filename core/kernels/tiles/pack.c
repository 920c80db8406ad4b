/* Panels as the tiles read them: [row][width]. */
#include "core/kernels/tiles/tiles.h"
#include <string.h>

void direct_copy_filled(const struct direct_isa *isa, enum direct_kind kind,
                        const struct direct_copy *c)
{
    if (c->c < c->out_pixel)
        memset(c->out, 0, (size_t)c->pixels * (size_t)c->out_pixel * sizeof *c->out);
    isa->copy[kind](c);
}

/* Goes in blocks of 16 rows, whose lines stay in the first-level cache until they are full. */
void direct_pack_columns(float *restrict out, const struct direct_columns *from, int width)
{
    for (int k0 = 0; k0 < from->rows; k0 += 16) {
        const int k1 = direct_min(from->rows, k0 + 16);
        for (int n = 0; n < from->valid; n++)
            for (int k = k0; k < k1; k++) out[k * width + n] = from->w[n * from->apart + k];
        for (int k = k0; k < k1; k++)
            for (int n = from->valid; n < width; n++) out[k * width + n] = 0;
    }
}
