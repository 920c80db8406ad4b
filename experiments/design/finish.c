/* The baseline, and points whose runs are the same runs. */
#include "core/base/digest.h"
#include "core/base/numerics.h"
#include "experiments/design/builder.h"
#include <string.h>

/* Everything of a point's runs but seed and data. */
uint64_t design_point_digest(const struct design_point *p)
{
    struct text t = { NULL, 0, 0 };
    char structure[DIGEST_TEXT];
    digest_text(p->structure, structure);
    text_addf(&t, "numerics %d, structure %s, ", NUMERICS_VERSION, structure);
    spec_write_training(&p->spec, &t);
    uint64_t digest = digest_of(t.s, t.len);
    text_clear(&t);
    return digest;
}

static void final_twins(struct draft *f)
{
    struct lookup first = { .n = 0 };
    for (int i = 0; i < f->out->n_points; i++) {
        const uint64_t digest = design_point_digest(&f->out->points[i]);
        f->out->points[i].same_as = lookup_find(&first, digest);
        if (f->out->points[i].same_as < 0) lookup_add(&first, digest, i);
    }
    lookup_clear(&first);
}

/* Does the point have the value that the baseline asks of this key? */
static bool point_has(const struct design_point *p, const struct setting *x)
{
    void *at;
    const struct field *f = spec_field(&p->spec, x->key, &at);
    struct text asked = { NULL, 0, 0 }, has = { NULL, 0, 0 };
    struct err e;
    bool same = spec_try(&p->spec, x, &asked, &e) == ASSIGNED;
    if (same) field_write(f, at, &has);
    same = same && strcmp(asked.s, has.s) == 0;
    text_clear(&asked);
    text_clear(&has);
    return same;
}

static bool point_matches(const struct design_point *p, const struct givens *g)
{
    for (int i = 0; i < g->n; i++)
        if (!point_has(p, &g->list[i].set)) return false;
    return true;
}

/* What one key of the baseline is at the first point that can read it. */
static void baseline_check(struct draft *f, const struct setting *x)
{
    struct err e;
    enum assigned a = ASSIGN_UNKNOWN;
    for (int p = 0; p < f->out->n_points && a != ASSIGNED && a != ASSIGN_REFUSED; p++) {
        struct text ignored = { NULL, 0, 0 };
        a = spec_try(&f->out->points[p].spec, x, &ignored, &e);
        text_clear(&ignored);
    }
    if (a != ASSIGNED) spec_complain(&f->out->points[0].spec, x, a, &e, f->d);
}

/* What to write instead: a point's name, or none. Where the command line has changed the points of
 * a file, on the command line. */
static const char *baseline_advice(struct draft *f, const char *which, const int *points, int n)
{
    bool line = f->request->n_assignments > 0;
    struct text t = { NULL, 0, 0 };
    text_addf(&t, "%s: %s; %s ", which, draft_labels(f, points, n), line ? "add" : "write");
    if (f->out->n_points > 1)
        text_addf(&t, line ? "\"baseline=%s\" or " : "`baseline: \"%s\"` or ",
                  f->out->points[points ? points[0] : 0].label);
    text_add(&t, line ? "baseline=none" : "`baseline: none`");
    const char *advice = pool_text(&f->d->pool, t.s);
    text_clear(&t);
    return advice;
}

static void baseline_map(struct draft *f, const struct value *v)
{
    struct design *o = f->out;
    struct givens g = { NULL, 0, 0 };
    int before = f->d->count;
    givens_add_map(f, &g, v, f->top_layer[TOP_BASELINE], false);
    for (int i = 0; i < g.n; i++) baseline_check(f, &g.list[i].set);
    if (f->d->count != before) return;
    int *found = pool_new(f->pool, (size_t)o->n_points, sizeof *found), n = 0;
    for (int i = 0; i < o->n_points; i++) {
        if (!f->resolved[i]) return; /* what it would have been is not known */
        if (point_matches(&o->points[i], &g)) found[n++] = i;
    }
    if (n == 1)
        o->baseline = found[0];
    else if (n)
        diag_at(f->d, v, baseline_advice(f, "it fits", found, n),
                "baseline: one point is expected, this fits %d", n);
    else
        diag_at(f->d, v, baseline_advice(f, "points are", NULL, o->n_points),
                "baseline: no point has these settings");
}

static void baseline_name(struct draft *f, const struct value *v)
{
    const char **labels = pool_new(f->pool, (size_t)f->out->n_points, sizeof *labels);
    int n = f->out->n_points;
    for (int i = 0; i < n; i++) {
        labels[i] = f->out->points[i].label;
        if (strcmp(labels[i], v->text) != 0) continue;
        f->out->baseline = i;
        return;
    }
    if (strcmp(v->text, "none") == 0) return;
    const char *near = text_nearest(v->text, labels, (size_t)n);
    diag_at(f->d, v,
            near ? pool_textf(&f->d->pool, "did you mean \"%s\"?", near)
                 : pool_textf(&f->d->pool, "points are: %s", draft_labels(f, NULL, n)),
            "baseline: no point is called \"%s\"", v->text);
}

static void final_baseline(struct draft *f)
{
    const struct value *v = f->top[TOP_BASELINE];
    f->out->baseline = -1;
    if (!v) return;
    if (v->kind == VALUE_MAP && v->first)
        baseline_map(f, v);
    else if (v->kind == VALUE_SCALAR)
        baseline_name(f, v);
    else
        diag_at(f->d, v, NULL,
                "baseline: a map of settings that fits one point, or a point's name, is expected");
}

void draft_final(struct draft *f)
{
    if (f->out->n_points == 0) return;
    final_baseline(f);
    if (f->d->count == 0) final_twins(f);
}
