/* From the pixels of a sample to the network's input. Every draw of a sample comes from one stream
 * in one order, and all are made whether or not they are used: turning an option on moves no other.
 */
#include "core/data/augment.h"
#include "core/base/elementary.h"
#include <stdlib.h>

enum { FILL_ZERO, FILL_REFLECT };
static const char *const fill_names[] = { "zero", "reflect", NULL };

static bool padding_applies(const void *of)
{
    const struct augment_settings *a = of;
    return a->crop_padding > 0;
}
static bool window_applies(const void *of)
{
    const struct augment_settings *a = of;
    return a->random_resized_crop;
}

const struct field augment_fields[] = {
    BOOL(augment_settings, random_resized_crop, 0,
         "a window of random area and aspect (3/4 to 4/3), photographs only"),
    REAL(augment_settings, area_min, 0.08, 0.0001, 1,
         "smallest share of the photograph's area in the window", .applies = window_applies),
    INT(augment_settings, crop_padding, 0, 0, 1024,
        "pad by so many pixels on every side and crop back at a random place; 0: off"),
    CHOICE(augment_settings, crop_fill, fill_names, FILL_ZERO,
           "what the padding holds: the mean colour (0 after normalisation), or the image mirrored",
           .applies = padding_applies),
    BOOL(augment_settings, flip, 0, "mirror left and right with probability 1/2"),
    INT(augment_settings, cutout, 0, 0, 4096,
        "side of a square set to 0 at a random place, in pixels; 0: off"),
    FIELDS_END,
};

bool augment_check(const struct augment_settings *a, const struct data_format *f, int size,
                   struct err *e)
{
    if (a->random_resized_crop && f->natural_size)
        return err_set(
            e,
            "augment.random_resized_crop: dataset %s has images of a fixed size; it is for "
            "photographs (dataset.name: images)",
            f->name);
    if (a->crop_padding >= size)
        return err_set(e, "augment.crop_padding: %d is not less than the image's side, %d",
                       a->crop_padding, size);
    if (a->cutout > size)
        return err_set(e, "augment.cutout: %d is more than the image's side, %d", a->cutout, size);
    return true;
}

/* Where the pixels of one input come from. */
struct placement {
    int dy, dx;            /* input (y, x) shows the image's (y + dy, x + dx) */
    bool flip;             /* then mirrored */
    bool reflect;          /* fill */
    int cut_y, cut_x, cut; /* square of zeros, may reach over the border */
};

struct pixels {
    const uint8_t *from;
    float *out;
    int size, channels;
    const float *mean, *sd;
};

/* -1 is 1, size is size - 2: the border pixel itself is not repeated. */
static int reflected(int i, int size)
{
    if (i < 0) i = -i;
    return i < size ? i : 2 * (size - 1) - i;
}

static void row_normalise(const struct pixels *p, const struct placement *at, int y)
{
    const int size = p->size, channels = p->channels;
    float *out = p->out + (size_t)y * (size_t)(size * channels);
    int sy = y + at->dy;
    if (at->reflect) sy = reflected(sy, size);
    for (int x = 0; x < size; x++, out += channels) {
        int sx = (at->flip ? size - 1 - x : x) + at->dx;
        if (at->reflect) sx = reflected(sx, size);
        bool cut =
            y >= at->cut_y && y < at->cut_y + at->cut && x >= at->cut_x && x < at->cut_x + at->cut;
        bool outside = sy < 0 || sy >= size || sx < 0 || sx >= size;
        const uint8_t *from = outside ? NULL : p->from + (sy * size + sx) * channels;
        for (int c = 0; c < channels; c++)
            out[c] = cut || outside ? 0 : ((float)from[c] / 255 - p->mean[c]) / p->sd[c];
    }
}

struct sample {
    const struct dataset *d;
    enum data_part part;
    uint32_t index;
    const struct data_crop *crop;
};

static bool sample_write(float *out, const struct sample *s, const struct placement *at,
                         const float mean[4], const float sd[4], struct err *e)
{
    const struct dataset *d = s->d;
    uint8_t *pixels = mem_new((size_t)d->size * (size_t)d->size, (size_t)d->channels);
    bool good = d->format->read(d, s->part, s->index, s->crop, pixels, e);
    struct pixels p = { pixels, out, d->size, d->channels, mean, sd };
    for (int y = 0; good && y < d->size; y++) row_normalise(&p, at, y);
    free(pixels);
    return good;
}

/* The windows of GoogLeNet's augmentation as torchvision draws them: area uniform, aspect
 * log-uniform, ten tries. */
static void crop_draw(struct data_crop *crop, double area_min, struct rng *r)
{
    crop->aspect_min = 3.0 / 4;
    crop->aspect_max = 4.0 / 3;
    const double low = elementary_log(crop->aspect_min), high = elementary_log(crop->aspect_max);
    for (int i = 0; i < CROP_TRIES; i++) {
        struct crop_window *w = &crop->tries[i];
        w->area = area_min + (1 - area_min) * rng_uniform(r);
        w->aspect = elementary_exp(low + (high - low) * rng_uniform(r));
        w->y = rng_uniform(r);
        w->x = rng_uniform(r);
    }
}

static int draw_below(struct rng *r, int n) { return (int)(rng_uniform(r) * n); }

bool augment_sample(float *out, const struct dataset *d, enum data_part part, uint32_t index,
                    const struct augment_settings *a, const float mean[4], const float sd[4],
                    struct rng *r, struct err *e)
{
    if (!augment_check(a, d->format, d->size, e)) return false;
    struct placement at = { .reflect = a->crop_fill == FILL_REFLECT, .cut = a->cutout };
    at.flip = rng_uniform(r) < 0.5 && a->flip;
    at.dy = draw_below(r, 2 * a->crop_padding + 1) - a->crop_padding;
    at.dx = draw_below(r, 2 * a->crop_padding + 1) - a->crop_padding;
    at.cut_y = draw_below(r, d->size) - a->cutout / 2;
    at.cut_x = draw_below(r, d->size) - a->cutout / 2;
    struct data_crop crop;
    crop_draw(&crop, a->area_min, r);
    struct sample s = { d, part, index, a->random_resized_crop ? &crop : NULL };
    return sample_write(out, &s, &at, mean, sd, e);
}

bool plain_sample(float *out, const struct dataset *d, enum data_part part, uint32_t index,
                  const float mean[4], const float sd[4], struct err *e)
{
    struct sample s = { d, part, index, NULL };
    struct placement at = { .dy = 0 };
    return sample_write(out, &s, &at, mean, sd, e);
}
