/* The main of every unit-test program: each test file defines suite(). */
#include "tests/unit/unit.h"
#include <locale.h>
#include <stdlib.h>

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* as the main of the program does */
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner), run = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed || !run ? EXIT_FAILURE : EXIT_SUCCESS;
}
