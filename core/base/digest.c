#include "core/base/digest.h"
#include "core/base/mem.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum { DIGEST_BYTES = 576 }; /* about what a state of XXH3 takes, for a message */

struct digest {
    XXH3_state_t *state;
};

struct digest *digest_create(void)
{
    struct digest *d = mem_new(1, sizeof *d);
    d->state = XXH3_createState();
    if (!d->state || XXH3_64bits_reset(d->state) != XXH_OK) mem_exhausted(1, DIGEST_BYTES);
    return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
    if (len) XXH3_64bits_update(d->state, data, len);
}

uint64_t digest_end(struct digest *d)
{
    uint64_t out = XXH3_64bits_digest(d->state);
    XXH3_freeState(d->state);
    free(d);
    return out;
}

uint64_t digest_of(const void *data, size_t len) { return XXH3_64bits(data, len); }

void digest_text(uint64_t digest, char out[DIGEST_TEXT])
{
    snprintf(out, DIGEST_TEXT, "%016" PRIx64, digest);
}
