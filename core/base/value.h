#ifndef CORE_BASE_VALUE_H
#define CORE_BASE_VALUE_H

/* What a person wrote: a scalar, a list or a map, each with its place. The experiment files are
 * read into this form (experiments/spec/yaml.h), and so is what follows KEY= on the command line.
 */
enum value_kind { VALUE_SCALAR, VALUE_LIST, VALUE_MAP };

struct value {
    enum value_kind kind;
    const char *text;           /* of a scalar, otherwise NULL */
    const struct value *key;    /* of an entry of a map, otherwise NULL */
    struct value *first, *next; /* children of a list or map; the next child of the same parent */
    const char *file;           /* "configs/se.yaml", or "command line" */
    int line, column;           /* from 1 */
};

/* The entry of a map called key, or NULL. */
const struct value *value_find(const struct value *map, const char *key);
#endif
