/* Sweep and variants as they are written, checked one by one. */
#include "core/base/digest.h"
#include "experiments/design/builder.h"
#include <string.h>

/* The canonical form of a value under a key, or the text itself where no run can say. */
static void value_canonical(const struct setting *x, struct text *t)
{
    struct run_spec s;
    struct err e;
    struct pool scratch = { NULL };
    spec_start(&s, x, 1, &scratch);
    if (spec_try(&s, x, t, &e) != ASSIGNED) value_text(x->value, t);
    pool_clear(&scratch);
}

/* Two values of an axis that are one and the same would be two points with one meaning. */
static void axis_check_twins(struct draft *f, const struct axis *a)
{
    struct lookup forms = { .n = 0 };
    for (int i = 0; i < a->values.n; i++) {
        struct text t = { NULL, 0, 0 };
        value_canonical(&a->values.list[i].set, &t);
        const uint64_t form = digest_of(t.s, t.len);
        text_clear(&t);
        if (lookup_find(&forms, form) < 0)
            lookup_add(&forms, form, i);
        else
            diag_at(f->d, a->values.list[i].set.value, NULL, "%s: this value is swept twice",
                    a->key);
    }
    lookup_clear(&forms);
}

static void axis_add(struct draft *f, const struct given *g)
{
    const struct value *list = g->set.value;
    struct axis *a = &f->axes[f->n_axes];
    if (list->kind != VALUE_LIST || !list->first) {
        diag_at(f->d, list, NULL,
                list->kind == VALUE_LIST ? "%s: there is nothing to sweep in an empty list"
                                         : "%s: a list of the values to try is expected",
                g->set.key);
        return;
    }
    *a = (struct axis){ .key = g->set.key, .at = list, .layer = g->layer };
    f->n_axes++;
    int n = 0;
    for (const struct value *v = list->first; v; v = v->next) n++;
    if (n > POINTS_MAX) { /* an axis without values makes no points */
        diag_at(f->d, list->key, NULL, "%s is swept over %d values; %d are the most", a->key, n,
                POINTS_MAX);
        return;
    }
    a->values.n = n;
    a->values.list = pool_new(f->pool, (size_t)a->values.n, sizeof *a->values.list);
    int i = 0;
    for (const struct value *v = list->first; v; v = v->next)
        a->values.list[i++] = (struct given){ .set = { g->set.key, v }, .layer = g->layer };
    axis_check_twins(f, a);
}

/* A key that a later layer sets to one value is no axis any more. */
static void axes_read(struct draft *f)
{
    f->axes = pool_new(f->pool, (size_t)f->swept.n, sizeof *f->axes);
    for (int i = 0; i < f->swept.n; i++) {
        const struct given *g = &f->swept.list[i], *fixed = givens_find(&f->base, g->set.key);
        if (!fixed || fixed->layer <= g->layer) axis_add(f, g);
    }
}

/* The value that names a variant: the key of its entry, or its `name`; NULL after a diagnosis. */
static const struct value *variant_name(struct draft *f, const struct value *at)
{
    const struct value *v = at->key ? at->key : value_find(at, "name");
    if (!v || v->kind != VALUE_SCALAR) {
        diag_at(f->d, v ? v : at, NULL, "variants: each needs a name: {name: ..., settings ...}");
        return NULL;
    }
    if (!*v->text || strlen(v->text) > 100 || strpbrk(v->text, "\t\r\n\033")) {
        diag_at(f->d, v, NULL, "variants: a name is one line of 1 to 100 characters");
        return NULL;
    }
    const uint64_t name = digest_of(v->text, strlen(v->text));
    if (lookup_find(&f->variant_at, name) >= 0) {
        diag_at(f->d, v, NULL, "variants: \"%s\" is the name of two variants", v->text);
        return NULL;
    }
    lookup_add(&f->variant_at, name, f->n_variants);
    return v;
}

/* What a variant sets and a sweep or a later layer sets too would be lost without a word. */
static void variant_check(struct draft *f, const struct variant *v)
{
    for (int i = 0; i < v->settings.n; i++) {
        const struct given *g = &v->settings.list[i], *fixed = givens_find(&f->base, g->set.key);
        for (int a = 0; a < f->n_axes; a++)
            if (strcmp(f->axes[a].key, g->set.key) == 0)
                diag_at(f->d, g->set.value->key, NULL,
                        "%s is set by variant \"%s\", but also swept", g->set.key, v->name);
        if (fixed && fixed->layer > g->layer)
            diag_at(f->d, fixed->set.value->key, NULL,
                    "%s cannot be one value for all points: the variants set it", g->set.key);
    }
}

static void variant_add(struct draft *f, const struct value *at, int layer)
{
    struct variant *v = &f->variants[f->n_variants];
    if (at->kind != VALUE_MAP) {
        diag_at(f->d, at, NULL, "variants: a map of settings is expected");
        return;
    }
    const struct value *name = variant_name(f, at);
    if (!name) return;
    *v = (struct variant){ .name = name->text };
    struct value settings = *at, **end = &settings.first;
    for (const struct value *c = at->first; c; c = c->next) {
        if (c == name) continue;
        *end = pool_new(f->pool, 1, sizeof **end);
        **end = *c;
        end = &(*end)->next;
    }
    *end = NULL;
    givens_add_map(f, &v->settings, &settings, layer, false);
    variant_check(f, v);
    f->n_variants++;
}

static void variants_read(struct draft *f)
{
    const struct value *list = f->top[TOP_VARIANTS];
    int n = 0;
    if (!list || (list->kind == VALUE_MAP && !list->first)) return;
    if (list->kind == VALUE_SCALAR || !list->first) {
        diag_at(f->d, list, NULL,
                "variants: a map of names to settings is expected, such as "
                "`no gate: {model.se.reduction: none}`");
        return;
    }
    for (const struct value *v = list->first; v; v = v->next) n++;
    if (n > POINTS_MAX) {
        diag_at(f->d, list->key, NULL, "variants: %d of them; %d are the most", n, POINTS_MAX);
        return;
    }
    f->variants = pool_new(f->pool, (size_t)n, sizeof *f->variants);
    for (const struct value *v = list->first; v; v = v->next)
        variant_add(f, v, f->top_layer[TOP_VARIANTS]);
}

void draft_axes(struct draft *f)
{
    axes_read(f);
    variants_read(f);
}
