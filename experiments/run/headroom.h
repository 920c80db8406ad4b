#ifndef EXPERIMENTS_RUN_HEADROOM_H
#define EXPERIMENTS_RUN_HEADROOM_H
#include <stdint.h>

/* Memory that can still be had, and what sets the limit. bytes: UINT64_MAX where nothing does. */
struct limit {
    uint64_t bytes;
    const char *by; /* "memory.max of /sys/fs/cgroup": a static text */
};
struct headroom {
    struct limit all; /* by all processes together: the machine, control groups */
    struct limit own; /* by this process, and as much again by each that it forks: ulimit */
};

/* root: "" for this machine; a folder with proc/ and sys/ for tests. */
void headroom_read(struct headroom *h, const char *root);

/* What one process can have, and why not more. */
uint64_t headroom_one(const struct headroom *h);
const char *headroom_one_by(const struct headroom *h);
#endif
