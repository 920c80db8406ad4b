/* libFuzzer on the JPEG reader. Input: a byte (bits 0-4: the size, 8 and more; bit 5: a window is
 * drawn), two bytes for the window's area and aspect, then the file. */
#include "core/data/jpeg.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 3) return 0;
    int size = 8 + (bytes[0] & 31);
    struct data_crop crop = { .aspect_min = 0.75, .aspect_max = 4 / 3.0 };
    for (int i = 0; i < CROP_TRIES; i++)
        crop.tries[i] = (struct crop_window){ (bytes[1] + 1) / 256.0, 0.75 + bytes[2] / 440.0,
                                              bytes[1] / 256.0, bytes[2] / 256.0 };
    struct bytes file = { malloc(len - 2), len - 3 }; /* of its own, so that overruns are seen */
    struct err e = { .text = "" };
    uint8_t *rgb = mem_new((size_t)size * (size_t)size, 3);
    for (size_t i = 3; i < len; i++) file.data[i - 3] = bytes[i];
    if (!jpeg_decode(rgb, size, &file, "fuzz.jpg", bytes[0] & 32 ? &crop : NULL, &e) && !e.text[0])
        abort();
    free(rgb);
    free(file.data);
    return 0;
}
