#ifndef CORE_BASE_RNG_H
#define CORE_BASE_RNG_H
#include <stdint.h>

/* Counter-based random numbers (Philox4x32-10 of Random123: Salmon et al., SC 2011). A stream is
 * named by what it is for, so that no draw of one purpose ever shifts another: adding an SE block
 * changes neither the data order, nor the augmentation, nor the weights both arms share. */
enum rng_purpose {
    RNG_WEIGHTS = 1,
    RNG_ORDER,
    RNG_AUGMENT,
    RNG_DROPOUT,
    RNG_SPLIT,
    RNG_SYNTHETIC,
    RNG_TEST,
    RNG_SHAKE
};

struct rng {
    uint32_t key[2], counter[4], block[4];
    int left; /* words of block not yet handed out */
};

/* a and b tell streams of one purpose apart: epoch and sample index, the digest of a parameter's
 * name and 0, ... */
struct rng rng_stream(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint32_t b);

uint32_t rng_u32(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* uniform on 0 .. n-1, without bias; n >= 1 */
double rng_uniform(struct rng *r);             /* uniform on [0, 1), 53 bits */
double rng_normal(struct rng *r);              /* mean 0, variance 1 (Box-Muller) */

/* A permutation of 0 .. n-1 (Fisher-Yates). */
void rng_shuffle(struct rng *r, uint32_t *out, uint32_t n);
#endif
