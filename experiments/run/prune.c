#include "experiments/run/prune.h"
#include "core/base/file.h"
#include "experiments/run/run_one.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Nobody takes that long to write a file: an older temporary one is a killed process's. */
enum { TEMPORARY_SECONDS = 3600 };

const char *prune_kind_name(enum prune_kind k)
{
    static const char *const names[] = { [PRUNE_DESIGN] = "design",
                                         [PRUNE_RUN] = "run",
                                         [PRUNE_CHECKPOINT] = "checkpoint",
                                         [PRUNE_TEMPORARY] = "temporary file" };
    return names[k];
}

/* A search in the making. */
struct pruning {
    struct prune *p;
    const char *dir;
    const char **named; /* sorted ids of the designs that stay */
    size_t n_named;
    struct timespec now; /* of the folder's clock */
};

static struct prune_item *item_add(struct prune *p, enum prune_kind kind, const char *path)
{
    p->items = mem_grow(p->items, (size_t)p->n + 1, sizeof *p->items);
    struct prune_item *one = &p->items[p->n++];
    *one = (struct prune_item){ .kind = kind, .path = path, .about = "" };
    return one;
}

static const char *full(struct prune *p, const char *path)
{
    return pool_textf(&p->pool, "%s/%s", p->dir, path);
}

static uint64_t bytes_of(const char *path)
{
    struct stat s;
    return lstat(path, &s) == 0 && S_ISREG(s.st_mode) ? (uint64_t)s.st_size : 0;
}

static uint64_t folder_bytes(struct prune *p, const char *path)
{
    struct err e;
    char **names;
    size_t n;
    uint64_t bytes = 0;
    if (!dir_list(path, &names, &n, &e)) return 0;
    for (size_t i = 0; i < n; i++) bytes += bytes_of(pool_textf(&p->pool, "%s/%s", path, names[i]));
    dir_list_free(names, n);
    return bytes;
}

static int order_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_named(const struct pruning *g, const char *id)
{
    return g->n_named && bsearch(&id, g->named, g->n_named, sizeof *g->named, order_ids);
}

static void names_add(struct pruning *g, const struct results *r)
{
    size_t more = (size_t)r->n_points * (size_t)r->n_seeds;
    g->named = mem_grow(g->named, g->n_named + more + 1, sizeof *g->named);
    for (int i = 0; i < r->n_points; i++)
        for (int s = 0; s < r->n_seeds; s++)
            g->named[g->n_named++] = pool_text(&g->p->pool, r->points[i].ids[s]);
}

/* The files of a design that goes, the top tables with the main one. A run of it that a process has
 * in hand keeps it. */
static void design_add(struct pruning *g, const struct results *r, bool main)
{
    static const char *const suffixes[] = { ".json", ".md", ".csv" };
    struct prune *p = g->p;
    bool busy = false;
    for (int i = 0; i < r->n_points; i++)
        for (int s = 0; s < r->n_seeds && !busy; s++)
            busy = run_is_locked(p->dir, r->points[i].ids[s]);
    struct prune_item *one =
        item_add(p, PRUNE_DESIGN, pool_textf(&p->pool, "designs/%s", r->digest));
    one->busy = busy;
    one->about = pool_textf(&p->pool, "%s%s", r->experiment, main ? ", main: with table.md" : "");
    for (int i = 0; i < 3; i++)
        one->bytes += bytes_of(pool_textf(&p->pool, "%s/%s%s", p->dir, one->path, suffixes[i]));
}

static bool designs_walk(struct pruning *g, const char *design, struct err *e)
{
    struct designs all;
    if (!designs_read(g->dir, &all, e)) return false;
    int gone = designs_choose(&all, g->dir, design ? design : all.n ? all.all[0].digest : NULL, e);
    bool ok = gone >= 0;
    for (int i = 0; ok && i < all.n; i++) {
        struct results r;
        ok = results_open(g->dir, all.all[i].digest, &r, e);
        if (!ok) break;
        if (design && i == gone) design_add(g, &r, i == all.main);
        if (!design || i != gone || g->p->items[0].busy) names_add(g, &r);
        results_clear(&r);
    }
    designs_clear(&all);
    if (ok && g->n_named) qsort(g->named, g->n_named, sizeof *g->named, order_ids);
    return ok;
}

/* NAME.CHANCE.tmp, as file_write makes them. */
static bool is_temporary(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".tmp") == 0;
}

static void temporary_add(struct pruning *g, const char *path, const char *id)
{
    struct prune_item *one = item_add(g->p, PRUNE_TEMPORARY, path);
    one->id = id;
    one->busy = id && run_is_locked(g->dir, id);
    one->bytes = bytes_of(full(g->p, path));
}

/* A run that no design names. */
static void run_add(struct pruning *g, const char *id)
{
    struct prune *p = g->p;
    struct record r;
    struct err e;
    struct prune_item *one = item_add(p, PRUNE_RUN, pool_textf(&p->pool, "runs/%s", id));
    const char *record = pool_textf(&p->pool, "%s/%s.json", p->dir, one->path);
    int found = record_read(p->dir, id, &r, &e);
    one->id = id;
    one->busy = run_is_locked(p->dir, id);
    one->bytes = bytes_of(record) + folder_bytes(p, full(p, one->path));
    one->about = found < 0 ? "its record is damaged" : "without a record";
    if (found != 1) return;
    const cJSON *label = cJSON_GetObjectItemCaseSensitive(r.json, "label");
    one->about = pool_textf(&p->pool, "%s seed %llu, %s",
                            cJSON_IsString(label) ? label->valuestring : "a run",
                            (unsigned long long)r.seed, record_status_name(r.status));
    record_clear(&r);
}

/* What may go of a run that stays. */
static bool run_look(struct pruning *g, const char *id, struct err *e)
{
    struct prune *p = g->p;
    const char *folder = pool_textf(&p->pool, "runs/%s", id);
    char **names;
    size_t n;
    if (!dir_list(full(p, folder), &names, &n, e)) return false;
    for (size_t i = 0; i < n; i++) {
        if (is_temporary(names[i]))
            temporary_add(g, pool_textf(&p->pool, "%s/%s", folder, names[i]), id);
        else if (strcmp(names[i], "checkpoint") == 0 && run_checkpoint_is_over(p->dir, id)) {
            struct prune_item *one =
                item_add(p, PRUNE_CHECKPOINT, pool_textf(&p->pool, "%s/checkpoint", folder));
            one->id = id;
            one->busy = run_is_locked(p->dir, id);
            one->bytes = bytes_of(full(p, one->path));
        }
    }
    dir_list_free(names, n);
    return true;
}

/* runs/: ID, ID.json, ID.json.CHANCE.tmp; sorted, so that what is of one run stands together, and
 * goes together where no design names it. */
static bool runs_walk(struct pruning *g, struct err *e)
{
    struct prune *p = g->p;
    const char *runs = full(p, "runs");
    char **names;
    size_t n;
    if (!file_exists(runs)) return true;
    if (!dir_list(runs, &names, &n, e)) return false;
    bool ok = true;
    const char *last = "";
    for (size_t i = 0; ok && i < n; i++) {
        const char *id = pool_textf(&p->pool, "%.*s", (int)strcspn(names[i], "."), names[i]);
        const char *rest = names[i] + strlen(id);
        bool temporary = is_temporary(names[i]), record = strcmp(rest, ".json") == 0;
        if (!record_id_valid(id) || (*rest && !record && !temporary)) continue;
        if (!is_named(g, id)) {
            if (strcmp(id, last) != 0) run_add(g, id);
            last = id;
        } else if (temporary) {
            temporary_add(g, pool_textf(&p->pool, "runs/%s", names[i]), id);
        } else if (!record) {
            ok = run_look(g, id, e);
        }
    }
    dir_list_free(names, n);
    return ok;
}

/* Temporary files that no run's lock guards: by their age. */
static bool temporaries_walk(struct pruning *g, const char *below, struct err *e)
{
    struct prune *p = g->p;
    char **names;
    size_t n;
    if (!file_exists(full(p, below))) return true;
    if (!dir_list(full(p, below), &names, &n, e)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        const char *path = pool_textf(&p->pool, "%s%s%s", below, *below ? "/" : "", names[i]);
        struct stat s;
        if (!is_temporary(names[i]) || stat(full(p, path), &s) != 0) continue;
        if (g->now.tv_sec == 0) ok = file_clock(g->dir, &g->now, e);
        if (ok && g->now.tv_sec - s.st_mtim.tv_sec > TEMPORARY_SECONDS)
            temporary_add(g, path, NULL);
    }
    dir_list_free(names, n);
    return ok;
}

bool prune_find(const char *dir, const char *design, struct prune *p, struct err *e)
{
    struct pruning g = { .p = p, .dir = dir };
    *p = (struct prune){ .dir = mem_text(dir) };
    bool ok = designs_walk(&g, design, e) && runs_walk(&g, e) && temporaries_walk(&g, "", e) &&
              temporaries_walk(&g, "designs", e);
    free(g.named);
    if (!ok) prune_clear(p);
    return ok;
}

void prune_clear(struct prune *p)
{
    free(p->items);
    free(p->dir);
    pool_clear(&p->pool);
    *p = (struct prune){ 0 };
}
