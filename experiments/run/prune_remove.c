/* Takes what prune_find found out of the folder. What a lock guards goes under it. */
#include "core/base/file.h"
#include "core/base/lock.h"
#include "experiments/run/prune.h"
#include "experiments/run/run_one.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool gone(int result, const char *path, struct err *e)
{
    if (result == 0 || errno == ENOENT) return true;
    return err_set(e, "%s: cannot be removed: %s", path, strerror(errno));
}

/* The record first: a run that has none is not done, whatever else is there. The lock last: who
 * waits for it notices. */
static bool run_remove(struct prune *p, const struct prune_item *one, struct err *e)
{
    const char *folder = pool_textf(&p->pool, "%s/%s", p->dir, one->path);
    const char *record = pool_textf(&p->pool, "%s.json", folder);
    const char *lock = pool_textf(&p->pool, "%s/lock", folder);
    char **names;
    size_t n;
    if (!file_remove(record, e) || !dir_list(folder, &names, &n, e)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        const char *file = pool_textf(&p->pool, "%s/%s", folder, names[i]);
        ok = strcmp(names[i], "lock") == 0 || gone(unlink(file), file, e);
    }
    dir_list_free(names, n);
    return ok && gone(unlink(lock), lock, e) && gone(rmdir(folder), folder, e);
}

/* STEM.md, STEM.csv and, of a design, STEM.json. */
static bool files_remove(struct prune *p, const char *stem, int kinds, struct err *e)
{
    static const char *const suffixes[] = { ".md", ".csv", ".json" };
    bool ok = true;
    for (int i = 0; ok && i < kinds; i++) {
        const char *path = pool_textf(&p->pool, "%s/%s%s", p->dir, stem, suffixes[i]);
        ok = gone(unlink(path), path, e);
    }
    return ok;
}

/* The main design's tables at the top are of nothing any more; where the newest design goes, the
 * main one is the newest. */
static bool design_remove(struct prune *p, const struct prune_item *one, struct err *e)
{
    struct designs all;
    if (!designs_adopt_early(p->dir, e) || !designs_read(p->dir, &all, e)) return false;
    const char *digest = strrchr(one->path, '/') + 1;
    bool ok = true;
    bool main = all.main >= 0 && strcmp(all.all[all.main].digest, digest) == 0;
    bool newest = all.newest >= 0 && strcmp(all.all[all.newest].digest, digest) == 0;
    if (main) ok = files_remove(p, "table", 2, e);
    if (newest && !main && all.main >= 0)
        ok = ok && designs_set_newest(p->dir, all.all[all.main].digest, e);
    designs_clear(&all);
    return ok && files_remove(p, one->path, 3, e);
}

static bool item_remove(struct prune *p, const struct prune_item *one, struct err *e)
{
    const char *path = pool_textf(&p->pool, "%s/%s", p->dir, one->path);
    switch (one->kind) {
    case PRUNE_DESIGN:
        return design_remove(p, one, e);
    case PRUNE_RUN:
        return run_remove(p, one, e);
    case PRUNE_CHECKPOINT:
        return run_checkpoint_drop(p->dir, one->id, e);
    case PRUNE_TEMPORARY:
        return gone(unlink(path), path, e);
    }
    BUG_IF(true, "item of kind %d", one->kind);
}

bool prune_remove(struct prune *p, struct err *e)
{
    bool ok = true;
    for (int i = 0; ok && i < p->n; i++) {
        struct prune_item *one = &p->items[i];
        if (one->busy) continue;
        int fd = one->id ? run_lock(p->dir, one->id, false, e) : LOCK_STOPPED;
        one->busy = fd == LOCK_BUSY;
        ok = fd != LOCK_FAILED && (one->busy || item_remove(p, one, e));
        if (fd >= 0) close(fd);
    }
    return ok;
}
