#ifndef EXPERIMENTS_RUN_PRUNE_H
#define EXPERIMENTS_RUN_PRUNE_H
#include "experiments/results/results.h"

/* What may go from a results folder: records that no design names, with their folders; checkpoints
 * of completed runs; temporary files that killed processes left; and a design that is named, with
 * its tables. */
enum prune_kind { PRUNE_DESIGN, PRUNE_RUN, PRUNE_CHECKPOINT, PRUNE_TEMPORARY };
const char *prune_kind_name(enum prune_kind k);

struct prune_item {
    enum prune_kind kind;
    const char *path;  /* below the folder: of a run, a file, or of the files of a design */
    const char *id;    /* of the run whose lock guards it; NULL: none does */
    const char *about; /* "reduction=4 seed 1, completed", or empty */
    uint64_t bytes;
    bool busy; /* a process is at work on the run: it stays */
};

struct prune {
    char *dir;
    struct prune_item *items;
    int n;
    struct pool pool;
};

/* design: to go as well, as designs_choose takes it; NULL: none. False with e filled where the
 * folder holds no design, or where one is damaged: whose its records are is then not known. */
bool prune_find(const char *dir, const char *design, struct prune *p, struct err *e);

/* Removes what is not busy, under designs_lock. */
bool prune_remove(struct prune *p, struct err *e);
void prune_clear(struct prune *p);
#endif
