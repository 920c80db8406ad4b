/* Which runs are done, which are not, and what became of those of an earlier design. */
#include "experiments/run/backlog.h"
#include <stdlib.h>
#include <string.h>

struct census_id {
    const char *id;
    int rank; /* in the order of running */
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
    }
    free(all);
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
    return true;
}

static void change_add(struct text *t, const char *key, const cJSON *was, const cJSON *is)
{
    char *a = was ? cJSON_PrintUnformatted(was) : NULL, *b = is ? cJSON_PrintUnformatted(is) : NULL;
    struct text one = { 0 };
    text_addf(&one, "%s %s -> %s", key, a ? a : "(none)", b ? b : "(none)");
    if (!t->s || !strstr(t->s, one.s)) text_addf(t, "%s%s", t->len ? ", " : "", one.s);
    text_clear(&one);
    cJSON_free(a);
    cJSON_free(b);
}

/* Members that differ, by their dotted keys; maps are gone into. */
static void settings_differ(struct text *t, const char *prefix, const cJSON *was, const cJSON *is)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, is)
    {
        const cJSON *old = cJSON_GetObjectItemCaseSensitive(was, v->string);
        if (old && cJSON_Compare(old, v, true)) continue;
        struct text key = { 0 };
        text_addf(&key, "%s%s%s", prefix, *prefix ? "." : "", v->string);
        if (cJSON_IsObject(v) && cJSON_IsObject(old))
            settings_differ(t, key.s, old, v);
        else
            change_add(t, key.s, old, v);
        text_clear(&key);
    }
}

static void census_changes(struct census *c, const struct run_spec *spec, const cJSON *was)
{
    struct text json = { 0 };
    spec_write(spec, &json);
    cJSON *is = cJSON_Parse(json.s);
    settings_differ(&c->changes, "", was, is);
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

static bool census_has(const struct census *c, const char *id)
{
    for (int i = 0; i < c->n_distinct; i++) {
        if (strcmp(c->ids[c->distinct[i]], id) == 0) return true;
    }
    return false;
}

void census_compare(struct census *c, const struct design *d, const struct results *previous)
{
    for (int p = 0; previous && p < previous->n_points; p++) {
        const struct result_point *was = &previous->points[p];
        if (was->same_as >= 0) continue; /* counted with the point it is the same as */
        for (int s = 0; s < previous->n_seeds; s++) {
            if (!was->runs[s] || census_has(c, was->runs[s]->id)) continue;
            int now = design_find(d, was->label, previous->seeds[s]);
            if (now < 0) {
                c->set_aside++;
                continue;
            }
            c->changed++;
            if (c->changes.len < 200)
                census_changes(c, &d->points[now / d->n_seeds].spec, was->settings);
        }
    }
}

void census_say(const struct census *c, struct text *t)
{
    int waiting = c->n_distinct - c->kept;
    text_addf(t, "%d run%s kept", c->kept, c->kept == 1 ? "" : "s");
    if (c->changed) {
        text_addf(t, ", %d changed %s and will run", c->changed,
                  c->changes.len ? c->changes.s : "its data or this program's numerics");
        waiting -= c->changed;
    }
    if (waiting > 0) text_addf(t, ", %d will run", waiting);
    if (c->set_aside) {
        text_addf(t, ", %d no longer in the design %s set aside", c->set_aside,
                  c->set_aside == 1 ? "is" : "are");
    }
}

void census_clear(struct census *c)
{
    free(c->ids);
    free(c->distinct);
    free(c->done);
    text_clear(&c->changes);
    *c = (struct census){ 0 };
}
