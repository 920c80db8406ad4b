/* JPEG through libjpeg-turbo; see jpeg.h. libjpeg reports errors by a call that must not return, so
 * everything between setjmp and its return lives in one struct on the heap.
 *
 * Damaged data is an error, not a picture with a grey end: of libjpeg's warnings only those are let
 * pass that say nothing about the pixels. */
#include "core/data/jpeg.h"
#include "core/data/resample.h"
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

/* Bounds on what a small hostile file may ask for: pixels of the picture, and scans over it (a
 * progressive file of the usual tools has 10). */
enum { JPEG_PIXELS_MAX = 1 << 27, JPEG_SCANS_MAX = 200 };

struct jpeg {
    struct jpeg_decompress_struct lib;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
    struct resample *resample;
    uint8_t *line; /* of the decoder, then as RGB */
    bool done;
};

static struct jpeg *jpeg_of(j_common_ptr lib) { return lib->client_data; }

static void jpeg_fail(j_common_ptr lib)
{
    struct jpeg *j = jpeg_of(lib);
    lib->err->format_message(lib, j->message);
    longjmp(j->failed, 1);
}

static void jpeg_warn(j_common_ptr lib, int level)
{
    if (level >= 0) return; /* a trace */
    switch (lib->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA: /* bytes between segments */
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
        return;
    default:
        jpeg_fail(lib);
    }
}

static void jpeg_quiet(j_common_ptr lib) { (void)lib; }

static void jpeg_scans(j_common_ptr lib)
{
    struct jpeg *j = jpeg_of(lib);
    if (j->lib.input_scan_number <= JPEG_SCANS_MAX) return;
    snprintf(j->message, sizeof j->message, "more than %d scans", JPEG_SCANS_MAX);
    longjmp(j->failed, 1);
}

/* Looked at before memory is asked for. */
static bool jpeg_accept(struct jpeg *j)
{
    uint64_t pixels = (uint64_t)j->lib.image_width * j->lib.image_height;
    int n = j->lib.num_components;
    const char *wrong = NULL;
    if (pixels > JPEG_PIXELS_MAX) wrong = "more than 134 million pixels";
    if (n != 1 && n != 3 && n != 4) wrong = "neither grey nor RGB nor CMYK";
    if (wrong)
        snprintf(j->message, sizeof j->message, "%u x %u pixels, %d components: %s",
                 j->lib.image_width, j->lib.image_height, n, wrong);
    return !wrong;
}

/* The first drawn window that fits, rounded to whole pixels. */
static struct window window_drawn(const struct data_crop *crop, double height, double width)
{
    for (int i = 0; i < CROP_TRIES; i++) {
        const struct crop_window *t = &crop->tries[i];
        double w = round(sqrt(height * width * t->area * t->aspect));
        double h = round(sqrt(height * width * t->area / t->aspect));
        if (w < 1 || h < 1 || w > width || h > height) continue;
        return (struct window){ floor(t->y * (height - h + 1)), floor(t->x * (width - w + 1)), h,
                                w };
    }
    double aspect = width / height, h = height, w = width;
    if (aspect < crop->aspect_min) h = fmax(1, round(width / crop->aspect_min));
    if (aspect > crop->aspect_max) w = fmax(1, round(height * crop->aspect_max));
    return (struct window){ floor((height - h) / 2), floor((width - w) / 2), h, w };
}

static struct window window_centre(int size, double height, double width)
{
    double shorter = height < width ? height : width;
    if (shorter > size) shorter *= size / round(size * 256.0 / 224);
    return (struct window){ (height - shorter) / 2, (width - shorter) / 2, shorter, shorter };
}

/* Lets the decoder shrink by 2, 4 or 8 on its own, as long as the window stays larger than size. */
static void jpeg_scale(struct jpeg *j, struct window *w, int size)
{
    unsigned denominator = 1;
    double smaller = w->height < w->width ? w->height : w->width;
    while (denominator < 8 && smaller / (2 * denominator) >= size) denominator *= 2;
    j->lib.scale_num = 1;
    j->lib.scale_denom = denominator;
    w->y /= denominator;
    w->x /= denominator;
    w->height /= denominator;
    w->width /= denominator;
}

/* Adobe's files, which are nearly all there are, hold the complement: full ink is 0. */
static void line_from_cmyk(uint8_t *line, size_t width, bool complement)
{
    for (size_t i = 0; i < width; i++) {
        unsigned flip = complement ? 0 : 255, k = line[4 * i + 3] ^ flip;
        for (size_t c = 0; c < 3; c++)
            line[3 * i + c] = (uint8_t)(((line[4 * i + c] ^ flip) * k + 127) / 255);
    }
}

static void jpeg_lines(struct jpeg *j, int size, uint8_t *as_is)
{
    struct jpeg_decompress_struct *lib = &j->lib;
    while (lib->output_scanline < lib->output_height) {
        int y = (int)lib->output_scanline;
        JSAMPROW line = as_is && j->lib.out_color_space == JCS_RGB
                            ? as_is + (size_t)y * (size_t)size * 3
                            : j->line;
        jpeg_read_scanlines(lib, &line, 1);
        if (lib->out_color_space == JCS_CMYK)
            line_from_cmyk(line, lib->output_width, lib->saw_Adobe_marker);
        if (!as_is)
            resample_row(j->resample, y, line);
        else if (line == j->line)
            for (int i = 0; i < 3 * size; i++)
                as_is[(size_t)y * (size_t)size * 3 + (size_t)i] = line[i];
    }
}

static void jpeg_picture(struct jpeg *j, int size, const struct data_crop *crop, uint8_t *rgb)
{
    struct jpeg_decompress_struct *lib = &j->lib;
    int width = (int)lib->image_width, height = (int)lib->image_height;
    bool as_is = !crop && width == size && height == size;
    struct window w = crop ? window_drawn(crop, height, width) : window_centre(size, height, width);
    lib->out_color_space = lib->num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (!as_is) jpeg_scale(j, &w, size);
    jpeg_start_decompress(lib);
    j->line = mem_new((size_t)lib->output_width, 4);
    if (!as_is)
        j->resample = resample_create((int)lib->output_height, (int)lib->output_width, &w, size);
    jpeg_lines(j, size, as_is ? rgb : NULL);
    jpeg_finish_decompress(lib);
    if (!as_is) resample_end(j->resample, rgb);
    j->done = true;
}

static void jpeg_begin(struct jpeg *j, const struct bytes *file)
{
    jpeg_create_decompress(&j->lib);
    j->lib.client_data = j;
    j->progress.progress_monitor = jpeg_scans;
    j->lib.progress = &j->progress;
    jpeg_mem_src(&j->lib, file->data, file->len);
}

bool jpeg_decode(uint8_t *rgb, int size, const struct bytes *file, const char *path,
                 const struct data_crop *crop, struct err *e)
{
    if (!file->len) return err_set(e, "%s: the file is empty", path);
    struct jpeg *j = mem_new(1, sizeof *j);
    j->lib.err = jpeg_std_error(&j->errors);
    j->lib.client_data = j;
    j->errors.error_exit = jpeg_fail;
    j->errors.emit_message = jpeg_warn;
    j->errors.output_message = jpeg_quiet;
    if (!setjmp(j->failed)) {
        jpeg_begin(j, file);
        jpeg_read_header(&j->lib, TRUE);
        if (jpeg_accept(j)) jpeg_picture(j, size, crop, rgb);
    }
    bool good = j->done;
    if (!good)
        err_set(e, "%s: not a sound JPEG image: %s (the file is %zu bytes long)", path, j->message,
                file->len);
    jpeg_destroy_decompress(&j->lib);
    resample_destroy(j->resample);
    free(j->line);
    free(j);
    return good;
}
