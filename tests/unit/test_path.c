/* Paths as seen from the file that they are written in. */
#include "core/base/path.h"
#include "tests/unit/unit.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(paths_beside_a_file)
{
    static const struct {
        const char *file, *path, *want;
    } cases[] = {
        { "a.yaml", "data", "data" },
        { "a.yaml", "../data", "../data" },
        { "command line", "x/y", "x/y" },
        { "one/two/a.yaml", "data", "one/two/data" },
        { "one/two/a.yaml", "./data", "one/two/data" },
        { "one/two/a.yaml", "../data", "one/data" },
        { "one/two/a.yaml", "../../data", "data" },
        { "one/two/a.yaml", "../../../data", "../data" },
        { "one/two/a.yaml", ".././../data", "data" },
        { "one/two/a.yaml", "..data/..", "one/two/..data/.." },
        { "one/two/a.yaml", "/data", "/data" },
        { "./one/a.yaml", "../data", "./data" },
        { "one/../one/a.yaml", "../../data", "one/../../data" },
        { "link/a.yaml", "../data", "link/../data" }, /* that is one/data */
        { "gone/a.yaml", "../data", "gone/../data" },
        { "/a.yaml", "data", "/data" },
        { "/a.yaml", "../data", "/../data" },
        { "/usr/a.yaml", "../data", "/usr/../data" },
        { "/usr/bin/a.yaml", "data", "/usr/bin/data" },
    };
    char dir[] = "/tmp/paths.XXXXXX", before[4096];
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_int_eq(mkdir("one", 0700) | mkdir("one/two", 0700) | symlink("one/two", "link"), 0);
    struct pool p = { NULL };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(path_beside(&p, cases[i].file, cases[i].path), cases[i].want);
    pool_clear(&p);
    ck_assert_int_eq(unlink("link") | rmdir("one/two") | rmdir("one"), 0);
    ck_assert_int_eq(chdir(before) | rmdir(dir), 0);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("path");
    unit_case(s, "path", 10, UNIT_TESTS(paths_beside_a_file));
    return s;
}
