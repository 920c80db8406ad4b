/* JPEG through libjpeg-turbo: grey, YCbCr, RGB, CMYK or YCCK. libjpeg reports errors by a call that
 * must not return, so everything between setjmp and its return lives in one struct on the heap.
 *
 * Damaged data is an error, not a picture with a grey end: of libjpeg's warnings only those are let
 * pass that say nothing about the pixels. */
#include "core/data/crop.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

/* Scans over the picture: a progressive file of the usual tools has 10. */
enum { JPEG_SCANS_MAX = 200 };

struct jpeg {
    struct jpeg_decompress_struct lib;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
    struct crop crop;
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
    if (pixels > PICTURE_PIXELS_MAX) wrong = PICTURE_TOO_LARGE;
    if (n != 1 && n != 3 && n != 4) wrong = "neither grey nor RGB nor CMYK";
    if (wrong)
        snprintf(j->message, sizeof j->message, "%u x %u pixels, %d components: %s",
                 j->lib.image_width, j->lib.image_height, n, wrong);
    return !wrong;
}

/* Lets the decoder shrink by 2, 4 or 8 on its own, as long as the window stays larger than size. */
static void jpeg_scale(struct jpeg *j)
{
    unsigned denominator = 1;
    struct image_part *w = &j->crop.window;
    double smaller = w->height < w->width ? w->height : w->width;
    while (denominator < 8 && smaller / (2 * denominator) >= j->crop.size) denominator *= 2;
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

static void jpeg_lines(struct jpeg *j)
{
    struct jpeg_decompress_struct *lib = &j->lib;
    while (lib->output_scanline < lib->output_height) {
        int y = (int)lib->output_scanline;
        JSAMPROW line = j->line;
        jpeg_read_scanlines(lib, &line, 1);
        if (lib->out_color_space == JCS_CMYK)
            line_from_cmyk(j->line, lib->output_width, lib->saw_Adobe_marker);
        crop_row(&j->crop, y, j->line);
    }
}

static void jpeg_picture(struct jpeg *j, const struct picture_request *p, uint8_t *rgb)
{
    struct jpeg_decompress_struct *lib = &j->lib;
    crop_choose(&j->crop, p, rgb, (int)lib->image_height, (int)lib->image_width);
    lib->out_color_space = lib->num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (!j->crop.as_is) jpeg_scale(j);
    jpeg_start_decompress(lib);
    j->line = mem_new((size_t)lib->output_width, 4);
    crop_begin(&j->crop, (int)lib->output_height, (int)lib->output_width);
    jpeg_lines(j);
    jpeg_finish_decompress(lib);
    crop_end(&j->crop);
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

static bool jpeg_decode(const struct picture_request *p, uint8_t *rgb, struct err *e)
{
    struct jpeg *j = mem_new(1, sizeof *j);
    j->lib.err = jpeg_std_error(&j->errors);
    j->lib.client_data = j;
    j->errors.error_exit = jpeg_fail;
    j->errors.emit_message = jpeg_warn;
    j->errors.output_message = jpeg_quiet;
    if (!setjmp(j->failed)) {
        jpeg_begin(j, p->file);
        jpeg_read_header(&j->lib, TRUE);
        if (jpeg_accept(j)) jpeg_picture(j, p, rgb);
    }
    bool good = j->done || picture_unsound(p, "JPEG", j->message, e);
    jpeg_destroy_decompress(&j->lib);
    crop_clear(&j->crop);
    free(j->line);
    free(j);
    return good;
}

const struct picture_kind picture_jpeg = {
    .suffixes = { ".jpg", ".jpeg" },
    .signature = "\xff\xd8",
    .decode = jpeg_decode,
};
