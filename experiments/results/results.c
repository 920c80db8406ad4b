/* Reads a results folder. A design is foreign bytes like the records: every index, length and id is
 * checked here, so that tables can use them blindly. */
#include "experiments/results/results.h"
#include "core/base/file.h"
#include "experiments/spec/paper.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESULTS_VERSION = 1, RESULTS_MOST = 100000 }; /* points, seeds and keys at most */

static bool results_wrong(const struct results *r, struct err *e, const char *what)
{
    return err_set(e, "%s: %s; `senet-exp run` with the experiment's file writes it anew", r->path,
                   what);
}

static const cJSON *member(const cJSON *j, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(j, key);
}

static bool text_read(const cJSON *j, const char *key, const char **out)
{
    const cJSON *v = member(j, key);
    *out = cJSON_IsString(v) ? v->valuestring : NULL;
    return cJSON_IsString(v) || cJSON_IsNull(v) || !v;
}

static bool count_read(const cJSON *j, const char *key, double *out)
{
    const cJSON *v = member(j, key);
    *out = cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
    return *out >= 0 && *out <= 0x1p53;
}

/* An index below `end`, or null, which is -1. */
static bool index_read(const cJSON *j, const char *key, int end, int *out)
{
    const cJSON *v = member(j, key);
    *out = -1;
    if (cJSON_IsNull(v) || !v) return true;
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble < end)) return false;
    *out = (int)v->valuedouble;
    return *out == v->valuedouble; /* NOLINT: whole numbers compare exactly */
}

static bool hidden_read(const cJSON *point, int hidden[SE_STAGES])
{
    const cJSON *all = member(point, "hidden"), *v;
    if (!cJSON_IsObject(all)) return false;
    cJSON_ArrayForEach(v, all)
    {
        int stage = v->string[0] - '0';
        if (strlen(v->string) != 1 || stage < 0 || stage >= SE_STAGES) return false;
        if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 1e6)) return false;
        hidden[stage] = (int)v->valuedouble;
    }
    return true;
}

static int list_length(const cJSON *j, const char *key)
{
    const cJSON *v = member(j, key);
    int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : -1;
    return n > RESULTS_MOST ? -1 : n;
}

static bool header_read(struct results *r, struct err *e)
{
    const cJSON *j = r->design, *version = member(j, "version");
    if (!cJSON_IsObject(j)) return results_wrong(r, e, "not a JSON object, or cut short");
    if (!cJSON_IsNumber(version)) return results_wrong(r, e, "\"version\" is missing");
    if (version->valuedouble != RESULTS_VERSION)
        return err_set(e, "%s: version %g, and this program reads version %d", r->path,
                       version->valuedouble, RESULTS_VERSION);
    if (!text_read(j, "experiment", &r->experiment) || !r->experiment ||
        !text_read(j, "question", &r->question) || !text_read(j, "mirrors", &r->mirrors))
        return results_wrong(r, e, "\"experiment\", \"question\" or \"mirrors\" is no text");
    if (r->mirrors && !paper_table_named(r->mirrors))
        return results_wrong(r, e, "\"mirrors\" names no table of the paper");
    r->n_points = list_length(j, "points");
    r->n_seeds = list_length(j, "seeds");
    r->n_axis_keys = list_length(j, "axis_keys");
    if (r->n_points < 1 || r->n_seeds < 1 || r->n_axis_keys < 0 ||
        (double)r->n_points * r->n_seeds > RESULTS_MOST * 10.0)
        return results_wrong(r, e, "\"points\", \"seeds\" or \"axis_keys\" is no list, or empty");
    if (!index_read(j, "baseline", r->n_points, &r->baseline))
        return results_wrong(r, e, "\"baseline\" is no index of a point");
    return true;
}

static bool seed_read(const cJSON *v, uint64_t *out)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= 0x1p53)) return false;
    *out = (uint64_t)v->valuedouble;
    return true;
}

static bool lists_read(struct results *r, struct err *e)
{
    const cJSON *v;
    int i = 0;
    r->seeds = pool_new(&r->pool, (size_t)r->n_seeds, sizeof *r->seeds);
    r->axis_keys = pool_new(&r->pool, (size_t)r->n_axis_keys + 1, sizeof *r->axis_keys);
    cJSON_ArrayForEach(v, member(r->design, "seeds"))
    {
        if (!seed_read(v, &r->seeds[i++])) return results_wrong(r, e, "a seed is no whole number");
    }
    i = 0;
    cJSON_ArrayForEach(v, member(r->design, "axis_keys"))
    {
        if (!cJSON_IsString(v))
            return results_wrong(r, e, "\"axis_keys\" holds something but texts");
        r->axis_keys[i++] = v->valuestring;
    }
    return true;
}

static bool point_read(struct results *r, const cJSON *j, int i)
{
    struct result_point *p = &r->points[i];
    p->axes = member(j, "axes");
    p->settings = member(j, "settings");
    p->structure = member(j, "structure");
    p->ids = pool_new(&r->pool, (size_t)r->n_seeds, sizeof(char *));
    p->runs = pool_new(&r->pool, (size_t)r->n_seeds, sizeof(struct record *));
    return text_read(j, "label", &p->label) && p->label && cJSON_IsObject(p->axes) &&
           cJSON_IsObject(p->settings) && index_read(j, "same_as", i, &p->same_as) &&
           count_read(j, "parameters", &p->parameters) &&
           count_read(j, "se_parameters", &p->se_parameters) &&
           count_read(j, "parameters_with_statistics", &p->parameters_with_statistics) &&
           count_read(j, "macs", &p->macs) && hidden_read(j, p->hidden) &&
           list_length(j, "runs") == r->n_seeds;
}

static bool points_read(struct results *r, struct err *e)
{
    const cJSON *j, *id;
    int i = 0;
    r->points = pool_new(&r->pool, (size_t)r->n_points, sizeof *r->points);
    cJSON_ArrayForEach(j, member(r->design, "points"))
    {
        if (!point_read(r, j, i++))
            return results_wrong(r, e, "a point lacks a member, or has a wrong one");
        const char **ids = r->points[i - 1].ids;
        cJSON_ArrayForEach(id, member(j, "runs"))
        {
            if (!cJSON_IsString(id) || !record_id_valid(id->valuestring))
                return results_wrong(r, e, "\"runs\" holds something but ids");
            *ids++ = id->valuestring;
        }
    }
    return true;
}

/* A place of a run in the design, to be sorted so that equal ids stand together. */
struct run_place {
    const char *id;
    int point, seed;
};

static int by_id(const void *a, const void *b)
{
    const struct run_place *x = a, *y = b;
    int c = strcmp(x->id, y->id);
    if (c == 0) c = x->point != y->point ? x->point - y->point : x->seed - y->seed;
    return c;
}

static struct run_place *places_sorted(const struct results *r, size_t *count)
{
    struct run_place *all = mem_new((size_t)r->n_points * (size_t)r->n_seeds, sizeof *all);
    *count = 0;
    for (int p = 0; p < r->n_points; p++)
        for (int s = 0; s < r->n_seeds; s++)
            all[(*count)++] = (struct run_place){ r->points[p].ids[s], p, s };
    qsort(all, *count, sizeof *all, by_id);
    return all;
}

/* Is the record that of the run of the design? */
static bool run_fits(const struct results *r, const struct run_place *at, const struct record *one,
                     struct err *e)
{
    const cJSON *asked = r->points[at->point].structure;
    const cJSON *made = member(member(one->json, "backbone"), "structure");
    if (one->seed != r->seeds[at->seed])
        return err_set(
            e,
            "%s/runs/%s.json: its seed is %llu, and that of this run in %s is %llu; move "
            "the file away and run the experiment again",
            r->dir, one->id, (unsigned long long)one->seed, r->path,
            (unsigned long long)r->seeds[at->seed]);
    if (asked && made && !cJSON_Compare(asked, made, true))
        return err_set(e,
                       "%s/runs/%s.json: it is of another network than this run in %s; move the "
                       "file away and run the experiment again",
                       r->dir, one->id, r->path);
    return true;
}

/* Each record once, however many points share it. */
static bool runs_read(struct results *r, struct err *e)
{
    size_t count;
    struct run_place *all = places_sorted(r, &count);
    bool ok = true;
    r->records = mem_new(count, sizeof(struct record *));
    for (size_t i = 0; ok && i < count; i++) {
        struct record **at = &r->points[all[i].point].runs[all[i].seed];
        if (i > 0 && strcmp(all[i].id, all[i - 1].id) == 0) {
            *at = r->points[all[i - 1].point].runs[all[i - 1].seed];
            continue;
        }
        struct record *one = mem_new(1, sizeof *one);
        int found = record_read(r->dir, all[i].id, one, e);
        if (found == 1) {
            *at = r->records[r->n_records++] = one;
            ok = run_fits(r, &all[i], one, e);
        } else {
            free(one);
            ok = found == 0;
        }
    }
    free(all);
    return ok;
}

static bool design_find(struct results *r, const char *name, struct design_file *f, struct err *e)
{
    struct designs all;
    if (!designs_read(r->dir, &all, e)) return false;
    int at = designs_choose(&all, r->dir, name, e);
    if (at >= 0) *f = all.all[at];
    designs_clear(&all);
    return at >= 0;
}

bool results_open(const char *dir, const char *design, struct results *r, struct err *e)
{
    struct design_file f;
    struct bytes b = { 0 };
    memset(r, 0, sizeof *r);
    r->dir = mem_text(dir);
    bool ok = design_find(r, design, &f, e) && design_file_read(dir, &f, &b, e);
    if (ok) {
        struct text path = { 0 };
        design_file_path(dir, &f, &path);
        r->path = path.s;
        memcpy(r->digest, f.digest, sizeof r->digest);
    }
    if (ok && strlen((const char *)b.data) == b.len)
        r->design = cJSON_ParseWithOpts((const char *)b.data, NULL, true);
    ok = ok && header_read(r, e) && lists_read(r, e) && points_read(r, e);
    free(b.data);
    if (!ok) results_clear(r);
    return ok;
}

bool results_read(const char *dir, const char *design, struct results *r, struct err *e)
{
    if (!results_open(dir, design, r, e)) return false;
    if (runs_read(r, e)) return true;
    results_clear(r);
    return false;
}

void results_clear(struct results *r)
{
    for (int i = 0; i < r->n_records; i++) {
        record_clear(r->records[i]);
        free(r->records[i]);
    }
    free(r->records);
    cJSON_Delete(r->design);
    free(r->path);
    free(r->dir);
    pool_clear(&r->pool);
    memset(r, 0, sizeof *r);
}
