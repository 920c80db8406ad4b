/* 16 registers of 8 floats: 6 x 2 sums, 2 of weights, 1 pixel; 12 x 1 sums, 1, 1; 4 x 3 sums, 3, 1.
 */
#define TILE_WIDE 6
#define TILE_NARROW 12
#define OUTER_BROAD 4
#define CACHE (48 * 1024)
#include "core/kernels/simd/avx2.h"

#include "core/kernels/tiles/tiles_body.h"

const struct direct_isa direct_avx2 = DIRECT_TABLE(avx2);
