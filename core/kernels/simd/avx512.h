/* vf: 16 floats in a 512-bit register. The *_part forms touch the first m < LANES floats only and
 * read the others as 0. vf_max and vf_min return b where one of the two is NaN. */
#include "core/kernels/vector/bf16.h"
#include <immintrin.h>
#include <stddef.h>

enum { LANES = 16 };
typedef __m512 vf;
typedef int vi __attribute__((vector_size(64)));

static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vf_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
/* Past the caches; p lies on a whole vector. Other threads see it once the chunk's parallel_for
 * has fenced it (core/base/parallel.c). */
static inline void vf_stream(float *p, vf a) { _mm512_stream_ps(p, a); }
static inline vf vf_load_part(const float *p, size_t m)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << m) - 1), p);
}
static inline void vf_store_part(float *p, vf a, size_t m)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << m) - 1), a);
}
static inline vf vf_set(float a) { return _mm512_set1_ps(a); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/* sum + a b, in the register of sum: left to itself, gcc 12 moves a tile's sums from one register
 * to another until it must keep some in memory. */
static inline vf vf_accumulate(vf a, vf b, vf sum)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
}
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
/* Lane i of the result is lane from[i] of a. */
static inline vf vf_permute(vf a, vi from) { return _mm512_permutexvar_ps((__m512i)from, a); }

static inline vf vf_load_bf16(const bf16 *p)
{
    return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)p)), 16);
}
static inline vf vf_load_bf16_part(const bf16 *p, size_t m)
{
    const __m256i some = _mm256_maskz_loadu_epi16((__mmask16)((1u << m) - 1), p);
    return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32(some), 16);
}
/* The two bf16 at p in all lanes. As an integer: Zen 4 reads 1 of those in a cycle, but only 0.75
 * floats. */
static inline vf vf_set_pair(const void *p)
{
    int bits;
    memcpy(&bits, p, sizeof bits);
    return (vf)_mm512_set1_epi32(bits);
}
#ifdef __AVX512BF16__
enum { PAIRS_FAST = 1 };
/* The nearest bf16 of each lane, ties to even, in the order of the lanes; denormals become 0. */
static inline __m256i vf_bf16(vf a) { return (__m256i)_mm512_cvtneps_pbh(a); }
/* Each lane as two bf16: c + the products of the lower and of the upper ones. */
static inline vf vf_dot(vf a, vf b, vf c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
#else
enum { PAIRS_FAST = 0 }; /* vf_dot takes two multiplications of floats, and more */
static inline __m256i vf_bf16(vf a)
{
    const __m512i bits = (__m512i)a, one = _mm512_set1_epi32(1);
    __m512i odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), one);
    __m512i near = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
    near = _mm512_mask_or_epi32(near, nan, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(near, 16));
}
static inline vf vf_dot(vf a, vf b, vf c)
{
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000u);
    c = vf_accumulate((vf)_mm512_slli_epi32((__m512i)a, 16), (vf)_mm512_slli_epi32((__m512i)b, 16),
                      c);
    return vf_accumulate((vf)_mm512_and_epi32((__m512i)a, upper),
                         (vf)_mm512_and_epi32((__m512i)b, upper), c);
}
#endif
static inline void vf_store_bf16(bf16 *p, vf a) { _mm256_storeu_si256((void *)p, vf_bf16(a)); }
static inline void vf_store_bf16_part(bf16 *p, vf a, size_t m)
{
    _mm256_mask_storeu_epi16(p, (__mmask16)((1u << m) - 1), vf_bf16(a));
}
/* Two bf16 in each lane, the lower half and the upper one: the nearest of two floats, or as they
 * are. */
static inline vf vf_pair_halves(__m256i lower, __m256i upper)
{
    const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(upper), 16);
    return (vf)_mm512_or_si512(_mm512_cvtepu16_epi32(lower), high);
}
static inline vf vf_pair(vf lower, vf upper)
{
    return vf_pair_halves(vf_bf16(lower), vf_bf16(upper));
}
static inline vf vf_pair_bf16(const bf16 *lower, const bf16 *upper)
{
    return vf_pair_halves(_mm256_loadu_si256((const void *)lower),
                          _mm256_loadu_si256((const void *)upper));
}
/* 2 LANES bf16 past the caches; p lies on a whole vector of 16-bit numbers. */
static inline void vf_stream_bf16(bf16 *p, vf a, vf b)
{
    const __m512i both = _mm512_castsi256_si512(vf_bf16(a));
    _mm512_stream_si512((void *)p, _mm512_inserti64x4(both, vf_bf16(b), 1));
}
/* LANES bf16 past the caches; p lies on a whole vector of them. */
static inline void vf_stream_bf16_one(bf16 *p, vf a)
{
    _mm256_stream_si256((__m256i *)(void *)p, vf_bf16(a));
}
