/* PNG through libpng: grey, palette and RGB of 1 to 16 bits, with or without transparency, Adam7
 * too. What is transparent is laid on black. Of 16 bits the upper eight count, as in Pillow and
 * OpenCV. Other chunks (gamma, profiles, texts) are passed over, which is how the field's tools
 * read their training data.
 *
 * libpng reports errors by a call that must not return, so everything between setjmp and its return
 * lives in one struct on the heap. */
#include "core/data/crop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/* deflate packs at most 1032 bytes into one (zlib's technical details): a header is believed only
 * as far as the file can back it. */
enum { PNG_EXPANSION = 1032, PNG_CHUNK_MAX = 1 << 20 };

struct png {
    png_structp lib;
    png_infop info;
    jmp_buf failed;
    char message[128];
    const struct bytes *file;
    size_t at; /* in the file */
    struct crop crop;
    int width, height, channels; /* as they come: RGB, or RGB and alpha */
    uint8_t *lines;              /* one; of an interlaced picture all */
    bool done;
};

static void png_fail(png_structp lib, png_const_charp message)
{
    struct png *p = png_get_error_ptr(lib);
    snprintf(p->message, sizeof p->message, "%s", message);
    longjmp(p->failed, 1);
}

static void png_quiet(png_structp lib, png_const_charp message)
{
    (void)lib;
    (void)message;
}

static void png_take(png_structp lib, png_bytep into, size_t n)
{
    struct png *p = png_get_io_ptr(lib);
    if (n > p->file->len - p->at) png_error(lib, "it ends early");
    memcpy(into, p->file->data + p->at, n);
    p->at += n;
}

static void png_begin(struct png *p)
{
    png_set_read_fn(p->lib, p, png_take);
    png_set_user_limits(p->lib, PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);
    png_set_chunk_malloc_max(p->lib, PNG_CHUNK_MAX);
    png_set_keep_unknown_chunks(p->lib, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(p->lib, p->info);
}

/* Looked at before memory is asked for. */
static void png_accept(struct png *p)
{
    uint64_t rows = png_get_image_height(p->lib, p->info);
    uint64_t columns = png_get_image_width(p->lib, p->info);
    uint64_t raw = rows * png_get_rowbytes(p->lib, p->info);
    if (rows * columns > PICTURE_PIXELS_MAX) png_error(p->lib, PICTURE_TOO_LARGE);
    if (raw / PNG_EXPANSION > p->file->len)
        png_error(p->lib, "so small a file cannot hold as many pixels as its header says");
    p->height = (int)rows;
    p->width = (int)columns;
}

/* Whatever is stored comes as RGB of 8 bits, with alpha where there is transparency. */
static void png_convert(struct png *p)
{
    png_set_expand(p->lib);
    png_set_strip_16(p->lib);
    png_set_gray_to_rgb(p->lib);
}

static void line_on_black(uint8_t *line, int width)
{
    for (int i = 0; i < width; i++)
        for (int c = 0; c < 3; c++)
            line[3 * i + c] = (uint8_t)((line[4 * i + c] * line[4 * i + 3] + 127) / 255);
}

static void png_hand_over(struct png *p, int y, uint8_t *line)
{
    if (p->channels == 4) line_on_black(line, p->width);
    crop_row(&p->crop, y, line);
}

/* The passes of Adam7 go over all rows; each fills in more of them. */
static void png_rows(struct png *p, int passes)
{
    const size_t row = (size_t)p->width * (size_t)p->channels;
    p->lines = mem_new(passes > 1 ? (size_t)p->height : 1, row);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < p->height; y++) {
            uint8_t *line = p->lines + (passes > 1 ? (size_t)y * row : 0);
            png_read_row(p->lib, line, NULL);
            if (pass == passes - 1) png_hand_over(p, y, line);
        }
}

static void png_picture(struct png *p, const struct picture_request *q, uint8_t *rgb)
{
    png_begin(p);
    png_accept(p);
    png_convert(p);
    int passes = png_set_interlace_handling(p->lib);
    png_read_update_info(p->lib, p->info);
    p->channels = png_get_channels(p->lib, p->info);
    crop_choose(&p->crop, q, rgb, p->height, p->width);
    crop_begin(&p->crop, p->height, p->width);
    png_rows(p, passes);
    png_read_end(p->lib, NULL);
    crop_end(&p->crop);
    p->done = true;
}

static bool png_decode(const struct picture_request *q, uint8_t *rgb, struct err *e)
{
    struct png *p = mem_new(1, sizeof *p);
    p->file = q->file;
    p->lib = png_create_read_struct(PNG_LIBPNG_VER_STRING, p, png_fail, png_quiet);
    p->info = p->lib ? png_create_info_struct(p->lib) : NULL;
    if (!p->info) mem_exhausted(1, sizeof *p);
    if (!setjmp(p->failed)) png_picture(p, q, rgb);
    bool good = p->done || picture_unsound(q, "PNG", p->message, e);
    png_destroy_read_struct(&p->lib, &p->info, NULL);
    crop_clear(&p->crop);
    free(p->lines);
    free(p);
    return good;
}

const struct picture_kind picture_png = {
    .suffixes = { ".png" },
    .signature = "\x89PNG\r\n\x1a\n",
    .decode = png_decode,
};
