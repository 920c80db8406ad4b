/* vf: 8 floats in a 256-bit register. The *_part forms touch the first m < LANES floats only and
 * read the others as 0. vf_max and vf_min return b where one of the two is NaN. */
#include <immintrin.h>
#include <stddef.h>

enum { LANES = 8 };
typedef __m256 vf;
typedef int vi __attribute__((vector_size(32)));

static inline __m256i vf_first(size_t m)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)m), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vf_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
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
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
/* Lane i of the result is lane from[i] of a. */
static inline vf vf_permute(vf a, vi from) { return _mm256_permutevar8x32_ps(a, (__m256i)from); }
