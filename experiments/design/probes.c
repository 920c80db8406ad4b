/* What the settings of a point must agree on: the data's shape, augmentation, schedule, network.
 * Where a probe fails, the setting to blame is the one without which it would pass; the points
 * that one setting affects are named in one message. */
#include "core/base/path.h"
#include "experiments/design/builder.h"
#include <string.h>

/* s is resolved and, but for the first probe, has a shape. */
typedef bool probe(struct facts *f, const struct run_spec *s, struct err *e);

static bool probe_shape(struct facts *f, const struct run_spec *s, struct err *e)
{
    const struct data_facts *d = facts_data(f, s);
    return !d->why || err_set(e, "%s", d->why);
}

static bool probe_channels(struct facts *f, const struct run_spec *s, struct err *e)
{
    const int channels = facts_data(f, s)->shape.channels;
    const struct data_channels *all[] = { &s->data.mean, &s->data.sd };
    for (int i = 0; i < 2; i++)
        if (all[i]->n && all[i]->n != channels)
            return err_set(e, "dataset.%s: %d numbers, but images have %d channel%s",
                           i ? "sd" : "mean", all[i]->n, channels, channels > 1 ? "s" : "");
    return true;
}

static bool probe_augment(struct facts *f, const struct run_spec *s, struct err *e)
{
    return augment_check(&s->augment, s->format, facts_data(f, s)->shape.size, e);
}

static bool probe_counts(struct facts *f, const struct run_spec *s, struct err *e)
{
    const struct data_facts *d = facts_data(f, s);
    return !d->counted || data_counts_check(&s->data, s->train.batch_size, d->count[DATA_TRAIN], e);
}

static bool probe_schedule(struct facts *f, const struct run_spec *s, struct err *e)
{
    (void)f;
    return schedule_check(s->schedule, s->schedule_settings, s->train.epochs, e);
}

static bool probe_network(struct facts *f, const struct run_spec *s, struct err *e)
{
    const struct net_facts *n = facts_net(f, s);
    return n->built || n->beyond || err_set(e, "%s", n->why);
}

static probe *const probes[] = { probe_shape,  probe_channels, probe_augment,
                                 probe_counts, probe_schedule, probe_network };
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
    struct facts facts;
    struct death *list;
    int n, room;
    struct given **settings, **fewer; /* of the point at hand; room for all of them */
    int n_settings;
};

static bool probe_passes(struct deaths *d, int number, const struct run_spec *s)
{
    struct err e;
    return probes[0](&d->facts, s, &e) && probes[number](&d->facts, s, &e);
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
        const size_t len = strlen(d->settings[i]->set.key);
        if (strncmp(why, d->settings[i]->set.key, len) == 0 && why[len] == ':')
            return d->settings[i];
    }
    for (int i = 0; i < d->n_settings; i++) {
        const struct setting *x = &d->settings[i]->set;
        if (strcmp(x->key, "dataset.path") == 0 && x->value->kind == VALUE_SCALAR &&
            strstr(why, path_beside(d->f->pool, x->value->file, x->value->text)))
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
    if (!probe_shape(&d->facts, &p->spec, &e)) {
        point_dies(d, point, 0, &e);
        return;
    }
    bool passed = true;
    for (int i = 1; i < PROBES; i++) {
        if (probes[i](&d->facts, &p->spec, &e)) continue;
        point_dies(d, point, i, &e);
        passed = false;
    }
    if (!passed) return;
    const struct data_facts *data = facts_data(&d->facts, &p->spec);
    p->shape = data->shape;
    p->train_images = facts_train_images(data, &p->spec);
    const struct net_facts *net = facts_net(&d->facts, &p->spec);
    p->counts = net->counts;
    p->structure = net->structure;
    p->unfused = net->unfused;
    p->scratch = net->needs.scratch;
    p->bytes = net->needs.bytes + spec_state_bytes(&p->spec, net->counts.trainable);
}

static void death_report(struct draft *f, const struct death *x)
{
    const char *hint = NULL;
    bool all = x->n == f->out->n_points;
    if (f->out->n_points > 1)
        hint = all ? "this affects every point"
                   : pool_textf(&f->d->pool, "points that this affects: %s",
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
    struct deaths d = { .f = f, .facts = { .network = f->request->network } };
    d.settings = pool_new(f->pool, most, sizeof *d.settings);
    d.fewer = pool_new(f->pool, most, sizeof *d.fewer);
    for (int i = 0; i < f->out->n_points; i++)
        if (f->resolved[i]) point_probe(&d, i);
    for (int i = 0; i < d.n; i++) death_report(f, &d.list[i]);
    if (d.facts.calls >= CALLS_MAX)
        diag_at(f->d, draft_first(f), NULL,
                "the networks of this experiment have more than %d layers together: sweep over "
                "fewer of them",
                CALLS_MAX);
    facts_clear(&d.facts);
}
