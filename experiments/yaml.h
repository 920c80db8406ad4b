#ifndef EXPERIMENTS_YAML_H
#define EXPERIMENTS_YAML_H
#include "experiments/diag.h"

/* YAML, through libyaml, into values with places. Refused with a message: anchors, aliases and
 * tags (a file needs none, and an alias can be a bomb), duplicate keys, keys that are no scalars,
 * more than one document, nesting over 16, more than 100,000 nodes, bytes that are no UTF-8. */
struct value *yaml_read(const char *file, const char *text, size_t len, struct pool *p,
                        struct diags *d); /* NULL after a diagnosis */
#endif
