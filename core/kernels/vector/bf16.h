#ifndef CORE_KERNELS_VECTOR_BF16_H
#define CORE_KERNELS_VECTOR_BF16_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* bfloat16: the upper 16 bits of a float32. Tensors may be stored so; sums are always float32. */
typedef uint16_t bf16;

static inline float bf16_value(bf16 x)
{
    const uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The nearest, ties to even; NaN stays NaN. */
static inline bf16 bf16_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (value != value) return (bf16)(bits >> 16 | 0x40);
    return (bf16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Whole buffers of len numbers, by all threads: copied to floats, or to the nearest bf16. They do
 * not overlap. */
void bf16_widen(float *to, const bf16 *from, size_t len);
void bf16_narrow(bf16 *to, const float *from, size_t len);
#endif
