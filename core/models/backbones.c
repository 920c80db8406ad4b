/* The networks that have a name: those of every family. */
#include "core/models/model.h"
#include <string.h>

static const struct model_family *const families[] = {
#define MODEL(name) &family_##name,
#include "core/models/models.def"
#undef MODEL
    NULL,
};

const struct model_family *family_at(int i)
{
    return i < (int)(sizeof families / sizeof *families) ? families[i] : NULL;
}

enum { PREFIX_LEN = sizeof SE_PREFIX - 1, NAMES = 512 };

/* The i-th of those with se- or of those without. */
static const struct backbone *backbone_of(bool se, int i)
{
    for (const struct model_family *const *f = families; *f; f++)
        for (const struct backbone *b = (*f)->backbones; b->name; b++)
            if (b->se == se && i-- == 0) return b;
    return NULL;
}

static bool has_prefix(const char *name) { return strncmp(name, SE_PREFIX, PREFIX_LEN) == 0; }

const struct backbone *backbone_at(int i) { return backbone_of(false, i); }

const struct backbone *backbone_named(const char *name)
{
    const struct backbone *b;
    bool se = has_prefix(name);
    for (int i = 0; (b = backbone_of(se, i)); i++)
        if (strcmp(b->name, name) == 0) return b;
    return NULL;
}

const char *backbone_nearest(const char *name)
{
    const char *names[NAMES];
    const struct backbone *b;
    size_t n = 0;
    bool se = has_prefix(name);
    while (n < NAMES && (b = backbone_of(se, (int)n))) names[n++] = b->name;
    return text_nearest(name, names, n);
}

void backbone_built(const struct backbone *b, const struct se_settings *se, struct text *name)
{
    text_addf(name, "%s%s", se_any(se) ? SE_PREFIX : "", b->name + (b->se ? PREFIX_LEN : 0));
}

void backbone_title(const struct backbone *b, const struct se_settings *se, struct text *title)
{
    backbone_built(b, se, title);
    if (!se_any(se)) return;
    text_add(title, " (");
    se_text(se, title);
    text_add(title, ")");
}
