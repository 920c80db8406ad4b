#ifndef EXPERIMENTS_SPEC_YAML_H
#define EXPERIMENTS_SPEC_YAML_H
#include "experiments/spec/diag.h"

/* YAML (a text that ends with NUL), through libyaml, into values with places. Refused with a
 * message: anchors, aliases and tags (a file needs none, and an alias can be a bomb), duplicate
 * keys, keys that are no scalars, keys without a value, more than one document, nesting over 16,
 * maps of more than 1,000 keys, more than 100,000 values, bytes that are no UTF-8. NULL where the
 * text cannot be read on. A key that is there twice or has no value is diagnosed, left out, and the
 * rest is read. Values live in p. */
struct value *yaml_read(const char *file, const char *text, size_t len, struct pool *p,
                        struct diags *d);
#endif
