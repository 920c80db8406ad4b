/* 32 registers of 16 floats: 14 x 2 sums, 2 of weights, 1 pixel; 16 x 1; 8 x 3 sums, 3, 1. */
#define TILE_WIDE 14
#define TILE_NARROW 16
#define OUTER_BROAD 8
#define CACHE (128 * 1024)
#include "core/kernels/simd/avx512.h"

#include "core/kernels/tiles/tiles_body.h"

const struct direct_isa direct_avx512_bf16 = DIRECT_TABLE(avx512_bf16);
