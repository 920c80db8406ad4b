#include "core/base/lock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Does the path still name the open file? */
static bool lock_is_there(int fd, const char *path)
{
    struct stat open, named;
    return fstat(fd, &open) == 0 && stat(path, &named) == 0 && open.st_dev == named.st_dev &&
           open.st_ino == named.st_ino;
}

static bool folder_make(const char *path, struct err *e)
{
    char *folder = mem_text(path), *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    bool ok = !slash || slash == folder || dir_make(folder, e);
    free(folder);
    return ok;
}

static const char *lock_why(int error) { return error == ELOOP ? "it is a link" : strerror(error); }

static int lock_open(const char *path, struct err *e)
{
    int fd;
    do {
        if (!folder_make(path, e)) return LOCK_FAILED;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0666);
    } while (fd < 0 && errno == ENOENT); /* the folder went in between */
    if (fd < 0) {
        err_set(e, "%s: cannot be opened: %s", path, lock_why(errno));
        return LOCK_FAILED;
    }
    struct stat s;
    if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode)) return fd;
    err_set(e, "%s: not a regular file", path);
    close(fd);
    return LOCK_FAILED;
}

int lock_take(const char *path, bool wait, struct err *e)
{
    for (;;) {
        int fd = lock_open(path, e);
        if (fd < 0) return fd;
        if (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) == 0) {
            if (lock_is_there(fd, path)) return fd;
            close(fd);
            continue;
        }
        int why = errno;
        close(fd);
        if (why == EINTR) return LOCK_STOPPED;
        if (why == EWOULDBLOCK) return LOCK_BUSY;
        err_set(e, "%s: cannot be locked: %s", path, strerror(why));
        return LOCK_FAILED;
    }
}

bool lock_is_held(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0) return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}
