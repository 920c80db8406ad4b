/* The list of kinds of picture files. Photographs are met under wrong names (one of ImageNet's
 * .JPEG files is a PNG file), so that the contents decide. */
#include "core/data/picture.h"
#include <string.h>

static const struct picture_kind *const kinds[] = {
#define PICTURE(name) &picture_##name,
#include "core/data/pictures.def"
#undef PICTURE
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool kind_named(const struct picture_kind *k, const char *name)
{
    const char *dot = strrchr(name, '.');
    for (const char *const *s = k->suffixes; dot && *s; s++)
        if (!strcasecmp(dot, *s)) return true;
    return false;
}

bool picture_named(const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (kind_named(kinds[i], name)) return true;
    return false;
}

static bool kind_begins(const struct picture_kind *k, const struct bytes *file)
{
    size_t n = strlen(k->signature);
    return file->len >= n && !memcmp(file->data, k->signature, n);
}

bool picture_decode(const struct picture_request *p, uint8_t *rgb, struct err *e)
{
    const struct picture_kind *k = kinds[0];
    if (!p->file->len) return err_set(e, "%s: the file is empty", p->path);
    for (int i = 0; i < KINDS; i++)
        if (kind_named(kinds[i], p->path)) k = kinds[i];
    for (int i = 0; i < KINDS; i++)
        if (kind_begins(kinds[i], p->file)) k = kinds[i];
    return k->decode(p, rgb, e);
}
