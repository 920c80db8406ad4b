#ifndef CORE_DATA_RESAMPLE_H
#define CORE_DATA_RESAMPLE_H
#include <stdint.h>

/* Bilinear resizing of a window of an RGB image to size x size, row by row as the rows arrive. The
 * triangle is as wide as a pixel of the larger raster, so that it averages where it shrinks: the
 * antialiased bilinear filter of Pillow and torchvision. */
struct image_part {
    double y, x, height, width; /* in pixels of the source */
};
struct resample;

struct resample *resample_create(int height, int width, const struct image_part *w, int size);
void resample_row(struct resample *r, int y, const uint8_t *rgb); /* rows in order, each once */
void resample_end(struct resample *r, uint8_t *out);              /* writes size x size x 3 */
void resample_destroy(struct resample *r);
#endif
