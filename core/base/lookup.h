#ifndef CORE_BASE_LOOKUP_H
#define CORE_BASE_LOOKUP_H
#include <stdint.h>

/* Numbers found by a digest, at a cost that does not grow with how many there are. Zero is empty.
 * Digests stand for what they are of. */
struct lookup {
    uint64_t *keys;
    int *values;
    int n, room;
};

int lookup_find(const struct lookup *l, uint64_t key);      /* -1 where it was not added */
void lookup_add(struct lookup *l, uint64_t key, int value); /* value >= 0, key not yet added */
void lookup_clear(struct lookup *l);
#endif
