/* The networks that have a name: those of every family. */
#include "core/models/model.h"
#include <string.h>

static const struct model_family *const families[] = {
#define MODEL(name) &family_##name,
#include "core/models/models.def"
#undef MODEL
    NULL,
};

const struct backbone *backbone_at(int i)
{
    for (const struct model_family *const *f = families; *f; f++)
        for (const struct backbone *b = (*f)->backbones; b->name; b++)
            if (i-- == 0) return b;
    return NULL;
}

const struct backbone *backbone_named(const char *name)
{
    const struct backbone *b;
    for (int i = 0; (b = backbone_at(i)); i++)
        if (strcmp(b->name, name) == 0) return b;
    return NULL;
}
