#ifndef CORE_DATA_PICTURE_H
#define CORE_DATA_PICTURE_H
#include "core/base/file.h"
#include "core/data/data.h"

/* A picture file to be decoded into size x size x 3 (RGB), whatever it holds and of whatever shape.
 * crop NULL: an image of size x size as it is; a photograph with its shorter side resized to size *
 * 256 / 224 (or to size, where it is not larger than that) and its centre cut out. The camera's
 * orientation mark is not looked at, which is how the field's tools read their training data. */
struct picture_request {
    const struct bytes *file;
    const char *path; /* for messages */
    int size;
    const struct data_crop *crop;
};

/* One kind of picture file; core/data/NAME.c, and a line in pictures.def. */
struct picture_kind {
    const char *suffixes[3]; /* ".jpg"; NULL past the last */
    const char *signature;   /* what its files begin with */
    bool (*decode)(const struct picture_request *p, uint8_t *rgb, struct err *e); /* thread-safe */
};
#define PICTURE(name) extern const struct picture_kind picture_##name;
#include "core/data/pictures.def"
#undef PICTURE

/* More pixels than any photograph has: a bound on what a small hostile file may ask for. */
enum { PICTURE_PIXELS_MAX = 1 << 27, PICTURE_SIDE_MAX = 65500 };
#define PICTURE_TOO_LARGE "more than 134 million pixels"

/* Does a file of this name count as a picture? */
bool picture_named(const char *name);

/* By what the file holds; where that is none of the kinds, its name says what it should be. */
bool picture_decode(const struct picture_request *p, uint8_t *rgb, struct err *e);

/* "not a sound PNG image": fills e and returns false. */
static inline bool picture_unsound(const struct picture_request *p, const char *kind,
                                   const char *why, struct err *e)
{
    return err_set(e, "%s: not a sound %s image: %s (the file is %zu bytes long)", p->path, kind,
                   why, p->file->len);
}
#endif
