#ifndef TESTS_FUZZ_PICTURE_H
#define TESTS_FUZZ_PICTURE_H
#include "core/data/picture.h"
#include <stdlib.h>
#include <string.h>

/* Decodes a picture of some kind. Input: a byte (bits 0-4: the size, 8 and more; bit 5: a window is
 * drawn), two bytes for the window's area and aspect, then the file. */
enum { FUZZ_PICTURE_HEAD = 3 };

static inline void fuzz_picture(const uint8_t *bytes, size_t len, const char *path)
{
    int size = 8 + (bytes[0] & 31);
    struct data_crop crop = { .aspect_min = 0.75, .aspect_max = 4 / 3.0 };
    for (int i = 0; i < CROP_TRIES; i++)
        crop.tries[i] = (struct crop_window){ (bytes[1] + 1) / 256.0, 0.75 + bytes[2] / 440.0,
                                              bytes[1] / 256.0, bytes[2] / 256.0 };
    len -= FUZZ_PICTURE_HEAD;
    struct bytes file = { malloc(len + 1), len }; /* of its own, so that overruns are seen */
    struct err e = { .text = "" };
    uint8_t *rgb = mem_new((size_t)size * (size_t)size, 3);
    if (len) memcpy(file.data, bytes + FUZZ_PICTURE_HEAD, len);
    const struct picture_request p = { &file, path, size, bytes[0] & 32 ? &crop : NULL };
    if (!picture_decode(&p, rgb, &e) && !e.text[0]) abort();
    free(rgb);
    free(file.data);
}
#endif
