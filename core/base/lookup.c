/* An open table, at most half full: a key is at its digest's place or behind it. */
#include "core/base/lookup.h"
#include "core/base/mem.h"
#include <stdlib.h>

/* Where the key is, or the free place that it goes to. room is a power of two. */
static int lookup_place(const struct lookup *l, uint64_t key)
{
    int at = (int)(key & (uint64_t)(l->room - 1));
    while (l->values[at] && l->keys[at] != key) at = (at + 1) & (l->room - 1);
    return at;
}

int lookup_find(const struct lookup *l, uint64_t key)
{
    return l->room ? l->values[lookup_place(l, key)] - 1 : -1;
}

static void lookup_grow(struct lookup *l)
{
    struct lookup old = *l;
    l->room = old.room ? 2 * old.room : 64;
    l->keys = mem_new((size_t)l->room, sizeof *l->keys);
    l->values = mem_new((size_t)l->room, sizeof *l->values); /* 1 + value; 0: free */
    for (int i = 0; i < old.room; i++) {
        if (!old.values[i]) continue;
        const int at = lookup_place(l, old.keys[i]);
        l->keys[at] = old.keys[i];
        l->values[at] = old.values[i];
    }
    free(old.keys);
    free(old.values);
}

void lookup_add(struct lookup *l, uint64_t key, int value)
{
    if (2 * l->n >= l->room) lookup_grow(l);
    const int at = lookup_place(l, key);
    l->keys[at] = key;
    l->values[at] = value + 1;
    l->n++;
}

void lookup_clear(struct lookup *l)
{
    free(l->keys);
    free(l->values);
    *l = (struct lookup){ .n = 0 };
}
