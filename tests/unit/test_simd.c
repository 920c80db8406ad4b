/* What the vector types promise beyond the results that the kernels' tests compare. */
#include "core/kernels/simd/portable.h"
#include "tests/unit/unit.h"

/* Sums of the pairs that lie at `pair` while they are written as bf16 through another pointer: a
 * compiler that took the reads for floats could lift them out of the loop. */
static __attribute__((noinline)) float pairs_sum(bf16 *written, const void *pair, int n)
{
    float sum = 0;
    for (int i = 1; i <= n; i++) {
        written[1] = bf16_of((float)i); /* the upper half, which decides the float's value */
        sum += vf_set_pair(pair)[0];
    }
    return sum;
}

START_TEST(pairs_are_read_as_they_were_written)
{
    _Alignas(float) bf16 pair[2] = { 0, 0 };
    ck_assert_float_eq(pairs_sum(pair, pair, 4), 1 + 2 + 3 + 4);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("simd");
    unit_case(s, "pairs", 10, UNIT_TESTS(pairs_are_read_as_they_were_written));
    return s;
}
