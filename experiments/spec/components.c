/* The four choices by name, and the keys that exist under any of them. The list of keys serves
 * messages only: what a run has is in its sections (spec.c). */
#include "experiments/spec/components.h"
#include <string.h>

/* Refuses a name that no thing has, and lists the names. */
static bool choice_refuse(const struct choice *c, const struct value *v, struct err *e)
{
    struct text names = { NULL, 0, 0 };
    for (int i = 0; c->name(i); i++) text_addf(&names, "%s%s", i ? ", " : "", c->name(i));
    if (v->kind == VALUE_SCALAR)
        err_at(e, v, "\"%s\" is not one of %s", v->text, names.s);
    else
        err_at(e, v, "a %s is not one of %s", v->kind == VALUE_LIST ? "list" : "map", names.s);
    text_clear(&names);
    return false;
}

/* For each kind of thing: how it is read, written and reset as a setting, and how its list is
 * walked. at points at the member of struct run_spec. */
#define CHOICE_OF_LIST(index, noun, type, list, rows, def_name, form_text)                   \
    static const char *noun##_name(int i) { return list[i] ? list[i]->name : NULL; }         \
    static const struct field *noun##_rows(int i) { return list[i] ? list[i]->rows : NULL; } \
    CHOICE_ROW(index, noun, type, def_name, form_text)

#define CHOICE_ROW(index, noun, type, def_name, form_text)                                       \
    static bool noun##_read(void *at, const struct value *v, struct pool *p, struct err *e)      \
    {                                                                                            \
        (void)p;                                                                                 \
        const struct type *found = v->kind == VALUE_SCALAR ? noun##_named(v->text) : NULL;       \
        if (!found) return choice_refuse(&choices[index], v, e);                                 \
        *(const struct type **)at = found;                                                       \
        return true;                                                                             \
    }                                                                                            \
    static void noun##_write(const void *at, struct text *json)                                  \
    {                                                                                            \
        text_json(json, (*(const struct type *const *)at)->name);                                \
    }                                                                                            \
    static void noun##_reset(void *at) { *(const struct type **)at = noun##_named(def_name); }   \
    static const struct field_own noun##_own = { form_text, def_name, noun##_read, noun##_write, \
                                                 noun##_reset };

CHOICE_OF_LIST(0, format, data_format, formats, fields, "idx", "a name of `list datasets`")
CHOICE_OF_LIST(2, optimizer, optimizer, optimizers, fields, "sgd", "the name of an optimizer")
CHOICE_OF_LIST(3, schedule, schedule, schedules, fields, "cosine", "the name of a schedule")
CHOICE_ROW(1, backbone, backbone, "resnet20", "a name of `list backbones`")

static const char *backbone_name(int i) { return backbones[i].name; }
static const struct field *backbone_rows(int i)
{
    return backbones[i].name ? backbones[i].family->fields : NULL;
}

static const char *format_chosen(const struct run_spec *s) { return s->format->name; }
static const char *backbone_chosen(const struct run_spec *s) { return s->backbone->name; }
static const char *optimizer_chosen(const struct run_spec *s) { return s->optimizer->name; }
static const char *schedule_chosen(const struct run_spec *s) { return s->schedule->name; }

#define CHOICE_LINE(path, word, label, noun, what)     \
    {                                                  \
        path, word, label,                             \
            { { .key = word,                           \
                .type = FIELD_OWN,                     \
                .at = offsetof(struct run_spec, noun), \
                .own = &noun##_own,                    \
                .meaning = what },                     \
              FIELDS_END },                            \
            noun##_rows, noun##_name, noun##_chosen    \
    }

const struct choice choices[CHOICES] = {
    CHOICE_LINE("dataset", "name", "data set", format, "how the data set's files are laid out"),
    CHOICE_LINE("model", "backbone", "backbone", backbone, "the network"),
    CHOICE_LINE("train.optimizer", "name", "optimizer", optimizer, "how weights follow gradients"),
    CHOICE_LINE("train.schedule", "name", "schedule", schedule, "the learning rate's course"),
};

/* Every table there is, with its prefix; the choices' own follow from choices. */
static const struct {
    const char *prefix;
    const struct field *fields;
} fixed_tables[] = {
    { "dataset", data_fields }, { "augment", augment_fields }, { "model", model_fields },
    { "model.se", se_fields },  { "train", train_fields },
};
enum { FIXED_TABLES = sizeof fixed_tables / sizeof *fixed_tables };

const struct choice *choice_of(const char *prefix)
{
    for (int i = 0; i < CHOICES; i++)
        if (strcmp(choices[i].prefix, prefix) == 0) return &choices[i];
    return NULL;
}

const struct choice *choice_around(const char *key)
{
    size_t len = prefix_len(key);
    for (int i = 0; i < CHOICES; i++)
        if (strlen(choices[i].prefix) == len && strncmp(choices[i].prefix, key, len) == 0)
            return &choices[i];
    return NULL;
}

const char *prefix_at(int i)
{
    static const char *const prefixes[] = { "dataset",        "augment", "model",
                                            "model.se",       "train",   "train.optimizer",
                                            "train.schedule", NULL };
    return prefixes[i];
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

/* All keys that exist under any choice, in p; returns how many. */
static int keys_all(const char ***out, struct pool *p)
{
    struct keys k = { pool_new(p, KEYS_MAX, sizeof *k.list), 0, p };
    for (int i = 0; i < FIXED_TABLES; i++)
        keys_add(&k, fixed_tables[i].prefix, fixed_tables[i].fields);
    for (int c = 0; c < CHOICES; c++) {
        keys_add(&k, choices[c].prefix, choices[c].row);
        for (int i = 0; choices[c].name(i); i++)
            keys_add(&k, choices[c].prefix, choices[c].fields(i));
    }
    *out = k.list;
    return k.n;
}

const char *key_owner(const char *key, struct pool *p)
{
    const struct choice *of = choice_around(key);
    for (int i = 0; of && of->name(i); i++) {
        const struct field *rows = of->fields(i);
        if (rows && field_named(rows, last_part(key)))
            return pool_textf(p, "%s %s", of->noun, of->name(i));
    }
    return NULL;
}

/* The last parts of those keys that stand at the first len bytes of prefix. */
static int keys_beside(const char *prefix, size_t len, const char **out, struct pool *p)
{
    const char **all;
    int n = keys_all(&all, p), found = 0;
    for (int i = 0; i < n; i++)
        if (len && prefix_len(all[i]) == len && strncmp(all[i], prefix, len) == 0)
            out[found++] = last_part(all[i]);
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

/* The experiment's own keys, for which a word of the first level may be a misspelling. */
static const char *const top_keys[] = { "experiment", "question", "mirrors",  "extends",
                                        "dataset",    "augment",  "model",    "train",
                                        "sweep",      "variants", "baseline", "seeds" };
enum { TOP_KEYS = sizeof top_keys / sizeof *top_keys };

static const char *top_advice(const char *key, struct pool *p)
{
    for (int i = 0; i < TOP_KEYS; i++)
        if (strcmp(top_keys[i], key) == 0)
            return pool_textf(p, "%s belongs to the whole experiment, at the first level", key);
    const char *word = text_nearest(key, top_keys, TOP_KEYS);
    return word ? pool_textf(p, "did you mean %s?", word) : NULL;
}

/* A key of another section with this last part, or one like it. */
static const char *elsewhere_advice(const char *part, struct pool *p)
{
    const char **all, *parts[KEYS_MAX];
    int n = keys_all(&all, p);
    for (int i = 0; i < n; i++) parts[i] = last_part(all[i]);
    const char *word = text_nearest(part, parts, (size_t)n);
    for (int i = 0; i < n; i++)
        if (strcmp(parts[i], part) == 0) return pool_textf(p, "did you mean %s?", all[i]);
    for (int i = 0; word && i < n; i++)
        if (parts[i] == word) return pool_textf(p, "did you mean %s?", all[i]);
    return NULL;
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
