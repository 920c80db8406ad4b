/* list: what can be chosen. Every line comes from the tables that the program itself reads. */
#include "cli/command.h"
#include "cli/listing.h"
#include "cli/presets.h"
#include "core/base/text.h"
#include "core/data/augment.h"
#include "core/models/model.h"
#include "core/train/train.h"
#include "experiments/spec/components.h"
#include "experiments/spec/schema.h"
#include <stdlib.h>
#include <string.h>

static const struct listing_column backbone_columns[] = { { "name", "backbone", false },
                                                          { "se_name", "with SE blocks", false },
                                                          { "input", "input", true },
                                                          { "meaning", "meaning", false },
                                                          { 0 } };

static bool list_backbones(struct listing *l, struct err *e)
{
    (void)e;
    l->columns = backbone_columns;
    const struct backbone *b;
    for (int i = 0; (b = backbone_at(i)); i++) {
        listing_add(l, "%s", b->name);
        listing_add(l, SE_PREFIX "%s", b->name);
        listing_add(l, "%d", b->input_size);
        listing_add(l, "%s", b->meaning);
    }
    return true;
}

static const struct listing_column dataset_columns[] = { { "name", "data set", false },
                                                         { "path", "default path", false },
                                                         { "meaning", "meaning", false },
                                                         { "source", "to get it", false },
                                                         { 0 } };

static bool list_datasets(struct listing *l, struct err *e)
{
    (void)e;
    l->columns = dataset_columns;
    for (const struct data_format *const *f = formats; *f; f++) {
        listing_add(l, "%s", (*f)->name);
        listing_add(l, "%s", (*f)->default_path ? (*f)->default_path : "-");
        listing_add(l, "%s", (*f)->meaning);
        listing_add(l, "%s", (*f)->source ? (*f)->source : "-");
    }
    return true;
}

static const struct listing_column setting_columns[] = {
    { "key", "setting", false }, { "default", "default", false }, { "form", "valid", false },
    { "of", "with", false },     { "meaning", "meaning", false }, { 0 }
};

/* Is the setting, or the section that it is in, the part asked for? NULL: every part. */
static bool in_part(const char *part, const char *setting)
{
    size_t len = part ? strlen(part) : 0;
    return !part || (strncmp(part, setting, len) == 0 && (!setting[len] || setting[len] == '.'));
}

static void setting_row(struct listing *l, const char *key, const struct field *f, const char *of)
{
    struct text def = { 0 }, form = { 0 };
    field_default_text(f, &def);
    field_form(f, &form);
    listing_add(l, "%s", key);
    listing_add(l, "%s", def.s ? def.s : "-");
    listing_add(l, "%s", form.s ? form.s : "");
    listing_add(l, "%s", of);
    listing_add(l, "%s", f->meaning);
    text_clear(&def);
    text_clear(&form);
}

/* One section; `of` is the choice that brings it ("name idx"), or "". */
static void section_list(struct listing *l, const char *prefix, const struct field *fields,
                         const char *of)
{
    const char *head = pool_textf(&l->pool, "%s%s%s", prefix, *of ? ", with " : "", of);
    for (const struct field *f = fields; f && f->key; f++) {
        const char *key = pool_textf(&l->pool, "%s.%s", prefix, f->key);
        if (!in_part(l->part, key)) continue;
        listing_head(l, head);
        setting_row(l, key, f, of);
    }
}

/* A choice: its name, the rows that any of them has, and those that each brings. */
static void component_list(struct listing *l, const struct component *c, const struct field *common)
{
    const struct field *before = NULL;
    section_list(l, c->prefix, c->row, "");
    if (common) section_list(l, c->prefix, common, "");
    for (int i = 0; c->name(i); before = c->fields(i++)) {
        if (c->fields(i) == before) continue; /* backbones of one family have its rows in common */
        bool more = c->name(i + 1) && c->fields(i + 1) == c->fields(i);
        section_list(l, c->prefix, c->fields(i),
                     pool_textf(&l->pool, "%s %s%s", c->key, c->name(i), more ? " ..." : ""));
    }
}

/* The keys of an experiment that are no settings of its runs. */
static void top_list(struct listing *l)
{
    static const char *const cells[][4] = {
#define TOP(id, key, def, form, what) { key, def, form, what },
#include "experiments/spec/sections.def"
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (!in_part(l->part, cells[i][0])) continue;
        listing_head(l, "of the experiment, at the first level");
        for (int c = 0; c < 3; c++) listing_add(l, "%s", cells[i][c]);
        listing_add(l, "%s", "");
        listing_add(l, "%s", cells[i][3]);
    }
}

static bool list_settings(struct listing *l, struct err *e)
{
    (void)e;
    l->columns = setting_columns;
    l->head_column = 3;
    top_list(l);
    for (int i = 0; prefix_at(i); i++) {
        const struct component *c = component_of(prefix_at(i));
        if (c)
            component_list(l, c, prefix_fields(prefix_at(i)));
        else
            section_list(l, prefix_at(i), prefix_fields(prefix_at(i)), "");
    }
    return true;
}

static const struct listing_column preset_columns[] = {
    { "name", "preset", false }, { "file", "file", false }, { "question", "question", false }, { 0 }
};

static bool list_presets(struct listing *l, struct err *e)
{
    l->columns = preset_columns;
    return presets_walk(l, e);
}

/* What can be listed, by name. */
static const struct list_topic {
    const char *name;
    bool (*list)(struct listing *l, struct err *e);
    bool in_parts; /* `part` narrows it */
} list_topics[] = {
    { "backbones", list_backbones, false },
    { "datasets", list_datasets, false },
    { "settings", list_settings, true },
    { "presets", list_presets, false },
};
enum { LIST_TOPICS = sizeof list_topics / sizeof *list_topics };

/* No setting and no section is called so. */
static int part_unknown(const char *part)
{
    struct listing all = { 0 };
    struct err e;
    list_settings(&all, &e);
    const size_t columns = sizeof setting_columns / sizeof *setting_columns - 1;
    const char **names = mem_new(all.n_cells, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < all.n_cells; i += columns) names[n++] = all.cells[i].text;
    for (int i = 0; prefix_at(i); i++) names[n++] = prefix_at(i);
    const char *near = text_nearest(part, names, n);
    int status = say_error(EXIT_USAGE, "no setting or section is called \"%s\"%s%s", part,
                           near ? "; did you mean " : "; `senet-exp list settings` has them all",
                           near ? near : "");
    free(names);
    listing_clear(&all);
    return status;
}

static int topic_print(const struct list_topic *topic, const struct invocation *v)
{
    struct listing l = { .part = v->n_words > 1 ? v->words[1] : NULL };
    struct err e;
    if (l.part && !topic->in_parts)
        return say_error(EXIT_USAGE, "list %s takes no \"%s\"; only settings have parts",
                         topic->name, l.part);
    bool ok = topic->list(&l, &e);
    int status = EXIT_DONE;
    if (!ok)
        status = say_error(EXIT_DATA, "%s", e.text);
    else if (l.part && !l.n_cells)
        status = part_unknown(l.part);
    else
        (v->json ? listing_print_json : listing_print)(&l, stdout);
    listing_clear(&l);
    return status;
}

/* For editors; JSON whatever is asked for. */
static int schema_print(void)
{
    struct text t = { 0 };
    schema_write(&t);
    puts(t.s);
    text_clear(&t);
    return EXIT_DONE;
}

static int list_run(const struct invocation *v)
{
    const char *names[LIST_TOPICS];
    if (strcmp(v->words[0], "schema") == 0 && v->n_words == 1) return schema_print();
    for (size_t i = 0; i < LIST_TOPICS; i++) {
        names[i] = list_topics[i].name;
        if (strcmp(names[i], v->words[0]) == 0) return topic_print(&list_topics[i], v);
    }
    const char *near = text_nearest(v->words[0], names, LIST_TOPICS);
    return say_error(
        EXIT_USAGE, "cannot list \"%s\"; valid: backbones, datasets, settings, presets, schema%s%s",
        v->words[0], near ? "; did you mean " : "", near ? near : "");
}

const struct command command_list = {
    .name = "list",
    .arguments = "backbones|datasets|settings [PART]|presets|schema",
    .summary = "what can be chosen: networks, data sets, every setting, experiment files",
    .help =
        "`senet-exp list settings model.se` lists one section, `list settings train.epochs` one "
        "setting.\n"
        "`senet-exp list schema >experiment.schema.json` writes a JSON Schema of experiment files: "
        "an "
        "editor\n"
        "that is given it completes and checks keys and values. `senet-exp help config` says how a "
        "file "
        "is written.",
    .options = "json",
    .min_words = 1,
    .max_words = 2,
    .run = list_run,
};
