#include "core/base/rng.h"
#include "core/base/elementary.h"
#include <math.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

struct rng rng_stream(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint32_t b)
{
    /* Counter word 0 counts blocks in its low 26 bits; the purpose sits above. A stream so has
     * 2^26 blocks of four words before it would run into that of another purpose. */
    return (
        struct rng){ .key = { (uint32_t)seed, (uint32_t)(seed >> 32) },
                     .counter = { (uint32_t)purpose << 26, b, (uint32_t)a, (uint32_t)(a >> 32) } };
}

uint32_t rng_u32(struct rng *r)
{
    if (!r->left) {
        philox4x32_ctr_t c = { { r->counter[0], r->counter[1], r->counter[2], r->counter[3] } };
        philox4x32_key_t k = { { r->key[0], r->key[1] } };
        c = philox4x32(c, k);
        for (int i = 0; i < 4; i++) r->block[i] = c.v[i];
        r->counter[0]++;
        r->left = 4;
    }
    return r->block[4 - r->left--];
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
    /* Lemire 2019: the high word of a product, redrawn where the low word would give a bias. */
    uint64_t m = (uint64_t)rng_u32(r) * n;
    if ((uint32_t)m < n) {
        uint32_t threshold = -n % n;
        while ((uint32_t)m < threshold) m = (uint64_t)rng_u32(r) * n;
    }
    return (uint32_t)(m >> 32);
}

double rng_uniform(struct rng *r)
{
    uint64_t high = rng_u32(r) >> 5, low = rng_u32(r) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

double rng_normal(struct rng *r)
{
    double radius = sqrt(-2 * elementary_log(1 - rng_uniform(r)));
    return radius * elementary_cos_turns(rng_uniform(r));
}

void rng_shuffle(struct rng *r, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) out[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = rng_below(r, i), t = out[i - 1];
        out[i - 1] = out[j];
        out[j] = t;
    }
}
