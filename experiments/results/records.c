#include "experiments/results/records.h"
#include "core/base/file.h"
#include <stdlib.h>
#include <string.h>

bool records_read(const char *dir, struct records *all, struct err *e)
{
    char **ids;
    size_t n;
    bool ok = record_ids(dir, &ids, &n, e);
    *all = (struct records){ 0 };
    if (!ok) return false;
    all->all = mem_new(n + 1, sizeof *all->all);
    for (size_t i = 0; ok && i < n; i++) {
        struct record *one = mem_new(1, sizeof *one);
        int found = record_read(dir, ids[i], one, e);
        if (found == 1)
            all->all[all->n++] = one;
        else
            free(one);
        ok = found >= 0;
    }
    dir_list_free(ids, n);
    if (!ok) records_clear(all);
    return ok;
}

void records_clear(struct records *all)
{
    for (int i = 0; i < all->n; i++) {
        record_clear(all->all[i]);
        free(all->all[i]);
    }
    free(all->all);
    *all = (struct records){ 0 };
}

static int record_by_id(const void *id, const void *record)
{
    return strcmp(id, (*(const struct record *const *)record)->id);
}

static bool records_have(const struct records *all, const char *id)
{
    struct record *const *found =
        bsearch(id, all->all, (size_t)all->n, sizeof(struct record *), record_by_id);
    return found && ((*found)->status == RECORD_COMPLETED || (*found)->status == RECORD_DIVERGED);
}

/* The images that a record's run saw, as its id counts them; false: not recorded. */
static bool images_of(const struct record *r, uint64_t *digest)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(r->json, "data");
    const cJSON *split = cJSON_GetObjectItemCaseSensitive(data, "split");
    const cJSON *hex = cJSON_GetObjectItemCaseSensitive(split, "digest");
    if (!cJSON_IsString(hex)) return false;
    *digest = strtoull(hex->valuestring, NULL, 16);
    return true;
}

/* The different images that runs of the folder saw: few, however many runs there are. */
static int images_known(const struct records *all, uint64_t *digests)
{
    int n = 0;
    for (int i = 0; i < all->n; i++) {
        uint64_t one;
        if (!images_of(all->all[i], &one)) continue;
        int at = 0;
        while (at < n && digests[at] != one) at++;
        digests[at] = one;
        n += at == n;
    }
    return n;
}

int records_done(const struct records *all, const struct design_point *p, const uint64_t *seeds,
                 int n_seeds)
{
    uint64_t *digests = mem_new((size_t)all->n + 1, sizeof *digests);
    int n = images_known(all, digests), done = 0;
    for (int s = 0; s < n_seeds; s++) {
        bool has = false;
        for (int i = 0; i < n && !has; i++) {
            char id[RUN_ID];
            run_id(p, seeds[s], digests[i], id);
            has = records_have(all, id);
        }
        done += has;
    }
    free(digests);
    return done;
}

int records_alike(const struct records *all, const struct design_point *p, struct record **out)
{
    struct text json = { 0 };
    spec_write(&p->spec, &json);
    cJSON *settings = cJSON_Parse(json.s);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(settings, "dataset");
    int n = 0;
    for (int i = 0; i < all->n; i++) {
        const cJSON *own = cJSON_GetObjectItemCaseSensitive(all->all[i]->json, "settings");
        if (cJSON_Compare(cJSON_GetObjectItemCaseSensitive(own, "dataset"), data, true))
            out[n++] = all->all[i];
    }
    cJSON_Delete(settings);
    text_clear(&json);
    return n;
}
