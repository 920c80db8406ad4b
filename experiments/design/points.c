/* Every point resolved, and what that tells of each setting: unknown, of another choice than the
 * one made, refused, or without effect at every point where it is in force. */
#include "experiments/design/builder.h"
#include <string.h>

/* A setting of a choice not made stands on a lower layer than the choice: whoever chose anew has
 * left behind what the old choice brought with it. */
static bool is_left_behind(const struct given *g, struct given *const *list, int n)
{
    const struct component *c = component_around(g->set.key);
    for (int i = 0; c && i < n; i++) {
        const char *key = list[i]->set.key;
        if (component_around(key) == c && strcmp(last_part(key), c->key) == 0)
            return list[i]->layer > g->layer;
    }
    return false;
}

/* Reads one setting into a point; false where the point cannot be used any further. */
static bool point_assign(struct draft *f, int point, struct given *g, bool left_behind)
{
    struct run_spec *s = &f->out->points[point].spec;
    struct err e;
    void *into;
    if (g->unknown) return false;
    switch (spec_assign(s, &g->set, f->pool, &e)) {
    case ASSIGNED:
        g->assigned = true;
        g->meaning = spec_field(s, g->set.key, &into)->meaning;
        return true;
    case ASSIGN_REFUSED:
        spec_complain(s, &g->set, ASSIGN_REFUSED, &e, f->d);
        return false;
    case ASSIGN_UNKNOWN:
        g->unknown = true;
        return false;
    case ASSIGN_FOREIGN:
        if (!left_behind && !g->foreign_at) g->foreign_at = point + 1;
    }
    return true;
}

/* Does a setting in force change anything at this point? */
static bool has_effect(const struct run_spec *s, const char *key)
{
    void *into;
    const struct field *row = spec_field(s, key, &into);
    if (!row || (s->format->made_up && strcmp(key, "dataset.path") == 0)) return false;
    return !row->applies || row->applies(into);
}

static void point_effects(struct draft *f, int point, struct given **list, int n)
{
    for (int i = 0; i < n; i++)
        if (!f->resolved[point] || has_effect(&f->out->points[point].spec, list[i]->set.key))
            list[i]->works = true;
}

static void point_resolve(struct draft *f, int point, struct given **list, struct setting *plain)
{
    int n = draft_settings_at(f, point, list);
    for (int i = 0; i < n; i++) plain[i] = list[i]->set;
    spec_start(&f->out->points[point].spec, plain, n, f->pool);
    f->resolved[point] = true;
    for (int i = 0; i < n; i++)
        if (!point_assign(f, point, list[i], is_left_behind(list[i], list, n)))
            f->resolved[point] = false;
    point_effects(f, point, list, n);
}

/* Does one of these stand in the section of g, on a higher layer? */
static bool any_above(const struct givens *these, const struct given *g)
{
    size_t len = prefix_len(g->set.key);
    for (int i = 0; i < these->n; i++) {
        const struct given *o = &these->list[i];
        if (o->layer > g->layer && prefix_len(o->set.key) == len &&
            strncmp(o->set.key, g->set.key, len) == 0)
            return true;
    }
    return false;
}

/* What a higher layer rules out in the same section was right in its own file, and need not be
 * taken out there. */
static bool is_ruled_out_above(const struct draft *f, const struct given *g)
{
    if (any_above(&f->base, g)) return true;
    for (int v = 0; v < f->n_variants && f->top_layer[TOP_VARIANTS] > g->layer; v++)
        if (any_above(&f->variants[v].settings, g)) return true;
    for (int a = 0; a < f->n_axes; a++)
        if (f->axes[a].layer > g->layer && any_above(&f->axes[a].values, g)) return true;
    return false;
}

static bool is_foreign(const struct given *g) { return !g->assigned && g->foreign_at; }
static bool is_idle(const struct given *g) { return g->assigned && !g->works; }

/* at: what to point at, the value or the whole axis that it stands in. */
static void given_report(struct draft *f, const struct given *g, const struct value *at)
{
    struct err none = { .at = NULL };
    const struct setting x = { g->set.key, at };
    if (g->unknown)
        spec_complain(NULL, &x, ASSIGN_UNKNOWN, &none, f->d);
    else if (is_foreign(g))
        spec_complain(&f->out->points[g->foreign_at - 1].spec, &x, ASSIGN_FOREIGN, &none, f->d);
    else if (is_idle(g) && !is_ruled_out_above(f, g))
        diag_at(f->d, at->key ? at->key : at, pool_textf(&f->d->pool, "it is: %s", g->meaning),
                "%s has no effect in this experiment: other settings rule it out at every point",
                g->set.key);
}

static void givens_report(struct draft *f, const struct givens *g)
{
    for (int i = 0; i < g->n; i++) given_report(f, &g->list[i], g->list[i].set.value);
}

/* What is wrong with all values of an axis is wrong with its key, and said once. */
static void axis_report(struct draft *f, const struct axis *a)
{
    bool all = true;
    for (int i = 0; i < a->values.n; i++) {
        const struct given *g = &a->values.list[i];
        all = all && (g->unknown || is_foreign(g) || is_idle(g));
    }
    if (all && a->values.n)
        given_report(f, &a->values.list[0], a->at);
    else
        givens_report(f, &a->values);
}

/* A setting that every point overrides was never assigned: it must be right all the same. */
static void base_check_overridden(struct draft *f, struct given *g)
{
    struct run_spec s;
    struct err e;
    struct pool scratch = { NULL };
    if (g->assigned || g->unknown || g->foreign_at) return;
    spec_start(&s, &g->set, 1, &scratch);
    enum assigned a = spec_assign(&s, &g->set, &scratch, &e);
    if (a == ASSIGN_REFUSED) spec_complain(&s, &g->set, a, &e, f->d);
    g->unknown = a == ASSIGN_UNKNOWN;
    pool_clear(&scratch);
}

void draft_points(struct draft *f)
{
    size_t most = (size_t)draft_settings_max(f);
    struct given **list = pool_new(f->pool, most, sizeof *list);
    struct setting *plain = pool_new(f->pool, most, sizeof *plain);
    for (int i = 0; i < f->out->n_points; i++) point_resolve(f, i, list, plain);
    for (int i = 0; i < f->base.n; i++) base_check_overridden(f, &f->base.list[i]);
    givens_report(f, &f->base);
    for (int v = 0; v < f->n_variants; v++) givens_report(f, &f->variants[v].settings);
    for (int a = 0; a < f->n_axes; a++) axis_report(f, &f->axes[a]);
}

bool draft_try(struct given *const *list, int n, struct run_spec *s, struct pool *p)
{
    struct setting *plain = pool_new(p, (size_t)n, sizeof *plain);
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (list[i]) plain[kept++] = list[i]->set;
    spec_start(s, plain, kept, p);
    struct err e;
    for (int i = 0; i < kept; i++)
        if (spec_assign(s, &plain[i], p, &e) == ASSIGN_REFUSED) return false;
    return true;
}
