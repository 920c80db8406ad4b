/* How much memory is left: the least of what the kernel holds available, the control groups that
 * this process is in, and its own resource limits. */
#include "experiments/run/headroom.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Address space that hardly becomes memory, which RLIMIT_AS and RLIMIT_DATA count all the same:
 * the C library maps 128 MiB to place a thread's allocation arena in, and in the bench OpenBLAS as
 * much for each thread that multiplies (and waits for ever where it cannot); the rest is for
 * stacks. */
#define RESERVED_THREAD ((uint64_t)128 << 20)
#define RESERVED_ALWAYS ((uint64_t)192 << 20)

static void limit_lower(struct limit *l, uint64_t bytes, const char *by)
{
    if (bytes < l->bytes) *l = (struct limit){ bytes, by };
}

static uint64_t left_of(uint64_t limit, uint64_t used) { return used < limit ? limit - used : 0; }

static FILE *open_in(const char *folder, const char *name)
{
    struct text path = { 0 };
    text_addf(&path, "%s/%s", folder, name);
    FILE *f = fopen(path.s, "r");
    text_clear(&path);
    return f;
}

/* The number behind `key` in a file of lines "key number"; an empty key takes the first line.
 * False where there is none: "max" is none. */
static bool number_in(const char *folder, const char *name, const char *key, uint64_t *out)
{
    char line[256];
    unsigned long long v;
    size_t len = strlen(key);
    bool found = false;
    FILE *f = open_in(folder, name);
    while (f && !found && fgets(line, sizeof line, f)) {
        found = strncmp(line, key, len) == 0 && sscanf(line + len, " %llu", &v) == 1;
        if (!len) break;
    }
    if (f) fclose(f);
    if (found) *out = v;
    return found;
}

/* The files of one version of control groups. */
struct cgroup_files {
    const char *mount, *limit, *usage;
    const char *clean[2]; /* keys of memory.stat: pages of files, which the kernel gives up first */
};
static const struct cgroup_files cgroup_v2 = {
    "sys/fs/cgroup", "memory.max", "memory.current", { "inactive_file ", "active_file " }
};
static const struct cgroup_files cgroup_v1 = { "sys/fs/cgroup/memory",
                                               "memory.limit_in_bytes",
                                               "memory.usage_in_bytes",
                                               { "total_inactive_file ", "total_active_file " } };

static void cgroup_one(struct headroom *h, const struct cgroup_files *c, const char *folder)
{
    uint64_t limit, used, clean;
    if (!number_in(folder, c->limit, "", &limit) || !number_in(folder, c->usage, "", &used)) return;
    for (int i = 0; i < 2; i++)
        if (number_in(folder, "memory.stat", c->clean[i], &clean)) used = left_of(used, clean);
    limit_lower(&h->all, left_of(limit, used), c->limit);
}

/* The group itself and all above it: the least of their limits holds. In a container the path may
 * be one of the host's; then only the mounted folder itself is there. */
static void cgroup_walk(struct headroom *h, const struct cgroup_files *c, const char *root,
                        const char *group)
{
    struct text folder = { 0 };
    text_addf(&folder, "%s/%s%s", root, c->mount, group);
    size_t top = strlen(root) + 1 + strlen(c->mount);
    for (;;) {
        cgroup_one(h, c, folder.s);
        char *slash = strrchr(folder.s, '/');
        if (!slash || (size_t)(slash - folder.s) < top) break;
        *slash = 0;
    }
    text_clear(&folder);
}

/* Lines "0::/path" of version 2 and "4:memory:/path" of version 1. */
static void cgroups(struct headroom *h, const char *root)
{
    char line[4096];
    FILE *f = open_in(root, "proc/self/cgroup");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        if (!second) continue;
        *second = 0;
        const char *group = strcmp(second + 1, "/") == 0 ? "" : second + 1;
        if (!first[1])
            cgroup_walk(h, &cgroup_v2, root, group);
        else if (strstr(first + 1, "memory"))
            cgroup_walk(h, &cgroup_v1, root, group);
    }
    if (f) fclose(f);
}

static void resource(struct headroom *h, const struct rlimit *r, uint64_t used, const char *by)
{
    uint64_t reserved = RESERVED_ALWAYS + RESERVED_THREAD * (uint64_t)parallel_threads();
    if (r->rlim_cur == RLIM_INFINITY) return;
    limit_lower(&h->own, left_of((uint64_t)r->rlim_cur, used + reserved), by);
}

/* statm: pages of address space, resident, shared, code, 0, data and stack. */
static void resources(struct headroom *h, const char *root)
{
    unsigned long long space = 0, data = 0;
    struct rlimit r;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    FILE *f = open_in(root, "proc/self/statm");
    if (f && fscanf(f, "%llu %*u %*u %*u %*u %llu", &space, &data) != 2) space = data = 0;
    if (f) fclose(f);
    if (getrlimit(RLIMIT_AS, &r) == 0) resource(h, &r, space * page, "ulimit -v");
    if (getrlimit(RLIMIT_DATA, &r) == 0) resource(h, &r, data * page, "ulimit -d");
}

void headroom_read(struct headroom *h, const char *root)
{
    uint64_t kib;
    *h = (struct headroom){ { UINT64_MAX, "" }, { UINT64_MAX, "" } };
    if (number_in(root, "proc/meminfo", "MemAvailable:", &kib))
        limit_lower(&h->all, 1024 * kib, "MemAvailable of this machine");
    cgroups(h, root);
    resources(h, root);
}

uint64_t headroom_one(const struct headroom *h)
{
    return h->own.bytes < h->all.bytes ? h->own.bytes : h->all.bytes;
}

const char *headroom_one_by(const struct headroom *h)
{
    return h->own.bytes < h->all.bytes ? h->own.by : h->all.by;
}
