/* list: what can be chosen. Every line comes from the tables that the program itself reads. */
#include "cli/command.h"
#include "cli/listing.h"
#include "cli/presets.h"
#include "core/base/text.h"
#include "core/data/augment.h"
#include "core/models/model.h"
#include "core/train/train.h"
#include "experiments/spec/components.h"
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
                                                         { 0 } };

static bool list_datasets(struct listing *l, struct err *e)
{
    (void)e;
    l->columns = dataset_columns;
    for (const struct data_format *const *f = formats; *f; f++) {
        listing_add(l, "%s", (*f)->name);
        listing_add(l, "%s", (*f)->default_path ? (*f)->default_path : "-");
        listing_add(l, "%s", (*f)->meaning);
    }
    return true;
}

static const struct listing_column setting_columns[] = {
    { "key", "setting", false }, { "default", "default", false }, { "form", "valid", false },
    { "of", "with", false },     { "meaning", "meaning", false }, { 0 }
};

/* One section; `of` is the choice that brings it ("dataset.name: idx"), or "". */
static void section_list(struct listing *l, const char *prefix, const struct field *fields,
                         const char *of)
{
    for (const struct field *f = fields; f && f->key; f++) {
        struct text def = { 0 }, form = { 0 };
        field_default_text(f, &def);
        field_form(f, &form);
        listing_add(l, "%s.%s", prefix, f->key);
        listing_add(l, "%s", def.s ? def.s : "-");
        listing_add(l, "%s", form.s ? form.s : "");
        listing_add(l, "%s", of);
        listing_add(l, "%s", f->meaning);
        text_clear(&def);
        text_clear(&form);
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

static bool list_settings(struct listing *l, struct err *e)
{
    (void)e;
    l->columns = setting_columns;
    for (int i = 0; prefix_at(i); i++) {
        const struct component *c = component_of(prefix_at(i));
        if (c)
            component_list(l, c, prefix_fields(prefix_at(i)));
        else
            section_list(l, prefix_at(i), prefix_fields(prefix_at(i)), "");
    }
    return true;
}

static const struct listing_column preset_columns[] = { { "file", "preset", false },
                                                        { "question", "question", false },
                                                        { 0 } };

static bool list_presets(struct listing *l, struct err *e)
{
    l->columns = preset_columns;
    return presets_walk(l, e);
}

/* What can be listed, by name. */
static const struct list_topic {
    const char *name;
    bool (*list)(struct listing *l, struct err *e);
} list_topics[] = {
    { "backbones", list_backbones },
    { "datasets", list_datasets },
    { "settings", list_settings },
    { "presets", list_presets },
};
enum { LIST_TOPICS = sizeof list_topics / sizeof *list_topics };

static int list_run(const struct invocation *v)
{
    const char *names[LIST_TOPICS];
    for (size_t i = 0; i < LIST_TOPICS; i++) {
        names[i] = list_topics[i].name;
        if (strcmp(names[i], v->words[0]) != 0) continue;
        struct listing l = { 0 };
        struct err e;
        bool ok = list_topics[i].list(&l, &e);
        if (ok) (v->json ? listing_print_json : listing_print)(&l, stdout);
        listing_clear(&l);
        return ok ? EXIT_DONE : say_error(EXIT_DATA, "%s", e.text);
    }
    const char *near = text_nearest(v->words[0], names, LIST_TOPICS);
    return say_error(EXIT_USAGE,
                     "cannot list \"%s\"; valid: backbones, datasets, settings, presets%s%s",
                     v->words[0], near ? "; did you mean " : "", near ? near : "");
}

const struct command command_list = {
    .name = "list",
    .arguments = "backbones|datasets|settings|presets",
    .summary = "what can be chosen: networks, data sets, every setting, experiment files",
    .options = "json",
    .min_words = 1,
    .max_words = 1,
    .run = list_run,
};
