/* The baseline, and points whose runs are the same runs. */
#include "core/base/digest.h"
#include "experiments/draft.h"
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
    struct design *o = f->out;
    uint64_t *digests = pool_new(f->pool, (size_t)o->n_points, sizeof *digests);
    for (int i = 0; i < o->n_points; i++) {
        digests[i] = design_point_digest(&o->points[i]);
        for (int j = 0; j < i && o->points[i].same_as < 0; j++)
            if (digests[i] == digests[j]) o->points[i].same_as = j;
    }
}

/* Does the point have the value that the baseline asks of this key? */
static bool point_has(const struct design_point *p, const struct setting *x, struct pool *scratch)
{
    struct run_spec s = p->spec;
    void *at, *copy;
    const struct field *f = spec_field(&p->spec, x->key, &at);
    struct err e;
    if (!f) return false;
    /* The value is read into a run of its own, which makes the same choices but for x. */
    struct setting names[CHOICES + 1];
    struct value words[CHOICES];
    for (int c = 0; c < CHOICES; c++) {
        words[c] = (struct value){ .kind = VALUE_SCALAR, .text = choices[c].chosen(&p->spec) };
        names[c] =
            (struct setting){ pool_textf(scratch, "%s.%s", choices[c].prefix, choices[c].key),
                              &words[c] };
    }
    names[CHOICES] = *x;
    spec_start(&s, names, CHOICES + 1, scratch);
    if (spec_assign(&s, x, scratch, &e) != ASSIGNED) return false;
    const struct field *own = spec_field(&s, x->key, &copy);
    struct text a = { NULL, 0, 0 }, b = { NULL, 0, 0 };
    field_write(f, at, &a);
    field_write(own, copy, &b);
    bool same = strcmp(a.s, b.s) == 0;
    text_clear(&a);
    text_clear(&b);
    return same;
}

static bool point_matches(const struct design_point *p, const struct givens *g)
{
    struct pool scratch = { NULL };
    bool all = true;
    for (int i = 0; all && i < g->n; i++) all = point_has(p, &g->list[i].set, &scratch);
    pool_clear(&scratch);
    return all;
}

/* Keys and values must exist before no point can match them. */
static bool baseline_is_valid(struct draft *f, const struct givens *g)
{
    int before = f->d->count;
    for (int i = 0; i < g->n; i++) {
        const struct setting *x = &g->list[i].set;
        struct err e = { .at = NULL };
        enum assigned a = ASSIGN_UNKNOWN, best = ASSIGN_UNKNOWN;
        for (int p = 0; p < f->out->n_points && best != ASSIGNED; p++) {
            struct run_spec s = f->out->points[p].spec;
            struct pool scratch = { NULL };
            void *into;
            if (spec_field(&s, x->key, &into)) {
                spec_start(&s, x, 1, &scratch);
                a = spec_assign(&s, x, &scratch, &e);
                best = a == ASSIGN_FOREIGN ? ASSIGNED : a;
            }
            pool_clear(&scratch);
            if (best == ASSIGN_REFUSED) break;
        }
        if (best != ASSIGNED) spec_complain(&f->out->points[0].spec, x, best, &e, f->d);
    }
    return f->d->count == before;
}

static void baseline_map(struct draft *f, const struct value *v)
{
    struct design *o = f->out;
    struct givens g = { NULL, 0, 0 };
    givens_add_map(f, &g, v, f->top_layer[TOP_BASELINE], false);
    if (!baseline_is_valid(f, &g)) return;
    int *found = pool_new(f->pool, (size_t)o->n_points, sizeof *found), n = 0;
    for (int i = 0; i < o->n_points; i++)
        if (point_matches(&o->points[i], &g)) found[n++] = i;
    if (n == 1) {
        o->baseline = found[0];
        return;
    }
    int *all = pool_new(f->pool, (size_t)o->n_points, sizeof *all);
    for (int i = 0; i < o->n_points; i++) all[i] = i;
    if (n)
        diag_at(f->d, v, pool_textf(&f->d->pool, "it fits: %s", draft_labels(f, found, n)),
                "baseline: one point is expected, this fits %d", n);
    else
        diag_at(f->d, v,
                pool_textf(&f->d->pool, "points are: %s", draft_labels(f, all, o->n_points)),
                "baseline: no point has these settings (baseline: none compares with nothing)");
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
    int *all = pool_new(f->pool, (size_t)n, sizeof *all);
    for (int i = 0; i < n; i++) all[i] = i;
    diag_at(f->d, v,
            near ? pool_textf(&f->d->pool, "did you mean \"%s\"?", near)
                 : pool_textf(&f->d->pool, "points are: %s", draft_labels(f, all, n)),
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
