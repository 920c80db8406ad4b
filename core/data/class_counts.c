#include "core/data/class_counts.h"
#include "core/base/mem.h"
#include <stdio.h>
#include <stdlib.h>

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
