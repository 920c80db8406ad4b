#include "core/base/value.h"
#include <stddef.h>
#include <string.h>

const struct value *value_find(const struct value *map, const char *key)
{
    for (const struct value *v = map->first; v; v = v->next)
        if (v->key && strcmp(v->key->text, key) == 0) return v;
    return NULL;
}
