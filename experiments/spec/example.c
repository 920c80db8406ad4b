/* The example is made of the rows, so that it lacks none of them and its values are right. */
#include "experiments/spec/example.h"
#include "experiments/spec/components.h"
#include "experiments/spec/spec.h"
#include <string.h>

enum { NOTE_COLUMN = 34 }; /* where a line begins to say what it means */

struct example {
    struct text *t;
    struct run_spec spec; /* all defaults, with SE blocks */
    struct pool pool;
    const char **keys;
    int n_keys;
};

static int indent(const char *prefix)
{
    int n = 2;
    for (; *prefix; prefix++) n += 2 * (*prefix == '.');
    return n;
}

/* "  epochs: 30      # passes over the training part; an integer 1..100000" */
static void key_write(struct example *x, const char *key)
{
    void *into;
    const struct component *c = component_around(key);
    const struct field *row = spec_field(&x->spec, key, &into), *any = row ? row : key_row(key, 0);
    bool given = any->type != FIELD_TEXT || any->text;
    bool live = row && given && (!row->applies || row->applies(into));
    struct text line = { NULL, 0, 0 };
    text_addf(&line, "%*s%s%s: ", indent(key) - 2, "", live ? "" : "# ", last_part(key));
    given ? field_default_text(any, &line) : text_add(&line, "...");
    text_addf(x->t, "%-*s # ", NOTE_COLUMN, line.s);
    text_clear(&line);
    if (!row) text_addf(x->t, "with %s: ", key_owner(key, &x->pool));
    text_addf(x->t, "%s; ", any->meaning);
    c &&any == c->row ? component_form(c, x->t) : field_form(any, x->t);
    text_add(x->t, "\n");
}

static void section_write(struct example *x, const char *prefix)
{
    const struct component *c = component_of(prefix);
    const char *name = c ? pool_textf(&x->pool, "%s.%s", c->prefix, c->key) : "";
    size_t len = strlen(prefix);
    text_addf(x->t, "%*s%s:\n", indent(prefix) - 2, "", last_part(prefix));
    if (c) key_write(x, name);
    for (int i = 0; i < x->n_keys; i++) {
        const char *key = x->keys[i];
        if (prefix_len(key) == len && strncmp(key, prefix, len) == 0 && strcmp(key, name) != 0)
            key_write(x, key);
    }
}

void example_write(struct text *t)
{
    struct example x = { .t = t };
    const struct value any = { .kind = VALUE_SCALAR, .text = "" };
    x.n_keys = keys_all(&x.keys, &x.pool);
    spec_start(&x.spec, &(struct setting){ "model.se.reduction", &any }, 1, &x.pool);
    for (int i = 0; prefix_at(i); i++) section_write(&x, prefix_at(i));
    pool_clear(&x.pool);
}
