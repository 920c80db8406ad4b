/* The registry of table formats. */
#include "experiments/export/writer.h"
#include <string.h>

const struct writer *const writers[] = {
#define WRITER(name) &writer_##name,
#include "experiments/export/writers.def"
#undef WRITER
    NULL
};
enum { WRITERS = sizeof writers / sizeof *writers - 1 };

const struct writer *writer_named(const char *name)
{
    for (const struct writer *const *w = writers; *w; w++)
        if (strcmp((*w)->name, name) == 0) return *w;
    return NULL;
}

const char *writer_nearest(const char *name)
{
    const char *names[WRITERS];
    for (int i = 0; i < WRITERS; i++) names[i] = writers[i]->name;
    return text_nearest(name, names, WRITERS);
}
