/* A definition for each setting, called as its key; one for each section, called "section.KEY", and
 * "sweep.KEY" for the same with lists of values; then the keys of an experiment. In every map a
 * setting may be written with dots or section in section. */
#include "experiments/spec/schema.h"
#include "experiments/spec/components.h"
#include "experiments/spec/paper.h"
#include <string.h>

struct schema {
    struct text *t;
    const char **keys;
    int n_keys;
};

/* "," between members, nothing after an opening brace. */
static void member(struct text *t, const char *name)
{
    if (!strchr("{[", t->s[t->len - 1])) text_add(t, ",");
    text_json(t, name);
    text_add(t, ":");
}

static void refer(struct text *t, const char *kind, const char *name)
{
    text_addf(t, "{\"$ref\":\"#/definitions/%s%s\"}", kind, name);
}

/* {"enum": ["sgd", ...]}, and each with what may stand before it. */
static void component_names(struct text *t, const struct component *c)
{
    text_add(t, "{\"enum\":[");
    for (int i = 0; c->name(i); i++) text_addf(t, "%s\"%s\"", i ? "," : "", c->name(i));
    for (int i = 0; c->also && c->name(i); i++) text_addf(t, ",\"%s%s\"", c->also, c->name(i));
    text_add(t, "]}");
}

static void number_form(struct text *t, const struct field *f)
{
    if (f->zero) text_addf(t, "{\"anyOf\":[{\"const\":\"%s\"},", f->zero);
    text_addf(t, "{\"type\":\"%s\",\"minimum\":", f->type == FIELD_INT ? "integer" : "number");
    text_real(t, f->min);
    text_add(t, ",\"maximum\":");
    text_real(t, f->max);
    text_add(t, f->zero ? "}]}" : "}");
}

static void row_form(struct text *t, const struct field *f)
{
    switch (f->type) {
    case FIELD_INT:
    case FIELD_REAL:
        number_form(t, f);
        return;
    case FIELD_BOOL:
        text_add(t, "{\"type\":\"boolean\"}");
        return;
    case FIELD_CHOICE:
        text_add(t, "{\"enum\":[");
        for (int i = 0; f->choices[i]; i++) text_addf(t, "%s\"%s\"", i ? "," : "", f->choices[i]);
        text_add(t, "]}");
        return;
    case FIELD_TEXT: /* what is written without quotes may look like something else */
        text_add(t, "{\"type\":[\"string\",\"number\",\"boolean\"]}");
        return;
    case FIELD_OWN:
        text_add(t, f->own->schema);
    }
}

/* What one setting can be under any choice, with its meaning. */
static void key_definition(struct text *t, const char *key)
{
    const struct component *c = component_around(key);
    const struct field *row = key_row(key, 0);
    text_add(t, "{\"description\":");
    text_json(t, row->meaning);
    text_add(t, ",\"anyOf\":[");
    for (int i = 0; (row = key_row(key, i)); i++) {
        if (i) text_add(t, ",");
        if (c && row == c->row)
            component_names(t, c);
        else
            row_form(t, row);
    }
    text_add(t, "]}");
}

/* What stands before a key in a section: its length, or 0 where the key is elsewhere. */
static size_t below(const char *key, const char *prefix)
{
    size_t len = strlen(prefix);
    if (!len) return 0;
    return strncmp(key, prefix, len) == 0 && key[len] == '.' ? len + 1 : 0;
}

/* The members of a section, or with prefix "" of the first level. */
static void settings_members(const struct schema *s, const char *prefix, bool sweep)
{
    for (int i = 0; i < s->n_keys; i++) {
        size_t skip = below(s->keys[i], prefix);
        if (!skip && *prefix) continue;
        member(s->t, s->keys[i] + skip);
        if (sweep) text_add(s->t, "{\"type\":\"array\",\"minItems\":1,\"items\":");
        refer(s->t, "", s->keys[i]);
        if (sweep) text_add(s->t, "}");
    }
    for (int i = 0; prefix_at(i); i++) {
        size_t skip = below(prefix_at(i), prefix);
        if (!skip && *prefix) continue;
        member(s->t, prefix_at(i) + skip);
        refer(s->t, sweep ? "sweep." : "section.", prefix_at(i));
    }
}

static void settings_map(const struct schema *s, const char *prefix, bool sweep)
{
    text_add(s->t, "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    settings_members(s, prefix, sweep);
    text_add(s->t, *prefix ? "},\"minProperties\":1}" : "}}");
}

/* Of what is chosen by name, the name may stand for the section. */
static void section_definition(const struct schema *s, const char *prefix, bool sweep)
{
    const struct component *c = component_of(prefix);
    if (c) text_add(s->t, "{\"anyOf\":[");
    if (c && sweep) text_add(s->t, "{\"type\":\"array\",\"minItems\":1,\"items\":");
    if (c) component_names(s->t, c);
    if (c) text_add(s->t, sweep ? "}," : ",");
    settings_map(s, prefix, sweep);
    if (c) text_add(s->t, "]}");
}

/* The keys of an experiment: one function each. */
static void top_EXPERIMENT(const struct schema *s)
{
    text_add(s->t, "{\"type\":[\"string\",\"number\",\"boolean\"],"
                   "\"pattern\":\"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$\"}");
}
static void top_QUESTION(const struct schema *s) { text_add(s->t, "{\"type\":\"string\"}"); }
static void top_EXTENDS(const struct schema *s) { text_add(s->t, "{\"type\":\"string\"}"); }
static void top_MIRRORS(const struct schema *s)
{
    text_add(s->t, "{\"enum\":[");
    for (int i = 0; paper_tables[i].name; i++)
        text_addf(s->t, "%s\"%s\"", i ? "," : "", paper_tables[i].name);
    text_add(s->t, "]}");
}
static void top_SWEEP(const struct schema *s) { settings_map(s, "", true); }
static void top_VARIANTS(const struct schema *s)
{
    text_add(s->t, "{\"anyOf\":[{\"type\":\"object\",\"additionalProperties\":");
    settings_map(s, "", false);
    text_add(s->t, "},{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\"],"
                   "\"additionalProperties\":false,\"properties\":{\"name\":"
                   "{\"type\":[\"string\",\"number\",\"boolean\"]}");
    settings_members(s, "", false);
    text_add(s->t, "}}}]}");
}
static void top_BASELINE(const struct schema *s)
{
    text_add(s->t, "{\"anyOf\":[{\"type\":[\"string\",\"number\",\"boolean\"]},");
    settings_map(s, "", false);
    text_add(s->t, "]}");
}
static void top_SEEDS(const struct schema *s)
{
    text_add(s->t, "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000},"
                   "{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,\"uniqueItems\":true,"
                   "\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295}}]}");
}

static const struct {
    const char *key, *meaning;
    void (*write)(const struct schema *s);
} tops[] = {
#define TOP(id, key, def, form, what) { key, what, top_##id },
#include "experiments/spec/sections.def"
};

static void top_member(const struct schema *s, size_t i)
{
    member(s->t, tops[i].key);
    text_add(s->t, "{\"description\":");
    text_json(s->t, tops[i].meaning);
    text_add(s->t, ",\"allOf\":[");
    tops[i].write(s);
    text_add(s->t, "]}");
}

static void definitions(const struct schema *s, struct pool *p)
{
    for (int i = 0; i < s->n_keys; i++) {
        member(s->t, s->keys[i]);
        key_definition(s->t, s->keys[i]);
    }
    for (int i = 0; prefix_at(i); i++) {
        member(s->t, pool_textf(p, "section.%s", prefix_at(i)));
        section_definition(s, prefix_at(i), false);
        member(s->t, pool_textf(p, "sweep.%s", prefix_at(i)));
        section_definition(s, prefix_at(i), true);
    }
}

void schema_write(struct text *json)
{
    struct pool p = { NULL };
    struct schema s = { .t = json };
    s.n_keys = keys_all(&s.keys, &p);
    text_add(json, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
                   "\"title\":\"An experiment of senet-exp\",\"type\":\"object\","
                   "\"additionalProperties\":false,\"properties\":{");
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++) top_member(&s, i);
    settings_members(&s, "", false);
    text_add(json, "},\"definitions\":{");
    definitions(&s, &p);
    text_add(json, "}}");
    pool_clear(&p);
}
