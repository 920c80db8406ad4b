/* vf: 8 floats in a 256-bit register. The *_part forms touch the first m < LANES floats only and
 * read the others as 0. vf_max and vf_min return b where one of the two is NaN. */
#include "core/kernels/vector/bf16.h"
#include <immintrin.h>
#include <stddef.h>

enum { LANES = 8, PAIRS_FAST = 0 }; /* vf_dot takes two multiplications of floats, and more */
typedef __m256 vf;
typedef int vi __attribute__((vector_size(32)));

static inline __m256i vf_first(size_t m)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)m), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vf_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
/* Past the caches; p lies on a whole vector. Other threads see it once the chunk's parallel_for
 * has fenced it (core/base/parallel.c). */
static inline void vf_stream(float *p, vf a) { _mm256_stream_ps(p, a); }
static inline vf vf_load_part(const float *p, size_t m)
{
    return _mm256_maskload_ps(p, vf_first(m));
}
static inline void vf_store_part(float *p, vf a, size_t m)
{
    _mm256_maskstore_ps(p, vf_first(m), a);
}
static inline vf vf_set(float a) { return _mm256_set1_ps(a); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
/* sum + a b, in the register of sum: left to itself, gcc 12 moves a tile's sums from one register
 * to another until it must keep some in memory. */
static inline vf vf_accumulate(vf a, vf b, vf sum)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
    return sum;
}
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
/* Lane i of the result is lane from[i] of a. */
static inline vf vf_permute(vf a, vi from) { return _mm256_permutevar8x32_ps(a, (__m256i)from); }

static inline vf vf_load_bf16(const bf16 *p)
{
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return (vf)_mm256_slli_epi32(wide, 16);
}
/* The nearest bf16 of each lane, ties to even, in the order of the lanes. */
static inline __m128i vf_bf16(vf a)
{
    const __m256i bits = (__m256i)a, one = _mm256_set1_epi32(1);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
    __m256i near = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i nan = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    near = (__m256i)_mm256_blendv_ps((vf)near, (vf)nan, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
    near = _mm256_srli_epi32(near, 16);
    near = _mm256_permute4x64_epi64(_mm256_packus_epi32(near, near), 0x08);
    return _mm256_castsi256_si128(near);
}
static inline void vf_store_bf16(bf16 *p, vf a)
{
    _mm_storeu_si128((__m128i *)(void *)p, vf_bf16(a));
}
static inline vf vf_load_bf16_part(const bf16 *p, size_t m)
{
    bf16 all[LANES] = { 0 };
    memcpy(all, p, m * sizeof *p);
    return vf_load_bf16(all);
}
static inline void vf_store_bf16_part(bf16 *p, vf a, size_t m)
{
    bf16 all[LANES];
    vf_store_bf16(all, a);
    memcpy(p, all, m * sizeof *p);
}
/* Two bf16 in each lane, the lower half and the upper one: the nearest of two floats, or as they
 * are. */
static inline vf vf_pair_halves(__m128i lower, __m128i upper)
{
    __m256i high = _mm256_slli_epi32(_mm256_cvtepu16_epi32(upper), 16);
    return (vf)_mm256_or_si256(_mm256_cvtepu16_epi32(lower), high);
}
static inline vf vf_pair(vf lower, vf upper)
{
    return vf_pair_halves(vf_bf16(lower), vf_bf16(upper));
}
static inline vf vf_pair_bf16(const bf16 *lower, const bf16 *upper)
{
    return vf_pair_halves(_mm_loadu_si128((const __m128i *)(const void *)lower),
                          _mm_loadu_si128((const __m128i *)(const void *)upper));
}
/* The two bf16 at p in all lanes. Copied, since a compiler may take it that no write of bf16
 * changes what is read as a float. */
static inline vf vf_set_pair(const void *p)
{
    float pair;
    memcpy(&pair, p, sizeof pair);
    return vf_set(pair);
}
/* 2 LANES bf16 past the caches; p lies on a whole vector of 16-bit numbers. */
static inline void vf_stream_bf16(bf16 *p, vf a, vf b)
{
    const __m256i both = _mm256_castsi128_si256(vf_bf16(a));
    _mm256_stream_si256((__m256i *)(void *)p, _mm256_inserti128_si256(both, vf_bf16(b), 1));
}
/* Each lane as two bf16: c + the products of the lower and of the upper ones. */
static inline vf vf_dot(vf a, vf b, vf c)
{
    const vf upper = (vf)_mm256_set1_epi32((int)0xffff0000u);
    c = vf_accumulate((vf)_mm256_slli_epi32((__m256i)a, 16), (vf)_mm256_slli_epi32((__m256i)b, 16),
                      c);
    return vf_accumulate(_mm256_and_ps(a, upper), _mm256_and_ps(b, upper), c);
}
/* LANES bf16 past the caches; p lies on a whole vector of them. */
static inline void vf_stream_bf16_one(bf16 *p, vf a)
{
    _mm_stream_si128((__m128i *)(void *)p, vf_bf16(a));
}
