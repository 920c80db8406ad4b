/* Copies between floats and bf16 of whole buffers. */
#include "core/kernels/vector/bf16.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"

enum { BF16_PART = 1 << 14 }; /* numbers copied by one chunk */

struct bf16_copy {
    void *to;
    const void *from;
    size_t len;
};

static size_t bf16_part(const struct bf16_copy *c, size_t at)
{
    return c->len - at < BF16_PART ? c->len - at : BF16_PART;
}

static void bf16_widen_chunk(void *ctx, size_t chunk)
{
    const struct bf16_copy *c = ctx;
    const size_t at = chunk * BF16_PART;
    kernels->widen((float *)c->to + at, (const bf16 *)c->from + at, bf16_part(c, at));
}

static void bf16_narrow_chunk(void *ctx, size_t chunk)
{
    const struct bf16_copy *c = ctx;
    const size_t at = chunk * BF16_PART;
    kernels->narrow((bf16 *)c->to + at, (const float *)c->from + at, bf16_part(c, at));
}

static size_t bf16_parts(size_t len) { return (len + BF16_PART - 1) / BF16_PART; }

void bf16_widen(float *to, const bf16 *from, size_t len)
{
    parallel_for(bf16_parts(len), bf16_widen_chunk, &(struct bf16_copy){ to, from, len });
}

void bf16_narrow(bf16 *to, const float *from, size_t len)
{
    parallel_for(bf16_parts(len), bf16_narrow_chunk, &(struct bf16_copy){ to, from, len });
}
