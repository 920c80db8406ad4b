#ifndef EXPERIMENTS_EXPORT_WRITER_H
#define EXPERIMENTS_EXPORT_WRITER_H
#include "experiments/table/table.h"

/* A format: experiments/export/NAME.c. */
struct writer {
    const char *name;   /* --format NAME */
    const char *suffix; /* of the file */
    const char *meaning;
    void (*write)(struct text *out, const struct table *t, const struct results *r);
};
#define WRITER(name) extern const struct writer writer_##name;
#include "experiments/export/writers.def"
#undef WRITER
extern const struct writer *const writers[]; /* NULL past the last */
const struct writer *writer_named(const char *name);
const char *writer_nearest(const char *name); /* what name is a misspelling of, or NULL */
#endif
