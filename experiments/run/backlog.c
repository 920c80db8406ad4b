/* Which runs are done, which are not, and what tells them from those of an earlier design. */
#include "experiments/run/backlog.h"
#include "core/base/file.h"
#include "experiments/results/differences.h"
#include <stdlib.h>
#include <string.h>

struct census_id {
    const char *id;
    int rank; /* in the order of running; once sorted for good: among the distinct */
};

static int census_by_id(const void *a, const void *b)
{
    const struct census_id *x = a, *y = b;
    int c = strcmp(x->id, y->id);
    return c ? c : x->rank - y->rank;
}

static int census_by_rank(const void *a, const void *b)
{
    return ((const struct census_id *)a)->rank - ((const struct census_id *)b)->rank;
}

/* Every id in the order of running, without the repetitions. */
static void census_order(struct census *c, const struct design *d)
{
    int n = d->n_points * d->n_seeds, kept = 0;
    struct census_id *all = mem_new((size_t)n, sizeof *all);
    for (int s = 0, rank = 0; s < d->n_seeds; s++) {
        for (int p = 0; p < d->n_points; p++, rank++) {
            all[rank] = (struct census_id){ c->ids[p * d->n_seeds + s], rank };
        }
    }
    qsort(all, (size_t)n, sizeof *all, census_by_id);
    for (int i = 0; i < n; i++) {
        if (i == 0 || strcmp(all[i].id, all[kept - 1].id) != 0) all[kept++] = all[i];
    }
    qsort(all, (size_t)kept, sizeof *all, census_by_rank);
    c->distinct = mem_new((size_t)kept, sizeof *c->distinct);
    c->done = mem_new((size_t)kept, sizeof *c->done);
    c->n_distinct = kept;
    for (int i = 0; i < kept; i++) {
        int seed = all[i].rank / d->n_points, point = all[i].rank % d->n_points;
        c->distinct[i] = point * d->n_seeds + seed;
        all[i].rank = i;
    }
    qsort(all, (size_t)kept, sizeof *all, census_by_id);
    c->sorted = all;
}

/* Which of the distinct runs has this id, or -1. */
static int census_find(const struct census *c, const char *id)
{
    int low = 0, high = c->n_distinct;
    while (low < high) {
        int middle = (low + high) / 2;
        int order = strcmp(id, c->sorted[middle].id);
        if (order == 0) return c->sorted[middle].rank;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

bool census_holds(const struct census *c, const char *id) { return census_find(c, id) >= 0; }

static bool census_outside(struct census *c, const char *dir, struct err *e)
{
    char **ids;
    size_t n;
    if (!record_ids(dir, &ids, &n, e)) return false;
    for (size_t i = 0; i < n; i++) c->outside += census_find(c, ids[i]) < 0;
    dir_list_free(ids, n);
    return true;
}

bool census_take(struct census *c, const struct design *d, char (*ids)[RUN_ID], const char *dir,
                 struct err *e)
{
    *c = (struct census){ .ids = ids };
    census_order(c, d);
    for (int i = 0; i < c->n_distinct; i++) {
        struct record r;
        int found = record_read(dir, ids[c->distinct[i]], &r, e);
        if (found < 0) return false;
        if (found == 0) continue;
        c->done[i] = r.status == RECORD_COMPLETED || r.status == RECORD_DIVERGED;
        c->kept += c->done[i];
        record_clear(&r);
    }
    return census_outside(c, dir, e);
}

static void census_changes(struct census *c, const struct run_spec *spec, const cJSON *was)
{
    struct text json = { 0 };
    spec_write(spec, &json);
    cJSON *is = cJSON_Parse(json.s);
    settings_differ(&c->changes, was, is);
    cJSON_Delete(is);
    text_clear(&json);
}

/* The run of this label and seed in the design, or -1. */
static int design_find(const struct design *d, const char *label, uint64_t seed)
{
    for (int p = 0; p < d->n_points; p++) {
        if (strcmp(d->points[p].label, label) != 0) continue;
        for (int s = 0; s < d->n_seeds; s++) {
            if (d->seeds[s] == seed) return p * d->n_seeds + s;
        }
    }
    return -1;
}

void census_compare(struct census *c, const struct design *d, const struct results *previous)
{
    bool same = false;
    for (int p = 0; p < previous->n_points; p++) {
        const struct result_point *was = &previous->points[p];
        if (was->same_as >= 0) continue; /* compared with the point it is the same as */
        for (int s = 0; s < previous->n_seeds; s++) {
            if (!was->runs[s] || census_find(c, was->ids[s]) >= 0) continue;
            int now = design_find(d, was->label, previous->seeds[s]);
            if (now < 0 || c->done[census_find(c, c->ids[now])]) continue;
            if (c->changes.len < 200)
                census_changes(c, &d->points[now / d->n_seeds].spec, was->settings);
            same = same || c->changes.len == 0;
        }
    }
    c->data_changed = same && c->changes.len == 0;
}

void census_say(const struct census *c, struct text *t)
{
    int waiting = c->n_distinct - c->kept;
    if (waiting && c->changes.len) text_addf(t, "%s: ", c->changes.s);
    if (waiting && c->data_changed)
        text_add(t, "the images or this program's numerics have changed: ");
    if (c->kept) text_addf(t, "%d run%s kept, ", c->kept, c->kept == 1 ? "" : "s");
    if (waiting == 0)
        text_add(t, "nothing to train");
    else if (c->kept)
        text_addf(t, "%d to train", waiting);
    else
        text_addf(t, "%d run%s to train", waiting, waiting == 1 ? "" : "s");
    if (c->outside)
        text_addf(t, "; %d earlier run%s outside this table", c->outside,
                  c->outside == 1 ? " stays" : "s stay");
}

void census_clear(struct census *c)
{
    free(c->ids);
    free(c->distinct);
    free(c->done);
    free(c->sorted);
    text_clear(&c->changes);
    *c = (struct census){ 0 };
}
