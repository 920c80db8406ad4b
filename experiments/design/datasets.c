/* Which points read the same images, and how much of all images is in memory while one trains: a
 * sweep opens every data set before its first run, since ids need the data's digest, shares it
 * among the points that differ in what they choose from it, and closes it after its last run. */
#include "core/base/digest.h"
#include "experiments/design/builder.h"
#include <stdlib.h>

struct data_use {
    const struct design_point *user; /* the first one */
    int first, last;                 /* points */
    struct data_settings chosen;     /* by all of its points together */
    uint64_t bytes;
};

struct data_uses {
    struct data_use *list;
    int n;
    struct lookup at; /* by spec_write_images */
};

static int limit_of_both(int a, int b) { return !a || !b ? 0 : a > b ? a : b; }

/* Smaller limits choose from what larger ones do (split.h); other splits may choose any image. */
static void use_add(struct data_use *d, const struct data_settings *s)
{
    struct data_settings *c = &d->chosen;
    bool nested = c->split_seed == s->split_seed && c->validation == s->validation;
    c->train_limit = nested ? limit_of_both(c->train_limit, s->train_limit) : 0;
    c->test_limit = nested ? limit_of_both(c->test_limit, s->test_limit) : 0;
}

static uint64_t use_bytes(const struct data_use *d)
{
    struct run_spec s = d->user->spec;
    s.data = d->chosen;
    return spec_images(&s, &d->user->shape);
}

static int use_of(struct data_uses *u, const struct design_point *p)
{
    struct text t = { 0 };
    spec_write_images(&p->spec, &p->shape, &t);
    const uint64_t key = digest_of(t.s, t.len);
    text_clear(&t);
    const int known = lookup_find(&u->at, key);
    if (known >= 0) return known;
    lookup_add(&u->at, key, u->n);
    u->list[u->n] = (struct data_use){ .user = p, .chosen = p->spec.data };
    return u->n++;
}

/* Is d in memory while runs of the point train? Those of one seed come before those of the next:
 * from two seeds on every data set is wanted again after every point. Formats that keep what is
 * read at its first use have nothing in memory before their first point. */
static bool use_is_held(const struct data_use *d, int point, int n_seeds)
{
    if (n_seeds > 1) return true;
    return point <= d->last && (point >= d->first || !d->user->spec.format->keeps_later);
}

static void point_hold(const struct data_uses *u, struct design_point *p, int point, int n_seeds)
{
    p->images = p->images_read = 0;
    for (int i = 0; i < u->n; i++) {
        const struct data_use *d = &u->list[i];
        if (!use_is_held(d, point, n_seeds)) continue;
        p->images += d->bytes;
        if (!d->user->spec.format->keeps_later) p->images_read += d->bytes;
    }
}

void draft_data(struct draft *f)
{
    struct design *o = f->out;
    if (f->d->count) return; /* some point has no shape */
    struct data_uses u = { .list = mem_new((size_t)o->n_points, sizeof *u.list) };
    for (int i = 0; i < o->n_points; i++) {
        struct design_point *p = &o->points[i];
        p->data_set = use_of(&u, p);
        struct data_use *d = &u.list[p->data_set];
        if (d->user == p) d->first = i;
        d->last = i;
        use_add(d, &p->spec.data);
    }
    o->n_data_sets = u.n;
    for (int i = 0; i < u.n; i++) u.list[i].bytes = use_bytes(&u.list[i]);
    for (int i = 0; i < o->n_points; i++) point_hold(&u, &o->points[i], i, o->n_seeds);
    lookup_clear(&u.at);
    free(u.list);
}
