/* 16 registers of 4 floats on x86-64: 6 x 2 sums, 2 of weights, 2 for a product; 12 x 1; 4 x 2. */
#define TILE_WIDE 6
#define TILE_NARROW 12
#define OUTER_BROAD 4
#define CACHE (48 * 1024)
#include "core/kernels/simd/portable.h"

#include "core/kernels/tiles/tiles_body.h"

const struct direct_isa direct_portable = DIRECT_TABLE(portable);
