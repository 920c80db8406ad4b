#ifndef CORE_DATA_CROP_H
#define CORE_DATA_CROP_H
#include "core/data/picture.h"
#include "core/data/resample.h"

/* What of a picture is looked at, and how its rows become size x size pixels. A decoder chooses,
 * begins once it knows what raster will come, hands over the rows in order and ends. */
struct crop {
    uint8_t *rgb; /* size x size x 3 */
    int size;
    struct image_part window; /* in pixels of the file */
    bool as_is;               /* the picture has the size already: rows are copied */
    struct resample *resample;
};

/* Of a picture of height x width in its file. */
void crop_choose(struct crop *c, const struct picture_request *p, uint8_t *rgb, int height,
                 int width);
/* The raster is height x width: the picture, or what a decoder shrank it to with the window. */
void crop_begin(struct crop *c, int height, int width);
void crop_row(struct crop *c, int y, const uint8_t *line); /* RGB */
void crop_end(struct crop *c);
void crop_clear(struct crop *c); /* at any time */
#endif
