/* The registry of table formats. */
#include "experiments/export/writer.h"
#include <string.h>

const struct writer *const writers[] = {
#define WRITER(name) &writer_##name,
#include "experiments/export/writers.def"
#undef WRITER
    NULL
};

const struct writer *writer_named(const char *name)
{
    for (const struct writer *const *w = writers; *w; w++)
        if (strcmp((*w)->name, name) == 0) return *w;
    return NULL;
}
