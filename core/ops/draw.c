#include "core/ops/draw.h"
#include "core/base/digest.h"
#include <string.h>

struct rng draw_stream(const struct op_call *c, enum rng_purpose purpose, uint64_t image)
{
    const struct step *s = c->step;
    const uint64_t who[3] = { digest_of(c->name, strlen(c->name)), s->index, image };
    return rng_stream(s->seed, purpose, digest_of(who, sizeof who), 0);
}
