/* What the settings of a point must agree on: the data's shape, augmentation, schedule, network.
 * Where a probe fails, the setting to blame is the one without which it would pass; the points
 * that fall with one setting are named in one message. */
#include "experiments/design/builder.h"
#include <string.h>

struct probing {
    struct nets nets;
};

/* s is resolved and, but for the first probe, its shape is known. */
typedef bool probe(struct probing *p, const struct run_spec *s, const struct data_shape *shape,
                   struct err *e);

static bool probe_augment(struct probing *p, const struct run_spec *s,
                          const struct data_shape *shape, struct err *e)
{
    (void)p;
    return augment_check(&s->augment, s->format, shape->size, e);
}

static bool probe_channels(struct probing *p, const struct run_spec *s,
                           const struct data_shape *shape, struct err *e)
{
    (void)p;
    const struct data_channels *all[] = { &s->data.mean, &s->data.sd };
    for (int i = 0; i < 2; i++)
        if (all[i]->n && all[i]->n != shape->channels)
            return err_set(e, "dataset.%s: %d numbers, but images have %d channel%s",
                           i ? "sd" : "mean", all[i]->n, shape->channels,
                           shape->channels > 1 ? "s" : "");
    return true;
}

static bool probe_schedule(struct probing *p, const struct run_spec *s,
                           const struct data_shape *shape, struct err *e)
{
    (void)p;
    (void)shape;
    return schedule_check(s->schedule, s->schedule_settings, s->train.epochs, e);
}

static bool probe_network(struct probing *p, const struct run_spec *s,
                          const struct data_shape *shape, struct err *e)
{
    const struct net_facts *f = nets_facts(&p->nets, s, shape);
    return f->built || err_set(e, "%s", f->why);
}

static bool probe_shape(struct probing *p, const struct run_spec *s, const struct data_shape *shape,
                        struct err *e)
{
    (void)p;
    (void)shape;
    struct data_shape ignored;
    return spec_shape(s, &ignored, e);
}

static probe *const probes[] = { probe_shape, probe_channels, probe_augment, probe_schedule,
                                 probe_network };
enum { PROBES = sizeof probes / sizeof *probes };

/* One probe that fails, and the points where it does. */
struct death {
    const struct given *by; /* NULL: no single setting */
    int probe;
    const char *why;
    int *points, n;
};

struct deaths {
    struct draft *f;
    struct probing probing;
    struct death *list;
    int n, room;
    struct given **settings, **fewer; /* of the point at hand; room for all of them */
    int n_settings;
};

static bool probe_passes(struct deaths *d, int number, const struct run_spec *s)
{
    struct data_shape shape;
    struct err e;
    if (!spec_shape(s, &shape, &e)) return false;
    return probes[number](&d->probing, s, &shape, &e);
}

/* Would the probe pass without the i-th setting of the point? */
static bool passes_without(struct deaths *d, int number, int i)
{
    struct pool scratch = { NULL };
    struct run_spec s;
    memcpy(d->fewer, d->settings, (size_t)d->n_settings * sizeof *d->fewer);
    d->fewer[i] = NULL;
    bool passes = draft_try(d->fewer, d->n_settings, &s, &scratch) && probe_passes(d, number, &s);
    pool_clear(&scratch);
    return passes;
}

/* The setting that the message itself begins with; or the path that it names, since a folder that
 * is not there is the path's fault, whatever else could be left out. */
static const struct given *blame_named(const struct deaths *d, const char *why)
{
    for (int i = 0; i < d->n_settings; i++) {
        const struct setting *x = &d->settings[i]->set;
        size_t len = strlen(x->key);
        if (strncmp(why, x->key, len) == 0 && why[len] == ':') return d->settings[i];
        if (strcmp(x->key, "dataset.path") == 0 && x->value->kind == VALUE_SCALAR &&
            strstr(why, x->value->text))
            return d->settings[i];
    }
    return NULL;
}

static const struct given *blame(struct deaths *d, int number, const struct err *e)
{
    const struct given *named = blame_named(d, e->text);
    if (named) return named;
    for (int i = d->n_settings - 1; i >= 0; i--)
        if (passes_without(d, number, i)) return d->settings[i];
    return NULL;
}

/* The death of another point by a setting that this one has too, or by none in the same words. */
static struct death *death_known(struct deaths *d, int number, const struct err *e)
{
    for (int k = 0; k < d->n; k++) {
        struct death *x = &d->list[k];
        if (x->probe != number) continue;
        if (!x->by && strcmp(x->why, e->text) == 0) return x;
        for (int i = 0; i < d->n_settings; i++)
            if (x->by == d->settings[i]) return x;
    }
    return NULL;
}

static struct death *death_new(struct deaths *d, int number, const struct err *e)
{
    if (d->n == d->room) {
        int room = 2 * d->room + 8;
        struct death *more = pool_new(d->f->pool, (size_t)room, sizeof *more);
        if (d->n) memcpy(more, d->list, (size_t)d->n * sizeof *more);
        d->list = more;
        d->room = room;
    }
    struct death *new = &d->list[d->n++];
    *new = (struct death){ .by = blame(d, number, e),
                           .probe = number,
                           .why = pool_text(d->f->pool, e->text) };
    new->points = pool_new(d->f->pool, (size_t)d->f->out->n_points, sizeof *new->points);
    return new;
}

static void point_dies(struct deaths *d, int point, int number, const struct err *e)
{
    struct death *x = death_known(d, number, e);
    if (!x && d->n >= DIAGS_PRINTED) {
        d->f->d->left_out++;
        return;
    }
    if (!x) x = death_new(d, number, e);
    x->points[x->n++] = point;
}

static void point_probe(struct deaths *d, int point)
{
    struct design_point *p = &d->f->out->points[point];
    struct err e;
    d->n_settings = draft_settings_at(d->f, point, d->settings);
    if (!spec_shape(&p->spec, &p->shape, &e)) {
        point_dies(d, point, 0, &e);
        return;
    }
    bool passed = true;
    for (int i = 1; i < PROBES; i++) {
        if (probes[i](&d->probing, &p->spec, &p->shape, &e)) continue;
        point_dies(d, point, i, &e);
        passed = false;
    }
    if (!passed) return;
    const struct net_facts *net = nets_facts(&d->probing.nets, &p->spec, &p->shape);
    p->counts = net->counts;
    p->structure = net->structure;
    p->unfused = net->unfused;
    p->bytes = net->bytes + spec_state_bytes(&p->spec, net->counts.trainable);
}

static void death_report(struct draft *f, const struct death *x)
{
    const char *hint = NULL;
    bool all = x->n == f->out->n_points;
    if (f->out->n_points > 1)
        hint = all ? "every point of the experiment falls with it"
                   : pool_textf(&f->d->pool, "points that fall with it: %s",
                                draft_labels(f, x->points, x->n));
    if (!x->by) {
        diag_at(f->d, NULL, hint, "%s: %s", f->out->points[x->points[0]].label, x->why);
        return;
    }
    const char *key = x->by->set.key;
    bool said = strncmp(x->why, key, strlen(key)) == 0;
    diag_at(f->d, x->by->set.value, hint, "%s%s%s", said ? "" : key, said ? "" : ": ", x->why);
}

void draft_probes(struct draft *f)
{
    size_t most = (size_t)draft_settings_max(f);
    struct deaths d = { .f = f };
    d.settings = pool_new(f->pool, most, sizeof *d.settings);
    d.fewer = pool_new(f->pool, most, sizeof *d.fewer);
    for (int i = 0; i < f->out->n_points; i++)
        if (f->resolved[i]) point_probe(&d, i);
    for (int i = 0; i < d.n; i++) death_report(f, &d.list[i]);
    nets_clear(&d.probing.nets);
}
