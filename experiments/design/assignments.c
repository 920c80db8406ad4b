/* Layers taken apart: keys of the experiment, and settings as dotted keys. Nested maps and dotted
 * keys say the same; `optimizer: sgd` is short for `optimizer: {name: sgd}`. */
#include "experiments/design/builder.h"
#include <stdlib.h>
#include <string.h>

struct given *givens_find(const struct givens *g, const char *key)
{
    for (int i = 0; i < g->n; i++)
        if (strcmp(g->list[i].set.key, key) == 0) return &g->list[i];
    return NULL;
}

static struct given *givens_new(struct givens *g, struct pool *p)
{
    if (g->n == g->room) {
        int room = 2 * g->room + 8;
        struct given *more = pool_new(p, (size_t)room, sizeof *more);
        if (g->n) memcpy(more, g->list, (size_t)g->n * sizeof *more);
        g->list = more;
        g->room = room;
    }
    return &g->list[g->n++];
}

static int key_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether there is such a setting under some choice. */
static bool key_exists(struct draft *f, const char *key)
{
    if (!f->keys) {
        f->n_keys = keys_all(&f->keys, f->pool);
        qsort(f->keys, (size_t)f->n_keys, sizeof *f->keys, key_order);
    }
    return bsearch(&key, f->keys, (size_t)f->n_keys, sizeof *f->keys, key_order);
}

static void givens_add(struct draft *f, struct givens *g, struct given new)
{
    new.unknown = !key_exists(f, new.set.key);
    if (new.unknown && ++f->n_unknown > UNKNOWN_MAX) {
        f->d->left_out++;
        return;
    }
    struct given *old = givens_find(g, new.set.key);
    const struct value *at = new.set.value;
    if (old && old->layer == new.layer) {
        diag_at(f->d, at->key ? at->key : at, NULL, "%s is given twice, first on line %d",
                new.set.key, old->set.value->line);
        return;
    }
    if (!old) old = givens_new(g, f->pool);
    *old = new;
}

static bool is_prefix(const char *key)
{
    for (int i = 0; prefix_at(i); i++)
        if (strcmp(prefix_at(i), key) == 0) return true;
    return false;
}

/* One entry of a map, whose own key is `key` in full. */
static void givens_add_entry(struct draft *f, struct givens *g, struct given new, bool sweeping)
{
    const struct value *v = new.set.value;
    const struct component *c = component_of(new.set.key);
    if (!is_prefix(new.set.key)) {
        givens_add(f, g, new);
        return;
    }
    if (c && (v->kind == VALUE_SCALAR || (sweeping && v->kind == VALUE_LIST))) {
        new.set.key = pool_textf(f->pool, "%s.%s", c->prefix, c->key);
        givens_add(f, g, new);
        return;
    }
    const char *key = new.set.key;
    diag_at(f->d, v,
            sweeping ? "sweep its settings one by one, or write variants"
                     : section_advice(key, strlen(key), &f->d->pool),
            v->kind == VALUE_MAP ? "%s is a section without a setting"
                                 : "%s is a section: a map of settings is expected",
            key);
}

/* Sections within sections go down at most as far as YAML may nest. */
static void givens_add_under(struct draft *f, struct givens *g, const char *prefix,
                             const struct given *like, bool sweeping)
{
    for (const struct value *v = like->set.value->first; v; v = v->next) {
        struct given new = *like;
        new.set.value = v;
        new.set.key = *prefix ? pool_textf(f->pool, "%s.%s", prefix, v->key->text) : v->key->text;
        if (v->kind == VALUE_MAP && v->first && is_prefix(new.set.key))
            givens_add_under(f, g, new.set.key, &new, sweeping);
        else
            givens_add_entry(f, g, new, sweeping);
    }
}

void givens_add_map(struct draft *f, struct givens *g, const struct value *map, int layer,
                    bool sweeping)
{
    struct given like = { .set = { NULL, map }, .layer = layer };
    givens_add_under(f, g, "", &like, sweeping);
}

static const char *const top_names[TOPS] = {
#define TOP(id, key, def, form, what) [TOP_##id] = key,
#include "experiments/spec/sections.def"
};

/* A layer without the experiment's own keys, which go to f->top. */
static struct value settings_only(struct draft *f, const struct value *layer, int number)
{
    struct value settings = *layer, **end = &settings.first;
    for (const struct value *v = layer->first; v; v = v->next) {
        int t = 0;
        while (t < TOPS && strcmp(top_names[t], v->key->text) != 0) t++;
        if (t == TOP_EXTENDS && number == f->n_layers - 1)
            diag_at(f->d, v->key, NULL, "extends: only a file can extend another");
        if (t < TOPS) {
            f->top[t] = v;
            f->top_layer[t] = number;
            continue;
        }
        struct value *copy = pool_new(f->pool, 1, sizeof *copy);
        *copy = *v;
        copy->next = NULL;
        *end = copy;
        end = &copy->next;
    }
    *end = NULL;
    return settings;
}

void draft_settings(struct draft *f)
{
    for (int i = 0; i < f->n_layers; i++) {
        struct value settings = settings_only(f, f->layers[i], i);
        givens_add_map(f, &f->base, &settings, i, false);
    }
    const struct value *sweep = f->top[TOP_SWEEP];
    if (sweep && sweep->kind != VALUE_MAP) {
        diag_at(f->d, sweep, NULL,
                "sweep: a map of settings to lists of values is expected, such as "
                "`model.se.reduction: [none, 16]`");
        sweep = NULL;
    }
    if (sweep) givens_add_map(f, &f->swept, sweep, f->top_layer[TOP_SWEEP], true);
    int of_files = f->swept.n;
    givens_add_map(f, &f->swept, f->axes_layer, f->n_layers - 1, true);
    f->new_axes = f->swept.n > of_files;
}
