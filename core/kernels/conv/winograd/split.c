/* How tiles of images are cut into blocks, and the blocks' pixels split into cells. */
#include "core/kernels/conv/winograd/split.h"
#include <string.h>

struct winograd_cut winograd_cut(int n, int rows, int cols, int most)
{
    struct winograd_cut c = { .n = n, .row_blocks = 1 };
    c.tile_rows = direct_div_up(rows, WINOGRAD_OUT);
    c.tile_cols = direct_div_up(cols, WINOGRAD_OUT);
    const int each = c.tile_rows * c.tile_cols, fit = direct_max(1, most / each);
    c.images = direct_div_up(n, direct_div_up(n, fit));
    if (each > most) c.row_blocks = direct_div_up(c.tile_rows, direct_max(1, most / c.tile_cols));
    c.block_rows = direct_div_up(c.tile_rows, c.row_blocks);
    c.row_blocks = direct_div_up(c.tile_rows, c.block_rows);
    c.blocks = direct_div_up(n, c.images) * c.row_blocks;
    return c;
}

struct winograd_block winograd_block(const struct winograd_cut *c, int i)
{
    struct winograd_block b = { .image = i / c->row_blocks * c->images,
                                .row = i % c->row_blocks * c->block_rows };
    b.images = direct_min(c->images, c->n - b.image);
    b.rows = direct_min(c->block_rows, c->tile_rows - b.row);
    b.tiles = b.images * b.rows * c->tile_cols;
    return b;
}

/* Whether tiles can be read where they stand: floats, and columns cut without a rest. */
static bool stands(const struct winograd_source *s)
{
    return s->size == WINOGRAD_OUT && s->w % WINOGRAD_OUT == 0 && s->pad_top == 0 &&
           s->pad_left == 0 && !s->is_bf16 && !s->scale;
}

static int window_cols(const struct winograd_cut *c, const struct winograd_source *s)
{
    return (c->tile_cols - 1) * WINOGRAD_OUT + s->size;
}

static ptrdiff_t window_row(const struct winograd_cut *c, const struct winograd_source *s)
{
    return stands(s) ? (WINOGRAD_OUT - 1) * (ptrdiff_t)s->c + s->channels
                     : window_cols(c, s) * winograd_pitch(s->channels);
}

size_t winograd_window(const struct winograd_cut *c, const struct winograd_source *s)
{
    return (size_t)((stands(s) ? 1 : s->size) * window_row(c, s));
}

/* Row y of an image as its tiles see it, from column -pad_left on, with zeros around the image. */
static void window_copy(const struct winograd_cut *c, const struct winograd_source *s, int image,
                        int y, float *row)
{
    const ptrdiff_t at = (ptrdiff_t)image * s->h * s->w * s->c;
    direct_window_copy(
        &(struct direct_window){
            .isa = s->isa,
            .kind = s->is_bf16 ? DIRECT_WIDEN : DIRECT_FLOATS,
            .x = (const char *)s->x + direct_bytes(s->is_bf16, at),
            .h = s->h,
            .w = s->w,
            .c = s->c,
            .row = y,
            .col = -s->pad_left,
            .rows = 1,
            .cols = window_cols(c, s),
            .step = 1,
            .from = s->from,
            .channels = s->channels,
            .pixel = winograd_pitch(s->channels),
            .scale = s->scale,
            .shift = s->shift,
            .cap = s->cap,
        },
        row);
}

/* The rows that a row of tiles sees: where they stand, or copies. Neighbouring rows of tiles share
 * rows, which stay in the window: row y is in its y % size th. Above: the tiles before these were
 * those of the same image one row higher. */
static void block_rows(const struct winograd_cut *c, const struct winograd_source *s, int image,
                       int row, bool above, float *window, const float **x)
{
    for (int i = 0; i < s->size; i++) {
        const int at = row * WINOGRAD_OUT + i, y = at - s->pad_top;
        if (!stands(s)) {
            float *copy = window + at % s->size * window_row(c, s);
            if (!above || i >= s->size - WINOGRAD_OUT) window_copy(c, s, image, y, copy);
            x[i] = copy;
        } else {
            const float *there = s->x;
            x[i] = y < s->h ? there + ((ptrdiff_t)image * s->h + y) * s->w * s->c + s->from : NULL;
        }
    }
}

/* A row of tiles. */
static void block_split(const struct winograd_cut *c, const struct winograd_block *b,
                        const struct winograd_source *s, const struct winograd_cells *to,
                        const float *const *x, int tile)
{
    const bool in_place = stands(s);
    const ptrdiff_t pixel = in_place ? s->c : winograd_pitch(s->channels);
    for (int col = 0; col < c->tile_cols; col++, tile++)
        for (int from = 0; from < s->channels; from += to->panel) {
            const int channels = direct_min(to->panel, s->channels - from);
            const ptrdiff_t pitch = to->panel < s->channels ? channels : winograd_pitch(channels);
            struct winograd_split t = {
                .pixel = pixel,
                .cells = to->cells + (ptrdiff_t)from * b->tiles + tile * pitch,
                .plane = to->plane,
                .channels = channels,
            };
            for (int i = 0; i < s->size; i++)
                t.x[i] = x[i] ? x[i] + col * WINOGRAD_OUT * pixel + from : to->window;
            (s->size == WINOGRAD_IN ? winograd_isa()->split_x : winograd_isa()->split_dy)(&t);
        }
}

void winograd_split_block(const struct winograd_cut *c, const struct winograd_block *b,
                          const struct winograd_source *s, const struct winograd_cells *to)
{
    const float *x[WINOGRAD_IN];
    if (stands(s)) memset(to->window, 0, winograd_window(c, s) * sizeof(float)); /* rows below h */
    for (int row = 0; row < b->images * b->rows; row++) {
        const int y = row % b->rows;
        block_rows(c, s, b->image + row / b->rows, b->row + y, y > 0, to->window, x);
        block_split(c, b, s, to, x, row * c->tile_cols);
    }
}
