/* Points: the product of the variants and of the values of each swept key, in the order in which
 * they are written; the last one written changes fastest. */
#include "experiments/design/builder.h"
#include <string.h>

enum { VALUE_TEXT = 5000 }; /* bytes at most; what is longer is no value of any setting */

void value_text(const struct value *v, struct text *t)
{
    if (v->kind == VALUE_SCALAR) {
        text_add(t, v->text);
        return;
    }
    text_add(t, v->kind == VALUE_LIST ? "[" : "{");
    for (const struct value *c = v->first; c && t->len < VALUE_TEXT; c = c->next) {
        if (c->key) text_addf(t, "%s: ", c->key->text);
        value_text(c, t);
        if (c->next) text_add(t, ", ");
    }
    text_add(t, v->kind == VALUE_LIST ? "]" : "}");
}

const struct value *draft_first(const struct draft *f)
{
    if (f->n_axes) return f->axes[0].at->key;
    return f->n_variants ? f->top[TOP_VARIANTS]->key : NULL;
}

/* The number of points; 0 after a diagnosis. */
static int axes_count(struct draft *f)
{
    double n = f->n_variants ? f->n_variants : 1;
    for (int a = 0; a < f->n_axes; a++) n *= f->axes[a].values.n;
    if (n > POINTS_MAX)
        diag_at(f->d, draft_first(f), NULL, "the sweep has %.0f points; %d are the most", n,
                POINTS_MAX);
    else if (n * f->out->n_seeds > RUNS_MAX)
        diag_at(f->d, draft_first(f), NULL,
                "%.0f points with %d seeds are %.0f runs; %d are the most", n, f->out->n_seeds,
                n * f->out->n_seeds, RUNS_MAX);
    else
        return (int)n;
    return 0;
}

/* The value of axis a at a point: the last axis changes fastest, variants slowest. */
static struct given *axis_value(const struct draft *f, int a, int point)
{
    for (int later = f->n_axes - 1; later > a; later--) point /= f->axes[later].values.n;
    return &f->axes[a].values.list[point % f->axes[a].values.n];
}

static const struct variant *variant_at(const struct draft *f, int point)
{
    if (!f->n_variants) return NULL;
    for (int a = 0; a < f->n_axes; a++) point /= f->axes[a].values.n;
    return &f->variants[point];
}

/* The last words of a key that tell it from the other axes; "schedule" for train.schedule.name. */
static void axes_label(struct draft *f)
{
    for (int i = 0; i < f->n_axes; i++) {
        struct axis *a = &f->axes[i];
        const char *key = a->key, *start = last_part(key);
        if (strcmp(start, "name") == 0)
            key = pool_textf(f->pool, "%.*s", (int)prefix_len(key), key);
        start = last_part(key);
        for (int j = 0; j < f->n_axes; j++) {
            size_t len = strlen(start), other = strlen(f->axes[j].key);
            bool alike = j != i && other > len &&
                         strcmp(f->axes[j].key + other - len, start) == 0 &&
                         f->axes[j].key[other - len - 1] == '.';
            if (!alike || start == key) continue;
            start -= start - key < 2 ? start - key : 2;
            while (start > key && start[-1] != '.') start--;
            j = -1; /* longer now: look again */
        }
        a->label = start;
    }
}

static const char *point_label(struct draft *f, int point)
{
    const struct variant *v = variant_at(f, point);
    struct text t = { NULL, 0, 0 };
    if (v) text_add(&t, v->name);
    for (int a = 0; a < f->n_axes; a++) {
        text_addf(&t, "%s%s=", t.len ? ", " : "", f->axes[a].label);
        value_text(axis_value(f, a, point)->set.value, &t);
    }
    const char *label = pool_text(f->pool, t.len ? t.s : f->out->experiment);
    text_clear(&t);
    return label;
}

static void point_add(struct draft *f, int i)
{
    struct design_point *p = &f->out->points[i];
    const struct variant *v = variant_at(f, i);
    int of_variant = v ? v->settings.n : 0;
    p->label = point_label(f, i);
    p->same_as = -1;
    p->n_axes = of_variant + f->n_axes;
    p->axes = pool_new(f->pool, (size_t)p->n_axes, sizeof *p->axes);
    for (int s = 0; s < of_variant; s++) p->axes[s] = v->settings.list[s].set;
    for (int a = 0; a < f->n_axes; a++) p->axes[of_variant + a] = axis_value(f, a, i)->set;
}

static void axis_keys_add(const char **keys, int *n, const char *key)
{
    for (int i = 0; i < *n; i++)
        if (strcmp(keys[i], key) == 0) return;
    keys[(*n)++] = key;
}

/* Every key that some point sets, in the order of first appearance. */
static void axis_keys(struct draft *f)
{
    int n = f->n_axes;
    for (int v = 0; v < f->n_variants; v++) n += f->variants[v].settings.n;
    const char **keys = pool_new(f->pool, (size_t)n, sizeof *keys);
    int used = 0;
    for (int v = 0; v < f->n_variants; v++)
        for (int i = 0; i < f->variants[v].settings.n; i++)
            axis_keys_add(keys, &used, f->variants[v].settings.list[i].set.key);
    for (int a = 0; a < f->n_axes; a++) axis_keys_add(keys, &used, f->axes[a].key);
    f->out->axis_keys = keys;
    f->out->n_axis_keys = used;
}

void draft_product(struct draft *f)
{
    axes_label(f);
    int n = axes_count(f);
    f->out->n_points = n;
    f->out->points = pool_new(f->pool, (size_t)n, sizeof *f->out->points);
    f->resolved = pool_new(f->pool, (size_t)n, sizeof *f->resolved);
    for (int i = 0; i < n; i++) point_add(f, i);
    axis_keys(f);
}

int draft_settings_max(const struct draft *f)
{
    int most = 0;
    for (int v = 0; v < f->n_variants; v++)
        if (f->variants[v].settings.n > most) most = f->variants[v].settings.n;
    return f->base.n + most + f->n_axes;
}

/* Does the variant or an axis set this key, so that the base does not? */
static bool is_overridden(const struct draft *f, const struct variant *v, const char *key)
{
    if (v && givens_find(&v->settings, key)) return true;
    for (int a = 0; a < f->n_axes; a++)
        if (strcmp(f->axes[a].key, key) == 0) return true;
    return false;
}

int draft_settings_at(const struct draft *f, int point, struct given **out)
{
    const struct variant *v = variant_at(f, point);
    int n = 0;
    for (int i = 0; i < f->base.n; i++)
        if (!is_overridden(f, v, f->base.list[i].set.key)) out[n++] = &f->base.list[i];
    for (int i = 0; v && i < v->settings.n; i++) out[n++] = &v->settings.list[i];
    for (int a = 0; a < f->n_axes; a++) out[n++] = axis_value(f, a, point);
    return n;
}

const char *draft_labels(const struct draft *f, const int *points, int n)
{
    enum { NAMED = 4 };
    struct text t = { NULL, 0, 0 };
    for (int i = 0; i < n && i < NAMED; i++)
        text_addf(&t, "%s%s", i ? "; " : "", f->out->points[points ? points[i] : i].label);
    if (n > NAMED) text_addf(&t, "; and %d more", n - NAMED);
    const char *out = pool_text(&f->d->pool, t.s ? t.s : "");
    text_clear(&t);
    return out;
}
