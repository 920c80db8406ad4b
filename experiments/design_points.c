/* Every point resolved, and what that tells of each setting: unknown, of another choice than the
 * one made, refused, or without effect at every point where it is in force. */
#include "experiments/draft.h"
#include <string.h>

/* Does it stand on a lower layer than the choice that makes it foreign? Then whoever made the
 * choice has replaced the old one and all it brought with it. */
static bool is_left_behind(const struct given *g, struct given *const *list, int n)
{
    size_t len = prefix_len(g->set.key);
    for (int i = 0; i < n; i++) {
        const char *key = list[i]->set.key;
        bool same_section = prefix_len(key) == len && strncmp(key, g->set.key, len) == 0;
        for (int c = 0; same_section && c < CHOICES; c++)
            if (strcmp(choices[c].prefix, g->set.key) != 0 && strlen(choices[c].prefix) == len &&
                strncmp(choices[c].prefix, key, len) == 0 &&
                strcmp(choices[c].key, last_part(key)) == 0)
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

/* Which of the settings in force change something at this point? */
static void point_effects(struct draft *f, int point, struct given **list, int n)
{
    const struct run_spec *s = &f->out->points[point].spec;
    for (int i = 0; i < n; i++) {
        void *into;
        const struct field *row = spec_field(s, list[i]->set.key, &into);
        if (f->dead[point])
            list[i]->works = true;
        else if (row && (!row->applies || row->applies(into)))
            list[i]->works = true;
    }
}

static void point_resolve(struct draft *f, int point, struct given **list, struct setting *plain)
{
    int n = draft_settings_at(f, point, list);
    for (int i = 0; i < n; i++) plain[i] = list[i]->set;
    spec_start(&f->out->points[point].spec, plain, n, f->pool);
    for (int i = 0; i < n; i++)
        if (!point_assign(f, point, list[i], is_left_behind(list[i], list, n)))
            f->dead[point] = true;
    point_effects(f, point, list, n);
}

static void given_report(struct draft *f, const struct given *g)
{
    struct err none = { .at = NULL };
    const struct value *at = g->set.value;
    if (g->unknown)
        spec_complain(NULL, &g->set, ASSIGN_UNKNOWN, &none, f->d);
    else if (!g->assigned && g->foreign_at)
        spec_complain(&f->out->points[g->foreign_at - 1].spec, &g->set, ASSIGN_FOREIGN, &none,
                      f->d);
    else if (g->assigned && !g->works)
        diag_at(f->d, at->key ? at->key : at, pool_textf(&f->d->pool, "it is: %s", g->meaning),
                "%s has no effect in this experiment: other settings rule it out at every point",
                g->set.key);
}

static void givens_report(struct draft *f, const struct givens *g)
{
    for (int i = 0; i < g->n; i++) given_report(f, &g->list[i]);
}

/* A key that every point overrides was never assigned: it must exist all the same. */
static void base_check_overridden(struct draft *f, struct given *g)
{
    if (g->assigned || g->unknown || g->foreign_at) return;
    const char **keys;
    struct pool scratch = { NULL };
    int n = keys_all(&keys, &scratch);
    g->unknown = true;
    for (int i = 0; i < n; i++)
        if (strcmp(keys[i], g->set.key) == 0) g->unknown = false;
    pool_clear(&scratch);
    if (g->unknown) return;
    struct run_spec s;
    struct err e;
    spec_start(&s, &g->set, 1, &scratch);
    if (spec_assign(&s, &g->set, &scratch, &e) == ASSIGN_REFUSED)
        spec_complain(&s, &g->set, ASSIGN_REFUSED, &e, f->d);
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
    for (int a = 0; a < f->n_axes; a++) givens_report(f, &f->axes[a].values);
}

bool draft_try(const struct draft *f, struct given *const *list, int n, struct run_spec *s)
{
    struct setting *plain = pool_new(f->pool, (size_t)n, sizeof *plain);
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (list[i]) plain[kept++] = list[i]->set;
    spec_start(s, plain, kept, f->pool);
    struct err e;
    for (int i = 0; i < kept; i++)
        if (spec_assign(s, &plain[i], f->pool, &e) == ASSIGN_REFUSED) return false;
    return true;
}
