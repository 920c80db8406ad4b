/* The list of formats, and opening a data set by one of them. */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/data/data.h"
#include <stdio.h>
#include <stdlib.h>
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

bool classes_agree(const struct class_counts *c, const char *where, struct err *e)
{
    char number[16];
    for (int k = 0; k < c->classes; k++) {
        const bool train = c->seen[DATA_TRAIN][k], test = c->seen[DATA_TEST][k];
        if (train == test) continue;
        snprintf(number, sizeof number, "%d", k);
        return err_set(e,
                       "%s: class %s has images to %s on, but none to %s on; add some, or take it "
                       "out of both parts",
                       where, c->names ? c->names[k] : number, train ? "train" : "test",
                       train ? "test" : "train");
    }
    return true;
}

bool labels_agree(const struct dataset *d, const char *where, struct err *e)
{
    uint32_t *seen = mem_new(DATA_PARTS * (size_t)d->classes, sizeof *seen), *test;
    test = seen + d->classes;
    for (uint32_t i = 0; i < d->count[DATA_TRAIN]; i++) seen[d->labels[DATA_TRAIN][i]]++;
    for (uint32_t i = 0; i < d->count[DATA_TEST]; i++) test[d->labels[DATA_TEST][i]]++;
    const struct class_counts c = { { seen, test }, d->classes, d->class_names };
    const bool agree = classes_agree(&c, where, e);
    free(seen);
    return agree;
}

bool data_absent(const struct data_format *f, const char *path, const char *more, struct err *e)
{
    return err_set(e, "%s%s; to get the data: %s%s", path ? path : "dataset.path",
                   path ? ": no such folder" : " must name a folder", f->source, more);
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
