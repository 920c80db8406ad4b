/* Reads a record back. Whoever edited or cut the file: what is not a record is refused, with a
 * message that names the file and the member, and nothing is guessed. */
#include "core/base/file.h"
#include "core/base/order.h"
#include "experiments/results/record.h"
#include "experiments/results/seal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_names[RECORD_STATUSES] = { "completed", "diverged", "failed",
                                                           "interrupted" };

const char *record_status_name(enum record_status s) { return status_names[s]; }

bool record_id_valid(const char *id)
{
    return strlen(id) == RUN_ID - 1 && strspn(id, "0123456789abcdef") == RUN_ID - 1;
}

bool record_ids(const char *dir, char ***ids, size_t *n, struct err *e)
{
    struct text runs = { 0 };
    size_t kept = 0;
    text_addf(&runs, "%s/runs", dir);
    *ids = NULL;
    *n = 0;
    bool ok = !file_exists(runs.s) || dir_list(runs.s, ids, n, e);
    for (size_t i = 0; i < *n; i++) {
        char *name = (*ids)[i], *dot = strchr(name, '.');
        if (dot) *dot = 0;
        if (dot && strcmp(dot + 1, "json") == 0 && record_id_valid(name))
            (*ids)[kept++] = name;
        else
            free(name);
    }
    *n = kept;
    text_clear(&runs);
    return ok;
}

static bool read_wrong(struct err *e, const char *path, const char *what)
{
    return err_set(e,
                   "%s: %s; no record of this program looks like this: move the file away and run "
                   "the experiment again",
                   path, what);
}

/* A whole number of at most max. */
static bool read_whole(const cJSON *j, const char *key, uint64_t max, uint64_t *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    double x = cJSON_IsNumber(v) ? v->valuedouble : -1;
    if (!(x >= 0 && x <= 0x1p53) || x != floor(x)) return false;
    *out = (uint64_t)x;
    return *out <= max;
}

/* A number of 0..max, or null, which is NAN. */
static bool read_real(const cJSON *j, const char *key, double max, double *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    *out = cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
    return cJSON_IsNull(v) || (cJSON_IsNumber(v) && *out >= 0 && *out <= max);
}

static bool read_status(struct record *r)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, "status");
    for (int s = 0; cJSON_IsString(v) && s < RECORD_STATUSES; s++)
        if (strcmp(v->valuestring, status_names[s]) == 0) {
            r->status = (enum record_status)s;
            return true;
        }
    return false;
}

static bool read_why(struct record *r)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, "why");
    if (cJSON_IsString(v)) r->why = mem_text(v->valuestring);
    return cJSON_IsString(v) || cJSON_IsNull(v);
}

static bool read_diverged(struct record *r)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, "diverged_step");
    if (r->status != RECORD_DIVERGED) return cJSON_IsNull(v);
    return read_whole(r->json, "diverged_step", UINT64_MAX, &r->diverged_step);
}

/* Only a completed run has a test result, and a completed run has one. */
static bool read_test(struct record *r)
{
    const cJSON *test = cJSON_GetObjectItemCaseSensitive(r->json, "test");
    uint64_t count = 0;
    r->top1 = r->top5 = r->loss = NAN;
    if (r->status != RECORD_COMPLETED) return cJSON_IsNull(test);
    if (!cJSON_IsObject(test) || !read_real(test, "top1", 100, &r->top1) ||
        !read_real(test, "top5", 100, &r->top5) || !read_real(test, "loss", INFINITY, &r->loss) ||
        !read_whole(test, "count", UINT32_MAX, &count))
        return false;
    r->test_count = (uint32_t)count;
    return count > 0 && !isnan(r->top1);
}

static bool read_history(struct record *r)
{
    const cJSON *history = cJSON_GetObjectItemCaseSensitive(r->json, "history"), *h;
    if (!cJSON_IsArray(history)) return false;
    double *speed = mem_new((size_t)cJSON_GetArraySize(history) + 1, sizeof *speed);
    bool ok = true;
    cJSON_ArrayForEach(h, history)
    {
        double v;
        ok = ok && cJSON_IsObject(h) && read_real(h, "images_per_second", INFINITY, &v);
        if (ok) speed[r->epochs++] = isnan(v) ? 0 : v;
    }
    qsort(speed, (size_t)r->epochs, sizeof *speed, order_doubles);
    int n = r->epochs;
    r->images_per_second = n ? (speed[(n - 1) / 2] + speed[n / 2]) / 2 : (double)NAN;
    free(speed);
    return ok;
}

static bool read_classes(struct record *r)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(r->json, "data");
    uint64_t classes = 0;
    if (cJSON_IsNull(data)) return r->status != RECORD_COMPLETED;
    if (!cJSON_IsObject(data) || !read_whole(data, "classes", 65536, &classes)) return false;
    r->classes = (int)classes;
    return true;
}

/* Of a folder that others wrote to as well, a table tells what its runs were made with. */
static bool read_made_with(struct record *r)
{
    const cJSON *program = cJSON_GetObjectItemCaseSensitive(r->json, "program");
    const cJSON *machine = cJSON_GetObjectItemCaseSensitive(r->json, "machine");
    uint64_t numerics = 0, threads = 0;
    r->numerics = 0;
    if (!read_whole(program, "numerics", INT32_MAX, &numerics) || numerics == 0) return false;
    r->numerics = (int)numerics;
    return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(machine, "isa")) &&
           cJSON_IsString(cJSON_GetObjectItemCaseSensitive(machine, "cpu")) &&
           read_whole(machine, "threads", INT32_MAX, &threads) && threads > 0;
}

static bool read_id(const struct record *r)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, "id");
    return cJSON_IsString(v) && strcmp(v->valuestring, r->id) == 0;
}

static bool record_parse(const char *path, struct record *r, bool sealed, struct err *e)
{
    uint64_t version = 0;
    if (!cJSON_IsObject(r->json)) return read_wrong(e, path, "not a JSON object");
    if (!read_whole(r->json, "version", INT32_MAX, &version))
        return read_wrong(e, path, "\"version\" is missing");
    if (version == RECORD_VERSION && !sealed)
        return read_wrong(
            e, path,
            "edited or cut since it was written: its \"digest\" is not that of its contents");
    if (version != RECORD_VERSION && version != RECORD_UNSEALED)
        return err_set(e, "%s: version %d, and this program reads version %d", path, (int)version,
                       RECORD_VERSION);
    if (!read_id(r)) return read_wrong(e, path, "\"id\" is not the one of the file's name");
    if (!read_status(r)) return read_wrong(e, path, "\"status\" is none of the four there are");
    if (!read_why(r)) return read_wrong(e, path, "\"why\" is neither text nor null");
    if (!read_diverged(r)) return read_wrong(e, path, "\"diverged_step\" does not fit the status");
    if (!read_whole(r->json, "seed", UINT64_MAX, &r->seed))
        return read_wrong(e, path, "\"seed\" is no whole number");
    if (!read_classes(r)) return read_wrong(e, path, "\"data\" does not fit the status");
    if (!read_history(r)) return read_wrong(e, path, "\"history\" is no list of epochs");
    if (!read_test(r)) return read_wrong(e, path, "\"test\" does not fit the status");
    if (!read_real(r->json, "seconds", INFINITY, &r->seconds))
        return read_wrong(e, path, "\"seconds\" is neither a number nor null");
    if (!read_made_with(r))
        return read_wrong(e, path, "\"machine\" or \"program\" does not say what made the run");
    return true;
}

int record_read(const char *dir, const char *id, struct record *r, struct err *e)
{
    memset(r, 0, sizeof *r);
    BUG_IF(!record_id_valid(id), "\"%s\" is no id of a run", id);
    memcpy(r->id, id, RUN_ID);
    struct text path = { 0 };
    struct bytes b = { 0 };
    text_addf(&path, "%s/runs/%s.json", dir, id);
    int found = !file_exists(path.s) ? 0 : file_read(path.s, &b, e) ? 1 : -1;
    if (found == 1) {
        const char *end = NULL;
        /* A NUL within would end the text early: the rest must be the newline after the object. */
        r->json = cJSON_ParseWithLengthOpts((const char *)b.data, b.len + 1, &end, true);
        bool whole = r->json && strlen((const char *)b.data) == b.len;
        if (!whole) read_wrong(e, path.s, "not JSON, or cut short");
        if (!whole || !record_parse(path.s, r, seal_holds(b.data, b.len), e)) found = -1;
    }
    if (found < 0) record_clear(r);
    free(b.data);
    text_clear(&path);
    return found;
}

void record_clear(struct record *r)
{
    free(r->why);
    cJSON_Delete(r->json);
    memset(r, 0, sizeof *r);
}
