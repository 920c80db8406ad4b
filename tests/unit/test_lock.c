/* Locks between processes: one has it, the others wait or are refused, and it may be removed under
 * those who wait. */
#include "core/base/file.h"
#include "core/base/lock.h"
#include "tests/unit/unit.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/senet-lock-XXXXXX", path[64];

static void folder_make(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/run/lock", dir);
}

static void folder_remove(void)
{
    char run[64];
    snprintf(run, sizeof run, "%s/run", dir);
    unlink(path);
    rmdir(run);
    rmdir(dir);
}

/* In another process, which does not share the lock that `held` has: takes the lock, and exits with
 * what came of it. */
static pid_t taker(bool wait, int held)
{
    pid_t child = fork();
    if (child == 0) {
        struct err e;
        if (held >= 0) close(held);
        int fd = lock_take(path, wait, &e);
        _exit(fd == LOCK_BUSY ? 1 : fd < 0 ? 2 : file_exists(path) ? 0 : 3);
    }
    return child;
}

static int result_of(pid_t child)
{
    int status;
    ck_assert(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(test_busy)
{
    struct err e;
    folder_make();
    ck_assert(!lock_is_held(path));
    int fd = lock_take(path, false, &e);
    ck_assert_int_ge(fd, 0);
    ck_assert(lock_is_held(path));
    ck_assert_int_eq(result_of(taker(false, fd)), 1);
    close(fd);
    ck_assert(!lock_is_held(path));
    ck_assert_int_eq(result_of(taker(false, -1)), 0);
    folder_remove();
}
END_TEST

/* Who waits for a lock whose file goes makes a new one, and does not hold what nobody else sees. */
START_TEST(test_removed)
{
    struct err e;
    folder_make();
    int fd = lock_take(path, true, &e);
    ck_assert_int_ge(fd, 0);
    pid_t waiting = taker(true, fd);
    usleep(100000); /* until it waits */
    unlink(path);
    close(fd);
    ck_assert_int_eq(result_of(waiting), 0);
    folder_remove();
}
END_TEST

START_TEST(test_nowhere)
{
    struct err e;
    ck_assert_int_eq(lock_take("/dev/null/lock", true, &e), LOCK_FAILED);
    ck_assert(!lock_is_held("/dev/null/lock"));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("lock");
    unit_case(s, "lock", 20, UNIT_TESTS(test_busy, test_removed, test_nowhere));
    return s;
}
