#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H
#include <check.h>

/* What a test file defines: all of its cases. */
Suite *suite(void);

/* One case with the tests given, within `seconds`:
 *   unit_case(s, "name", 10, UNIT_TESTS(test_a, test_b)); */
static inline void unit_case(Suite *s, const char *name, double seconds, const TTest *const *tests)
{
    TCase *c = tcase_create(name);
    tcase_set_timeout(c, seconds);
    for (; *tests; tests++) tcase_add_test(c, *tests);
    suite_add_tcase(s, c);
}
#define UNIT_TESTS(...) ((const TTest *const[]){ __VA_ARGS__, NULL })
#endif
