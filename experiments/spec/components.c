/* The four choices by name, and the keys that exist under any of them. The list of keys serves
 * messages only: what a run has is in its sections (spec.c). */
#include "experiments/spec/components.h"
#include <stdio.h>
#include <string.h>

void component_form(const struct component *c, struct text *t)
{
    text_add(t, "one of ");
    for (int i = 0; c->name(i); i++) text_addf(t, "%s%s", i ? ", " : "", c->name(i));
    if (c->also) text_addf(t, "; each also with %s before it", c->also);
}

enum { NAMES_SHOWN = 12 }; /* more than so many are a list that nobody reads in a message */

/* Refuses a name that no thing has, and lists the names or says where they are listed. */
static bool component_refuse(const struct component *c, const struct value *v, struct err *e)
{
    struct text names = { NULL, 0, 0 };
    int n = 0;
    while (c->name(n)) n++;
    if (n > NAMES_SHOWN)
        text_addf(&names, "the name of a %s: `senet-exp list %ss` prints them all", c->noun,
                  c->noun);
    else
        component_form(c, &names);
    if (v->kind == VALUE_SCALAR)
        err_at(e, v, "\"%s\" is not %s", v->text, names.s);
    else
        err_at(e, v, "a %s is not %s", v->kind == VALUE_LIST ? "list" : "map", names.s);
    text_clear(&names);
    return false;
}

static const char *name_nearest(const char *(*name)(int i), const char *word)
{
    const char *names[256];
    size_t n = 0;
    while (n < sizeof names / sizeof *names && name((int)n)) names[n] = name((int)n), n++;
    return text_nearest(word, names, n);
}

/* For each kind of thing: how it is read, written and reset as a setting, and how its list is
 * walked. at points at the member of struct run_spec. */
#define COMPONENT_OF_LIST(noun, type, list, rows, def_name, form_text)                       \
    static const char *const noun##_also = NULL;                                             \
    static const char *noun##_name(int i) { return list[i] ? list[i]->name : NULL; }         \
    static const char *noun##_nearest(const char *word)                                      \
    {                                                                                        \
        return name_nearest(noun##_name, word);                                              \
    }                                                                                        \
    static const struct field *noun##_rows(int i) { return list[i] ? list[i]->rows : NULL; } \
    COMPONENT_ROW(noun, type, def_name, form_text)

#define COMPONENT_ROW(noun, type, def_name, form_text)                                         \
    static bool noun##_read(void *at, const struct value *v, struct pool *p, struct err *e)    \
    {                                                                                          \
        (void)p;                                                                               \
        const struct type *found = v->kind == VALUE_SCALAR ? noun##_named(v->text) : NULL;     \
        if (!found) return component_refuse(&components[COMPONENT_##noun], v, e);              \
        *(const struct type **)at = found;                                                     \
        return true;                                                                           \
    }                                                                                          \
    static void noun##_write(const void *at, struct text *json)                                \
    {                                                                                          \
        text_json(json, (*(const struct type *const *)at)->name);                              \
    }                                                                                          \
    static void noun##_reset(void *at) { *(const struct type **)at = noun##_named(def_name); } \
    static const struct field_own noun##_own = { form_text,   NULL,         def_name,          \
                                                 noun##_read, noun##_write, noun##_reset };

static const char optimizer_form[] = "one of:"
#define OPTIMIZER(name) " " #name
#include "core/optim/optimizers.def"
#undef OPTIMIZER
    ;
static const char schedule_form[] = "one of:"
#define SCHEDULE(name) " " #name
#include "core/optim/schedules.def"
#undef SCHEDULE
    ;

COMPONENT_OF_LIST(format, data_format, formats, fields, "idx", "a name of `list datasets`")
COMPONENT_OF_LIST(optimizer, optimizer, optimizers, fields, "sgd", optimizer_form)
COMPONENT_OF_LIST(schedule, schedule, schedules, fields, "cosine", schedule_form)
COMPONENT_ROW(backbone, backbone, "resnet20", "a name of `list backbones`")

static const char *backbone_name(int i) { return backbone_at(i) ? backbone_at(i)->name : NULL; }
static const struct field *backbone_rows(int i)
{
    return backbone_at(i) ? backbone_at(i)->family->fields : NULL;
}

static const char *const backbone_also = SE_PREFIX;

static const char *format_chosen(const struct run_spec *s) { return s->format->name; }
static const char *backbone_chosen(const struct run_spec *s) { return s->backbone->name; }
static const char *optimizer_chosen(const struct run_spec *s) { return s->optimizer->name; }
static const char *schedule_chosen(const struct run_spec *s) { return s->schedule->name; }

const struct component components[COMPONENTS] = {
#define COMPONENT(path, word, label, noun, what) \
    { path,                                      \
      word,                                      \
      label,                                     \
      { { .key = word,                           \
          .type = FIELD_OWN,                     \
          .at = offsetof(struct run_spec, noun), \
          .own = &noun##_own,                    \
          .meaning = what },                     \
        FIELDS_END },                            \
      noun##_rows,                               \
      noun##_name,                               \
      noun##_nearest,                            \
      noun##_also,                               \
      noun##_chosen },
#include "experiments/spec/sections.def"
};

/* Every table that no component brings, with its prefix. */
static const struct {
    const char *prefix;
    const struct field *fields;
} fixed_tables[] = {
#define ROWS(prefix, fields, member) { prefix, fields },
#include "experiments/spec/sections.def"
};
enum { FIXED_TABLES = sizeof fixed_tables / sizeof *fixed_tables };

const struct component *component_of(const char *prefix)
{
    for (int i = 0; i < COMPONENTS; i++)
        if (strcmp(components[i].prefix, prefix) == 0) return &components[i];
    return NULL;
}

const struct component *component_around(const char *key)
{
    size_t len = prefix_len(key);
    for (int i = 0; i < COMPONENTS; i++)
        if (strlen(components[i].prefix) == len && strncmp(components[i].prefix, key, len) == 0)
            return &components[i];
    return NULL;
}

/* The prefix of every section, each as often as it has sections. */
static const char *const section_prefixes[] = {
#define COMPONENT(prefix, key, label, member, what) prefix,
#define ROWS(prefix, fields, member) prefix,
#define BROUGHT(prefix, from, fields, size, member) prefix,
#include "experiments/spec/sections.def"
    NULL,
};

const char *prefix_at(int i)
{
    for (const char *const *p = section_prefixes; *p; p++)
        if ((p == section_prefixes || strcmp(p[-1], *p) != 0) && i-- == 0) return *p;
    return NULL;
}

const struct field *prefix_fields(const char *prefix)
{
    for (int i = 0; i < FIXED_TABLES; i++)
        if (strcmp(fixed_tables[i].prefix, prefix) == 0) return fixed_tables[i].fields;
    return NULL;
}

size_t prefix_len(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot ? (size_t)(dot - key) : 0;
}

const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

enum { KEYS_MAX = 512 };

struct keys {
    const char **list; /* KEYS_MAX of them at most */
    int n;
    struct pool *pool;
};

static void keys_add(struct keys *k, const char *prefix, const struct field *fields)
{
    for (; fields && fields->key; fields++) {
        const char *key = pool_textf(k->pool, "%s.%s", prefix, fields->key);
        bool there = false;
        for (int i = 0; i < k->n; i++) there |= strcmp(k->list[i], key) == 0;
        if (there) continue;
        BUG_IF(k->n == KEYS_MAX, "more than %d keys", KEYS_MAX);
        k->list[k->n++] = key;
    }
}

int keys_all(const char ***out, struct pool *p)
{
    struct keys k = { pool_new(p, KEYS_MAX, sizeof *k.list), 0, p };
    for (int i = 0; i < FIXED_TABLES; i++)
        keys_add(&k, fixed_tables[i].prefix, fixed_tables[i].fields);
    for (int c = 0; c < COMPONENTS; c++) {
        keys_add(&k, components[c].prefix, components[c].row);
        for (int i = 0; components[c].name(i); i++)
            keys_add(&k, components[c].prefix, components[c].fields(i));
    }
    *out = k.list;
    return k.n;
}

/* The tables of rows that a prefix can have: its own, that of its component, and what each choice
 * brings. NULL past the last; empty where i-th brings none. */
static const struct field *prefix_table(const char *prefix, int i)
{
    static const struct field none[] = { FIELDS_END };
    const struct component *c = component_of(prefix);
    const struct field *fixed = prefix_fields(prefix);
    if (i == 0) return fixed ? fixed : none;
    if (i == 1) return c ? c->row : NULL;
    if (!c || !c->name(i - 2)) return NULL;
    return c->fields(i - 2) ? c->fields(i - 2) : none;
}

const struct field *key_row(const char *key, int i)
{
    char prefix[64];
    const struct field *table, *before = NULL;
    snprintf(prefix, sizeof prefix, "%.*s", (int)prefix_len(key), key);
    for (int t = 0; (table = prefix_table(prefix, t)); before = table, t++) {
        const struct field *row = field_named(table, last_part(key));
        if (row && table != before && i-- == 0) return row;
    }
    return NULL;
}

const char *key_owner(const char *key, struct pool *p)
{
    const struct component *of = component_around(key);
    for (int i = 0; of && of->name(i); i++) {
        const struct field *rows = of->fields(i);
        if (rows && field_named(rows, last_part(key)))
            return pool_textf(p, "%s %s", of->noun, of->name(i));
    }
    return NULL;
}

/* The last parts of those keys and sections that stand at the first len bytes of prefix. */
static int keys_beside(const char *prefix, size_t len, const char **out, struct pool *p)
{
    const char **all;
    int n = keys_all(&all, p), found = 0;
    for (int i = 0; i < n; i++)
        if (len && prefix_len(all[i]) == len && strncmp(all[i], prefix, len) == 0)
            out[found++] = last_part(all[i]);
    for (int i = 0; prefix_at(i); i++)
        if (len && prefix_len(prefix_at(i)) == len && strncmp(prefix_at(i), prefix, len) == 0)
            out[found++] = last_part(prefix_at(i));
    return found;
}

const char *section_advice(const char *prefix, size_t len, struct pool *p)
{
    const char *keys[KEYS_MAX];
    int n = keys_beside(prefix, len, keys, p);
    struct text t = { NULL, 0, 0 };
    for (int i = 0; i < n; i++) text_addf(&t, "%s%s", i ? ", " : "", keys[i]);
    const char *out = n ? pool_textf(p, "%.*s takes %s", (int)len, prefix, t.s) : NULL;
    text_clear(&t);
    return out;
}

/* The words of the first level, for which a key may be a misspelling: sections and the experiment's
 * own. At most WORDS of them. */
enum { WORDS = 64 };
static size_t top_words(const char *words[WORDS])
{
    size_t n = 0;
#define TOP(id, key, def, form, what) words[n++] = key;
#include "experiments/spec/sections.def"
    for (int i = 0; prefix_at(i) && n < WORDS; i++)
        if (!strchr(prefix_at(i), '.')) words[n++] = prefix_at(i);
    return n;
}

bool key_is_top(const char *key)
{
#define TOP(id, word, def, form, what) \
    if (strcmp(word, key) == 0) return true;
#include "experiments/spec/sections.def"
    return false;
}

static const char *top_advice(const char *key, struct pool *p)
{
    const char *words[WORDS];
    const size_t n = top_words(words);
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], key) == 0)
            return pool_textf(p, "%s belongs to the whole experiment, at the first level", key);
    const char *word = text_nearest(key, words, n);
    return word ? pool_textf(p, "did you mean %s?", word) : NULL;
}

const char *key_ending(const char *part, bool near, struct pool *p)
{
    const char **all, *parts[KEYS_MAX];
    int n = keys_all(&all, p);
    for (int i = 0; i < n; i++) parts[i] = last_part(all[i]);
    for (int i = 0; i < n; i++)
        if (strcmp(parts[i], part) == 0) return all[i];
    const char *word = near ? text_nearest(part, parts, (size_t)n) : NULL;
    for (int i = 0; word && i < n; i++)
        if (parts[i] == word) return all[i];
    return NULL;
}

static const char *elsewhere_advice(const char *part, struct pool *p)
{
    const char *key = key_ending(part, true, p);
    return key ? pool_textf(p, "did you mean %s?", key) : NULL;
}

const char *key_advice(const char *key, struct pool *p)
{
    const char *near[KEYS_MAX], *part = last_part(key);
    size_t len = prefix_len(key);
    int n = keys_beside(key, len, near, p);
    const char *word = text_nearest(part, near, (size_t)n), *advice = NULL;
    if (word) return pool_textf(p, "did you mean %.*s.%s?", (int)len, key, word);
    if (!len) advice = top_advice(key, p);
    if (!advice) advice = elsewhere_advice(part, p);
    return advice ? advice : section_advice(key, len, p);
}
