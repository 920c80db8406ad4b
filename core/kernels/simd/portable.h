/* vf: 4 floats, plain C for any machine; a product is rounded before it is added. The *_part forms
 * touch the first m < LANES floats only and read the others as 0. vf_max and vf_min return b where
 * one of the two is NaN. */
#include "core/kernels/vector/bf16.h"
#include <stddef.h>
#include <string.h>

enum { LANES = 4, PAIRS_FAST = 0 }; /* vf_dot takes two multiplications of floats, and more */
typedef float vf __attribute__((vector_size(16)));
typedef int vi __attribute__((vector_size(16)));

static inline vf vf_load(const float *p)
{
    vf a;
    memcpy(&a, p, sizeof a);
    return a;
}
static inline void vf_store(float *p, vf a) { memcpy(p, &a, sizeof a); }
/* Past the caches; p lies on a whole vector. */
static inline void vf_stream(float *p, vf a) { vf_store(p, a); }
static inline vf vf_load_part(const float *p, size_t m)
{
    vf a = { 0 };
    for (size_t i = 0; i < m; i++) a[i] = p[i];
    return a;
}
static inline void vf_store_part(float *p, vf a, size_t m)
{
    for (size_t i = 0; i < m; i++) p[i] = a[i];
}
static inline vf vf_set(float a) { return (vf){ a, a, a, a }; }
static inline vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
static inline vf vf_accumulate(vf a, vf b, vf sum) { return a * b + sum; }
static inline vf vf_max(vf a, vf b)
{
    vi m = a > b;
    return (vf)((m & (vi)a) | (~m & (vi)b));
}
static inline vf vf_min(vf a, vf b)
{
    vi m = a < b;
    return (vf)((m & (vi)a) | (~m & (vi)b));
}
/* Lane i of the result is lane from[i] of a. */
static inline vf vf_permute(vf a, vi from)
{
    return (vf){ a[from[0] & 3], a[from[1] & 3], a[from[2] & 3], a[from[3] & 3] };
}

static inline vf vf_load_bf16(const bf16 *p)
{
    return (vf){ bf16_value(p[0]), bf16_value(p[1]), bf16_value(p[2]), bf16_value(p[3]) };
}
static inline void vf_store_bf16(bf16 *p, vf a)
{
    for (size_t i = 0; i < LANES; i++) p[i] = bf16_of(a[i]);
}
static inline vf vf_load_bf16_part(const bf16 *p, size_t m)
{
    vf a = { 0 };
    for (size_t i = 0; i < m; i++) a[i] = bf16_value(p[i]);
    return a;
}
static inline void vf_store_bf16_part(bf16 *p, vf a, size_t m)
{
    for (size_t i = 0; i < m; i++) p[i] = bf16_of(a[i]);
}
/* Two bf16 in each lane, the lower half and the upper one: the nearest of two floats, or as they
 * are. */
static inline vf vf_pair(vf lower, vf upper)
{
    bf16 all[2 * LANES];
    vf pair;
    for (size_t i = 0; i < LANES; i++)
        all[2 * i] = bf16_of(lower[i]), all[2 * i + 1] = bf16_of(upper[i]);
    memcpy(&pair, all, sizeof pair);
    return pair;
}
static inline vf vf_pair_bf16(const bf16 *lower, const bf16 *upper)
{
    bf16 all[2 * LANES];
    vf pair;
    for (size_t i = 0; i < LANES; i++) all[2 * i] = lower[i], all[2 * i + 1] = upper[i];
    memcpy(&pair, all, sizeof pair);
    return pair;
}
/* The two bf16 at p in all lanes. Copied, since a compiler may take it that no write of bf16
 * changes what is read as a float. */
static inline vf vf_set_pair(const void *p)
{
    float pair;
    memcpy(&pair, p, sizeof pair);
    return vf_set(pair);
}
static inline void vf_stream_bf16(bf16 *p, vf a, vf b)
{
    vf_store_bf16(p, a), vf_store_bf16(p + LANES, b);
}
/* Each lane as two bf16: c + the products of the lower and of the upper ones. */
static inline vf vf_dot(vf a, vf b, vf c)
{
    const vi upper = (vi){ 0 } + (int)0xffff0000u;
    c = vf_fma((vf)((vi)a << 16), (vf)((vi)b << 16), c);
    return vf_fma((vf)((vi)a & upper), (vf)((vi)b & upper), c);
}
/* LANES bf16 past the caches; p lies on a whole vector of them. */
static inline void vf_stream_bf16_one(bf16 *p, vf a) { vf_store_bf16(p, a); }
