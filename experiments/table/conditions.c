#include "experiments/table/conditions.h"
#include "experiments/table/numbers.h"
#include <inttypes.h>
#include <string.h>

static const cJSON *member(const cJSON *j, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(j, key);
}

static const char *text_of(const cJSON *v) { return cJSON_IsString(v) ? v->valuestring : NULL; }

static const char *machine_text(struct pool *p, const cJSON *machine)
{
    const cJSON *threads = member(machine, "threads"), *jobs = member(machine, "jobs");
    const char *all = pool_textf(p, "%s, %d thread%s", text_of(member(machine, "cpu")),
                                 threads->valueint, text_plural(threads->valueint));
    if (!cJSON_IsNumber(jobs)) return all;
    return pool_textf(p, "%s, %d run%s at a time", all, jobs->valueint,
                      text_plural(jobs->valueint));
}

/* NULL where the record does not say. */
static const char *condition_of_run(struct pool *p, const struct record *run, enum condition c)
{
    const cJSON *machine = member(run->json, "machine"), *v;
    switch (c) {
    case CONDITION_NUMERICS:
        return pool_textf(p, "%d", run->numerics);
    case CONDITION_ISA:
        return text_of(member(machine, "isa"));
    case CONDITION_PRECISION:
        return text_of(member(member(member(run->json, "settings"), "train"), "precision"));
    case CONDITION_MACHINE:
        return machine_text(p, machine);
    case CONDITION_UNFUSED:
        v = member(member(run->json, "backbone"), "unfused");
        return cJSON_IsNumber(v) ? pool_textf(p, "%.0f", v->valuedouble) : NULL;
    }
    BUG_IF(true, "condition %d", c);
}

/* One way in which runs were made, and how many were. */
struct way {
    const char *text;
    int runs;
};

struct ways {
    struct way *list;
    int n;
};

/* NULL: unknown, or not completed. */
static const char *run_way(struct pool *p, const struct record *run, enum condition c)
{
    return run && run->status == RECORD_COMPLETED ? condition_of_run(p, run, c) : NULL;
}

static void row_ways(struct ways *w, struct pool *p, const struct result_point *row, int seeds,
                     enum condition c)
{
    for (int s = 0; s < seeds; s++) {
        const char *text = run_way(p, row->runs[s], c);
        int i = 0;
        if (!text) continue;
        while (i < w->n && strcmp(w->list[i].text, text) != 0) i++;
        if (i == w->n) {
            struct way *grown = pool_new(p, (size_t)w->n + 1, sizeof *grown);
            if (w->n) memcpy(grown, w->list, (size_t)w->n * sizeof *grown);
            w->list = grown;
            w->list[w->n++].text = text;
        }
        w->list[i].runs++;
    }
}

const char *condition_of_row(struct pool *p, const struct results *r, int row, enum condition c)
{
    struct ways w = { 0 };
    row_ways(&w, p, &r->points[row], r->n_seeds, c);
    const char *all = w.n ? w.list[0].text : FORMAT_NONE;
    for (int i = 1; i < w.n; i++) all = pool_textf(p, "%s; %s", all, w.list[i].text);
    return all;
}

/* The seeds of a row that were run one way, where others were not: " (seeds 3, 4)". */
static void way_seeds(struct text *out, struct pool *p, const struct results *r, int row,
                      enum condition c, const char *way)
{
    int like = 0;
    struct text seeds = { 0 };
    for (int s = 0; s < r->n_seeds; s++) {
        const char *text = run_way(p, r->points[row].runs[s], c);
        if (!text || strcmp(text, way) != 0) continue;
        text_addf(&seeds, "%s%" PRIu64, like++ ? ", " : "", r->seeds[s]);
    }
    text_addf(out, " (seed%s %s)", text_plural(like), seeds.s);
    text_clear(&seeds);
}

/* "avx2 in reduction=8, reduction=16 (seeds 3, 4)" */
static void way_rows(struct text *out, struct pool *p, const struct results *r,
                     const struct analysis *a, enum condition c, const char *way)
{
    const char *comma = " in ";
    text_add(out, way);
    for (int row = 0; row < r->n_points; row++) {
        struct ways own = { 0 };
        bool has = false;
        if (a->rows[row].root != row) continue;
        row_ways(&own, p, &r->points[row], r->n_seeds, c);
        for (int i = 0; i < own.n; i++) has = has || strcmp(own.list[i].text, way) == 0;
        if (!has) continue;
        text_addf(out, "%s%s", comma, r->points[row].label);
        comma = ", ";
        if (own.n > 1) way_seeds(out, p, r, row, c, way);
    }
}

const char *condition_differences(struct pool *p, const struct results *r, const struct analysis *a,
                                  enum condition c)
{
    struct ways w = { 0 };
    struct text all = { 0 };
    int most = 0;
    for (int row = 0; row < r->n_points; row++)
        if (a->rows[row].root == row) row_ways(&w, p, &r->points[row], r->n_seeds, c);
    if (w.n < 2) return NULL;
    for (int i = 1; i < w.n; i++)
        if (w.list[i].runs > w.list[most].runs) most = i;
    for (int i = 0; i < w.n; i++) {
        if (i == most) continue;
        way_rows(&all, p, r, a, c, w.list[i].text);
        text_add(&all, "; ");
    }
    const char *text = pool_textf(p, "%s%s otherwise", all.s, w.list[most].text);
    text_clear(&all);
    return text;
}
