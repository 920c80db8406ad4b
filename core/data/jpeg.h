#ifndef CORE_DATA_JPEG_H
#define CORE_DATA_JPEG_H
#include "core/base/file.h"
#include "core/data/data.h"

/* Decodes a JPEG file's bytes into size x size x 3 (RGB), whatever it holds: grey, YCbCr, RGB, CMYK
 * or YCCK, of any shape. crop NULL: an image of size x size as it is; a photograph with its shorter
 * side resized to size * 256 / 224 (or to size, where it is not larger than that) and its centre
 * cut out. The camera's orientation mark is not looked at, which is how the field's tools read
 * their training data. path is for messages. Thread-safe. */
bool jpeg_decode(uint8_t *rgb, int size, const struct bytes *file, const char *path,
                 const struct data_crop *crop, struct err *e);
#endif
