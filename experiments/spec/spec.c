/* One run: sections of rows, defaults, assignments, the echo. What a name brings is allocated when
 * the name is known, so a run never holds settings of something it does not use. */
#include "experiments/spec/spec.h"
#include "experiments/spec/components.h"
#include <string.h>

static const struct field no_fields[] = { FIELDS_END };

int spec_sections(const struct run_spec *s, struct section out[SPEC_SECTIONS])
{
    struct run_spec *into = (struct run_spec *)s; /* whoever holds s const does not write there */
    const struct section all[SPEC_SECTIONS] = {
#define COMPONENT(prefix, key, label, member, what) \
    { prefix, components[COMPONENT_##member].row, into, sizeof *s },
#define ROWS(prefix, fields, member) { prefix, fields, &into->member, sizeof s->member },
#define BROUGHT(prefix, from, fields, size, member) \
    { prefix, s->from->fields, s->member, s->from->size },
#include "experiments/spec/sections.def"
    };
    memcpy(out, all, sizeof all);
    for (int i = 0; i < SPEC_SECTIONS; i++)
        if (!out[i].fields) out[i].fields = no_fields;
    return SPEC_SECTIONS;
}

static void *settings_new(struct pool *p, size_t size, const struct field *fields)
{
    void *settings = pool_new(p, 1, size ? size : 1);
    if (fields) fields_default(fields, settings);
    return settings;
}

/* The last valid value that the list gives to a choice. */
static void spec_choose(struct run_spec *s, const struct component *c, const struct setting *list,
                        int n)
{
    char key[64];
    struct err ignored;
    snprintf(key, sizeof key, "%s.%s", c->prefix, c->key);
    fields_default(c->row, s);
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].key, key) == 0) field_read(c->row, s, list[i].value, NULL, &ignored);
}

static bool any_in_section(const char *prefix, const struct setting *list, int n)
{
    for (int i = 0; i < n; i++)
        if (prefix_len(list[i].key) == strlen(prefix) &&
            strncmp(list[i].key, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

/* The network has SE blocks where something asks for them: its name, or any setting of theirs. */
void spec_start(struct run_spec *s, const struct setting *list, int n, struct pool *p)
{
    memset(s, 0, sizeof *s);
    for (int c = 0; c < COMPONENTS; c++) spec_choose(s, &components[c], list, n);
    fields_default(data_fields, &s->data);
    fields_default(augment_fields, &s->augment);
    fields_default(model_fields, &s->model);
    fields_default(se_fields, &s->se);
    if (!s->backbone->se && !any_in_section("model.se", list, n)) se_leave_out(&s->se);
    fields_default(train_fields, &s->train);
    s->format_settings = settings_new(p, s->format->settings_size, s->format->fields);
    s->optimizer_settings = settings_new(p, s->optimizer->settings_size, s->optimizer->fields);
    s->schedule_settings = settings_new(p, s->schedule->settings_size, s->schedule->fields);
    s->family_options = settings_new(p, s->backbone->family->options_size, NULL);
    model_options_default(s->backbone, s->family_options);
}

/* The row of a key, and the section it is in. */
static const struct field *spec_find(const struct run_spec *s, const char *key, struct section *at)
{
    struct section sections[SPEC_SECTIONS];
    int n = spec_sections(s, sections);
    size_t len = prefix_len(key);
    for (int i = 0; i < n; i++) {
        *at = sections[i];
        if (strlen(at->prefix) != len || strncmp(at->prefix, key, len) != 0) continue;
        const struct field *f = field_named(at->fields, key + len + 1);
        if (f) return f;
    }
    return NULL;
}

const struct field *spec_field(const struct run_spec *s, const char *key, void **into)
{
    struct section at = { 0 };
    const struct field *f = spec_find(s, key, &at);
    *into = at.into;
    return f;
}

static enum assigned assign_missing(const char *key)
{
    struct pool scratch = { NULL };
    bool foreign = key_owner(key, &scratch) != NULL;
    pool_clear(&scratch);
    return foreign ? ASSIGN_FOREIGN : ASSIGN_UNKNOWN;
}

static bool assign_read(const struct field *f, void *into, const struct setting *x, struct pool *p,
                        struct err *e)
{
    struct err why = { .at = NULL };
    if (field_read(f, into, x->value, p, &why)) return true;
    return err_at(e, why.at ? why.at : x->value, "%s: %s", x->key, why.text);
}

enum assigned spec_assign(struct run_spec *s, const struct setting *x, struct pool *p,
                          struct err *e)
{
    struct section at;
    const struct field *f = spec_find(s, x->key, &at);
    if (!f) return assign_missing(x->key);
    return assign_read(f, at.into, x, p, e) ? ASSIGNED : ASSIGN_REFUSED;
}

enum assigned spec_try(const struct run_spec *s, const struct setting *x, struct text *json,
                       struct err *e)
{
    struct section at;
    const struct field *f = spec_find(s, x->key, &at);
    if (!f) return assign_missing(x->key);
    struct pool scratch = { NULL };
    void *into = pool_new(&scratch, 1, at.size);
    bool read = assign_read(f, into, x, &scratch, e);
    if (read) field_write(f, into, json);
    pool_clear(&scratch);
    return read ? ASSIGNED : ASSIGN_REFUSED;
}

/* The name or the word that v is likely to be a misspelling of, as advice; NULL for none. */
static const char *value_advice(const struct run_spec *s, const char *key, const struct value *v,
                                struct pool *p)
{
    void *into;
    const struct field *f = spec_field(s, key, &into);
    const char *word = NULL;
    if (v->kind != VALUE_SCALAR) return NULL;
    if (f->type == FIELD_CHOICE) {
        size_t n = 0;
        while (f->choices[n]) n++;
        word = text_nearest(v->text, f->choices, n);
    }
    for (int c = 0; c < COMPONENTS; c++)
        if (f == components[c].row) word = components[c].nearest(v->text);
    return word ? pool_textf(p, "did you mean %s?", word) : NULL;
}

/* Where to point for a key: at the word itself, if the key was written as one. */
static const struct value *key_place(const struct setting *x)
{
    return x->value->key ? x->value->key : x->value;
}

static void complain_foreign(const struct run_spec *s, const struct setting *x, struct diags *d)
{
    diag_at(d, key_place(x), NULL, "%s belongs to %s, but this experiment uses %s", x->key,
            key_owner(x->key, &d->pool), component_around(x->key)->chosen(s));
}

void spec_complain(const struct run_spec *s, const struct setting *x, enum assigned a,
                   const struct err *e, struct diags *d)
{
    if (a == ASSIGN_REFUSED)
        diag_at(d, e->at, value_advice(s, x->key, e->at, &d->pool), "%s", e->text);
    if (a == ASSIGN_FOREIGN) complain_foreign(s, x, d);
    if (a == ASSIGN_UNKNOWN)
        diag_at(d, key_place(x), key_advice(x->key, &d->pool), "there is no setting %s", x->key);
}

bool spec_resolve(struct run_spec *s, const struct setting *list, int n, struct pool *p,
                  struct diags *d)
{
    int before = d->count;
    spec_start(s, list, n, p);
    for (int i = 0; i < n; i++) {
        struct err e;
        enum assigned a = spec_assign(s, &list[i], p, &e);
        if (a != ASSIGNED) spec_complain(s, &list[i], a, &e, d);
    }
    return d->count == before;
}

/* `"name":{`, or `}`, on the way from one prefix to the next. */
static void write_step(struct text *json, const char *from, const char *to)
{
    size_t len = strlen(from);
    while (len && !(strncmp(from, to, len) == 0 && (to[len] == '.' || !to[len]))) {
        text_add(json, "}");
        while (len && from[--len] != '.') {
        }
    }
    if (!to[len]) return;
    const char *rest = to + len + (to[len] == '.');
    if (json->s[json->len - 1] != '{') text_add(json, ",");
    text_json(json, rest); /* at most one level deeper than what is open */
    text_add(json, ":{");
}

static void write_row(struct text *json, const struct field *f, const void *from)
{
    if (f->applies && !f->applies(from)) return;
    if (json->s[json->len - 1] != '{') text_add(json, ",");
    text_json(json, f->key);
    text_add(json, ":");
    field_write(f, from, json);
}

void spec_write(const struct run_spec *s, struct text *json)
{
    struct section sections[SPEC_SECTIONS];
    int n = spec_sections(s, sections);
    const char *at = "";
    text_add(json, "{");
    for (int i = 0; i < n; i++) {
        write_step(json, at, sections[i].prefix);
        at = sections[i].prefix;
        for (const struct field *f = sections[i].fields; f->key; f++)
            write_row(json, f, sections[i].into);
    }
    write_step(json, at, "");
    text_add(json, "}");
}

/* All that applies, flat, of the model or of everything else. */
static void write_half(const struct run_spec *s, bool model, struct text *json)
{
    struct section sections[SPEC_SECTIONS];
    int n = spec_sections(s, sections);
    text_add(json, "{");
    for (int i = 0; i < n; i++) {
        const struct section *at = &sections[i];
        if ((strncmp(at->prefix, "model", 5) == 0) != model) continue;
        for (const struct field *f = at->fields; f->key; f++) {
            if (f->applies && !f->applies(at->into)) continue;
            if (at->fields == data_fields && strcmp(f->key, "path") == 0) continue;
            text_addf(json, "%s\"%s.%s\":", json->s[json->len - 1] == '{' ? "" : ",", at->prefix,
                      f->key);
            field_write(f, at->into, json);
        }
    }
    text_add(json, "}");
}

void spec_write_training(const struct run_spec *s, struct text *json)
{
    write_half(s, false, json);
}

void spec_write_network(const struct run_spec *s, struct text *json) { write_half(s, true, json); }

bool spec_shape(const struct run_spec *s, struct data_shape *out, struct err *e)
{
    const char *path = s->data.path ? s->data.path : s->format->default_path;
    int size = s->model.input_size;
    if (!path && !s->format->made_up)
        return err_set(e, "dataset.path must be given: %s has no usual folder", s->format->name);
    if (!size && !s->format->natural_size) size = s->backbone->input_size;
    *out = (struct data_shape){ 0, 0, 0 };
    return s->format->shape(path, s->format_settings, size, out, e);
}

bool spec_build(const struct run_spec *s, int batch, const struct data_shape *shape,
                struct model_net *out, struct err *e)
{
    struct model_request r = {
        .backbone = s->backbone,
        .options = s->family_options,
        .settings = &s->model,
        .se = &s->se,
        .batch = batch,
        .size = shape->size,
        .channels = shape->channels,
        .classes = shape->classes,
        .label_smoothing = s->train.label_smoothing,
        .bf16 = s->train.precision == PRECISION_BF16,
    };
    return model_build(&r, out, e);
}

void spec_write_data(const struct run_spec *s, const struct data_shape *shape, struct text *t)
{
    text_addf(t, "%s %d ", s->format->name, shape->size);
    fields_write(data_fields, &s->data, t);
    text_add(t, " ");
    fields_write(s->format->fields, s->format_settings, t);
}

void spec_write_images(const struct run_spec *s, const struct data_shape *shape, struct text *t)
{
    const char *path = s->data.path ? s->data.path : s->format->default_path;
    text_addf(t, "%s %d ", s->format->name, shape->size);
    text_json(t, path && !s->format->made_up ? path : "");
    text_add(t, " ");
    fields_write(s->format->fields, s->format_settings, t);
}

struct graph_needs spec_net_needs(const struct model_net *n, int short_images)
{
    graph_short(n->graph, short_images);
    return graph_needs(n->graph, true, (struct tensor *[]){ n->logits, n->loss, NULL });
}

size_t spec_net_unfused(const struct model_net *n)
{
    return graph_unfused(n->graph, (struct tensor *[]){ n->logits, n->loss, NULL });
}

uint64_t spec_state_bytes(const struct run_spec *s, size_t weights)
{
    return (uint64_t)weights * sizeof(float) * (uint64_t)s->optimizer->state_per_weight;
}

uint64_t spec_images(const struct run_spec *s, const struct data_shape *shape)
{
    const char *path = s->data.path ? s->data.path : s->format->default_path;
    return s->format->kept ? s->format->kept(path, s->format_settings, &s->data, shape) : 0;
}

bool spec_images_count(const struct run_spec *s, uint64_t count[DATA_PARTS])
{
    const char *path = s->data.path ? s->data.path : s->format->default_path;
    return s->format->count(path, s->format_settings, count);
}
