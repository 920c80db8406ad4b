/* libFuzzer on the PNG reader; see picture.h. Bit 6 of the first byte: the checksums of the chunks
 * are as the file has them; otherwise they are made to fit, so that what lies behind them is read.
 */
#include "tests/fuzz/picture.h"
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { PNG_SIGNATURE = 8, PNG_FRAME = 12 }; /* length, kind and checksum of a chunk */

static uint32_t word_at(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void checksums_mend(uint8_t *file, size_t len)
{
    for (size_t at = PNG_SIGNATURE; at + PNG_FRAME <= len;) {
        size_t data = word_at(file + at);
        if (data > len - at - PNG_FRAME) return;
        uint32_t sum = (uint32_t)crc32(0, file + at + 4, (unsigned)data + 4);
        uint8_t *into = file + at + 8 + data;
        for (int i = 0; i < 4; i++) into[i] = (uint8_t)(sum >> (24 - 8 * i));
        at += PNG_FRAME + data;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < FUZZ_PICTURE_HEAD) return 0;
    uint8_t *copy = malloc(len);
    memcpy(copy, bytes, len);
    if (!(bytes[0] & 64)) checksums_mend(copy + FUZZ_PICTURE_HEAD, len - FUZZ_PICTURE_HEAD);
    fuzz_picture(copy, len, "fuzz.png");
    free(copy);
    return 0;
}
