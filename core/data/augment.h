#ifndef CORE_DATA_AUGMENT_H
#define CORE_DATA_AUGMENT_H
#include "core/base/fields.h"
#include "core/base/rng.h"
#include "core/data/data.h"

/* What is done to a training image before the network sees it (section `augment`), in this order.
 */
struct augment_settings {
    bool random_resized_crop; /* GoogLeNet's: area and aspect drawn, photographs only */
    double area_min;          /* smallest share of the area, 0.08 in the paper's recipe */
    int crop_padding;         /* pad by this many pixels, crop back at a random place; 0: off */
    int crop_fill; /* CHOICE: zero, reflect (zero = the mean colour, i.e. 0 after normalisation) */
    bool flip;     /* left-right, with probability 1/2 */
    int cutout;    /* side of a square set to zero (DeVries & Taylor 2017); 0: off */
};
extern const struct field augment_fields[];

/* Refuses what cannot be done to images of this format and size: a window of photographs where
 * there are none, a padding or cutout larger than the image. The loader asks too. */
bool augment_check(const struct augment_settings *a, const struct data_format *f, int size,
                   struct err *e);

/* Draws everything for one sample from its own stream (seed, epoch, index) and writes normalised
 * floats (size x size x channels). Deterministic, whatever thread calls it. */
bool augment_sample(float *out, const struct dataset *d, enum data_part part, uint32_t index,
                    const struct augment_settings *a, const float mean[4], const float sd[4],
                    struct rng *r, struct err *e);

/* The same without augmentation. */
bool plain_sample(float *out, const struct dataset *d, enum data_part part, uint32_t index,
                  const float mean[4], const float sd[4], struct err *e);
#endif
