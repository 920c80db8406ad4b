#ifndef EXPERIMENTS_SPEC_COMPONENTS_H
#define EXPERIMENTS_SPEC_COMPONENTS_H
#include "experiments/spec/run_spec.h"

/* What an experiment chooses by name: a data format, a backbone, an optimiser, a schedule. Each is
 * a setting, and each brings rows of its own to its section. */
struct component {
    const char *prefix, *key;             /* "train.optimizer", "name" */
    const char *noun;                     /* "optimizer", in messages */
    struct field row[2];                  /* the name as a setting of struct run_spec */
    const struct field *(*fields)(int i); /* rows that the i-th thing brings; NULL past the last */
    const char *(*name)(int i);           /* its name; NULL past the last */
    const char *(*nearest)(
        const char *word); /* the name that word may be a misspelling of; or NULL */
    const char *also;      /* what may stand before each of those names, or NULL */
    const char *(*chosen)(const struct run_spec *s);
};
enum component_id {
#define COMPONENT(prefix, key, label, member, what) COMPONENT_##member,
#include "experiments/spec/sections.def"
    COMPONENTS
};
extern const struct component components[COMPONENTS];

/* The component whose section this is, or in whose section this key is; or NULL. */
const struct component *component_of(const char *prefix);
const struct component *component_around(const char *key);

/* The i-th prefix that settings live at ("dataset", "model.se", ...), or NULL; and the rows there
 * that no component brings, or NULL. */
const char *prefix_at(int i);
const struct field *prefix_fields(const char *prefix);

/* Of "model.se.squeeze": the length of "model.se"; 0 where there is no dot. */
size_t prefix_len(const char *key);
const char *last_part(const char *key); /* "squeeze" */

/* The i-th row that a key can have, depending on what is chosen; NULL past the last. */
const struct field *key_row(const char *key, int i);

/* The component and the name under which a key exists ("schedule step"), or NULL. */
const char *key_owner(const char *key, struct pool *p);

/* All keys that exist under any choice, in p; returns how many. */
int keys_all(const char ***out, struct pool *p);

/* "model.se takes reduction, squeeze, ..." of the first len bytes of prefix, or NULL. */
const char *section_advice(const char *prefix, size_t len, struct pool *p);

/* "one of sgd" */
void component_form(const struct component *c, struct text *t);

/* The first key of all that ends in this part, or, with near, that may be meant by it; or NULL. */
const char *key_ending(const char *part, bool near, struct pool *p);

/* Is it a key of the experiment itself: seeds, sweep, ...? */
bool key_is_top(const char *key);

/* Advice on a key that does not exist, or NULL. */
const char *key_advice(const char *key, struct pool *p);
#endif
