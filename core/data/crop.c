#include "core/data/crop.h"
#include <math.h>
#include <string.h>

/* The first drawn window that fits, rounded to whole pixels. */
static struct image_part window_drawn(const struct data_crop *crop, double height, double width)
{
    for (int i = 0; i < CROP_TRIES; i++) {
        const struct crop_window *t = &crop->tries[i];
        double w = round(sqrt(height * width * t->area * t->aspect));
        double h = round(sqrt(height * width * t->area / t->aspect));
        if (w < 1 || h < 1 || w > width || h > height) continue;
        return (struct image_part){ floor(t->y * (height - h + 1)), floor(t->x * (width - w + 1)),
                                    h, w };
    }
    double aspect = width / height, h = height, w = width;
    if (aspect < crop->aspect_min) h = fmax(1, round(width / crop->aspect_min));
    if (aspect > crop->aspect_max) w = fmax(1, round(height * crop->aspect_max));
    return (struct image_part){ floor((height - h) / 2), floor((width - w) / 2), h, w };
}

static struct image_part window_centre(int size, double height, double width)
{
    double shorter = height < width ? height : width;
    if (shorter > size) shorter *= size / round(size * 256.0 / 224);
    return (struct image_part){ (height - shorter) / 2, (width - shorter) / 2, shorter, shorter };
}

void crop_choose(struct crop *c, const struct picture_request *p, uint8_t *rgb, int height,
                 int width)
{
    c->rgb = rgb;
    c->size = p->size;
    c->as_is = !p->crop && width == p->size && height == p->size;
    c->window =
        p->crop ? window_drawn(p->crop, height, width) : window_centre(p->size, height, width);
}

void crop_begin(struct crop *c, int height, int width)
{
    if (!c->as_is) c->resample = resample_create(height, width, &c->window, c->size);
}

void crop_row(struct crop *c, int y, const uint8_t *line)
{
    const size_t row = (size_t)c->size * 3;
    if (c->as_is)
        memcpy(c->rgb + (size_t)y * row, line, row);
    else
        resample_row(c->resample, y, line);
}

void crop_end(struct crop *c)
{
    if (!c->as_is) resample_end(c->resample, c->rgb);
}

void crop_clear(struct crop *c)
{
    resample_destroy(c->resample);
    c->resample = NULL;
}
