/* libFuzzer on the JPEG reader; see picture.h. */
#include "tests/fuzz/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len >= FUZZ_PICTURE_HEAD) fuzz_picture(bytes, len, "fuzz.jpg");
    return 0;
}
