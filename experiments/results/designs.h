#ifndef EXPERIMENTS_RESULTS_DESIGNS_H
#define EXPERIMENTS_RESULTS_DESIGNS_H
#include "core/base/digest.h"
#include "core/base/err.h"
#include "core/base/text.h"

/* The designs that were run in a results folder. Each is designs/DIGEST.json, named by the digest
 * of its bytes: no process writes over another's, and an edited one is noticed. Two small files
 * beside them hold a digest each: designs/newest, of the design that was run last, and
 * designs/main, of the one that table.md and table.csv are made from. A folder of an earlier
 * version of the program has its one design in experiment.json. */
struct design_file {
    char digest[DIGEST_TEXT];
    bool early; /* it is experiment.json */
};
struct designs {
    struct design_file *all; /* by digest */
    int n, newest, main;     /* indexes; -1: not known */
};

/* A folder that holds none is no error. */
bool designs_read(const char *dir, struct designs *d, struct err *e);
void designs_clear(struct designs *d);
void design_file_path(const char *dir, const struct design_file *f, struct text *path);

/* The design that `name` means: the first letters of its digest, "main" or "newest"; NULL: the
 * newest. -1 with e filled where that is none, or several. */
int designs_choose(const struct designs *d, const char *dir, const char *name, struct err *e);

/* Until the descriptor is closed, no other process begins to run a design in the folder, or takes
 * anything out of it. Returns as lock_take does. */
int designs_lock(const char *dir, bool wait, struct err *e);

/* The bytes of the design's file, checked against its name. */
struct bytes;
bool design_file_read(const char *dir, const struct design_file *f, struct bytes *b, struct err *e);

/* All under the lock: */
bool designs_adopt_early(const char *dir, struct err *e); /* experiment.json becomes one of many */
bool designs_put(const char *dir, const struct text *json, char digest[DIGEST_TEXT],
                 struct err *e); /* writes the design, which is the newest from now on */
bool designs_set_newest(const char *dir, const char *digest, struct err *e);
bool designs_set_main(const char *dir, const char *digest, struct err *e);
#endif
