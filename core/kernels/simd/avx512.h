/* vf: 16 floats in a 512-bit register. The *_part forms touch the first m < LANES floats only and
 * read the others as 0. vf_max and vf_min return b where one of the two is NaN. */
#include <immintrin.h>
#include <stddef.h>

enum { LANES = 16 };
typedef __m512 vf;
typedef int vi __attribute__((vector_size(64)));

static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vf_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
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
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
/* Lane i of the result is lane from[i] of a. */
static inline vf vf_permute(vf a, vi from) { return _mm512_permutexvar_ps((__m512i)from, a); }
