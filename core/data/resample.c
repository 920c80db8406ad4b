/* Separable resizing; see resample.h. A row is resized across as it arrives and then added into
 * each output row that it takes part in, so that no more than the output is ever held. */
#include "core/data/resample.h"
#include "core/base/mem.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* For each output pixel of one axis: the source pixels first .. first + count - 1 and their
 * weights, which add up to 1. */
struct axis {
    int out, room;
    int *first, *count;
    float *weight; /* out x room */
};

struct resample {
    int size;
    struct axis across, down;
    float *row; /* size x 3, of the row that arrived */
    float *sum; /* size x size x 3 */
};

static void axis_weights(struct axis *a, int i, double center, double width)
{
    float *w = a->weight + (size_t)i * (size_t)a->room;
    double total = 0;
    for (int k = 0; k < a->count[i]; k++) {
        double t = 1 - fabs((a->first[i] + k + 0.5 - center) / width);
        w[k] = (float)(t > 0 ? t : 0);
        total += w[k];
    }
    for (int k = 0; k < a->count[i]; k++) w[k] = (float)(w[k] / total);
}

static struct axis axis_create(int in, double begin, double length, int out)
{
    double scale = length / out, width = scale > 1 ? scale : 1;
    struct axis a = { .out = out, .room = (int)ceil(width) * 2 + 1 };
    a.first = mem_new((size_t)out, sizeof *a.first);
    a.count = mem_new((size_t)out, sizeof *a.count);
    a.weight = mem_new((size_t)out * (size_t)a.room, sizeof *a.weight);
    for (int i = 0; i < out; i++) {
        double center = begin + (i + 0.5) * scale;
        int first = (int)floor(center - width + 0.5), end = (int)floor(center + width + 0.5);
        a.first[i] = first < 0 ? 0 : first > in - 1 ? in - 1 : first;
        a.count[i] = (end > in ? in : end) - a.first[i];
        if (a.count[i] < 1) a.count[i] = 1;
        axis_weights(&a, i, center, width);
    }
    return a;
}

static void axis_clear(struct axis *a)
{
    free(a->first);
    free(a->count);
    free(a->weight);
}

struct resample *resample_create(int height, int width, const struct image_part *w, int size)
{
    struct resample *r = mem_new(1, sizeof *r);
    size_t side = (size_t)size;
    r->size = size;
    r->across = axis_create(width, w->x, w->width, size);
    r->down = axis_create(height, w->y, w->height, size);
    r->row = mem_new(side * 3, sizeof *r->row);
    r->sum = mem_new(side * side * 3, sizeof *r->sum);
    return r;
}

static void row_across(struct resample *r, const uint8_t *rgb)
{
    const struct axis *a = &r->across;
    for (int i = 0; i < r->size; i++) {
        const float *w = a->weight + (size_t)i * (size_t)a->room;
        const uint8_t *from = rgb + (size_t)a->first[i] * 3;
        float sum[3] = { 0, 0, 0 };
        for (int k = 0; k < a->count[i]; k++, from += 3)
            for (int c = 0; c < 3; c++) sum[c] += w[k] * from[c];
        for (int c = 0; c < 3; c++) r->row[3 * i + c] = sum[c];
    }
}

void resample_row(struct resample *r, int y, const uint8_t *rgb)
{
    const struct axis *a = &r->down;
    bool wanted = false;
    for (int i = 0; i < r->size; i++) {
        int k = y - a->first[i];
        if (k < 0 || k >= a->count[i]) continue;
        if (!wanted) row_across(r, rgb);
        wanted = true;
        float w = a->weight[(size_t)i * (size_t)a->room + (size_t)k];
        float *sum = r->sum + (size_t)i * (size_t)r->size * 3;
        for (int x = 0; x < r->size * 3; x++) sum[x] += w * r->row[x];
    }
}

void resample_end(struct resample *r, uint8_t *out)
{
    for (int i = 0; i < r->size * r->size * 3; i++) {
        float v = r->sum[i] + 0.5f;
        out[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

void resample_destroy(struct resample *r)
{
    if (!r) return;
    axis_clear(&r->across);
    axis_clear(&r->down);
    free(r->row);
    free(r->sum);
    free(r);
}
