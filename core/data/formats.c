/* The list of formats, and opening a data set by one of them. */
#include "core/data/data.h"
#include <string.h>

const struct data_format *const formats[] = {
#define FORMAT(name) &format_##name,
#include "core/data/formats.def"
#undef FORMAT
    NULL,
};

const struct data_format *format_named(const char *name)
{
    for (const struct data_format *const *f = formats; *f; f++)
        if (!strcmp((*f)->name, name)) return *f;
    return NULL;
}

bool dataset_open(struct dataset *d, const struct data_format *f, const char *path,
                  const void *settings, int size, struct err *e)
{
    *d = (struct dataset){ .format = f };
    if (f->open(d, path ? path : f->default_path, settings, size, e)) return true;
    dataset_close(d);
    return false;
}

void dataset_close(struct dataset *d)
{
    if (d->format) d->format->close(d);
    *d = (struct dataset){ .format = NULL };
}
