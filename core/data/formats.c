/* The list of formats, and opening a data set by one of them. */
#include "core/base/file.h"
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

bool dataset_open(struct dataset *d, const struct data_source *from, struct err *e)
{
    const struct data_format *f = from->format;
    const char *path = from->path ? from->path : f->default_path;
    *d = (struct dataset){ .format = f, .notes = from->notes };
    bool there = f->made_up || (path && file_exists(path));
    bool good =
        (there || data_absent(f, path, "", e)) && f->open(d, path, from->settings, from->size, e);
    d->notes = NULL;
    if (!good) dataset_close(d);
    return good;
}

void dataset_close(struct dataset *d)
{
    if (d->format) d->format->close(d);
    *d = (struct dataset){ .format = NULL };
}
