#include "core/base/file.h"
#include "core/base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_name(mode_t mode)
{
    return S_ISFIFO(mode)   ? "a FIFO"
           : S_ISDIR(mode)  ? "a folder"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

int file_open(const char *path, off_t *size, struct err *e)
{
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &s) != 0) {
        err_set(e, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(s.st_mode)) {
        err_set(e, "%s: %s, not a regular file", path, kind_name(s.st_mode));
    } else {
        if (size) *size = s.st_size;
        return fd;
    }
    if (fd >= 0) close(fd);
    return -1;
}

/* Reads until the end, whatever size stat told: a file may grow meanwhile. */
static bool file_drain(int fd, size_t room, size_t most, struct bytes *out)
{
    for (;;) {
        if (out->len + 1 >= room || !out->data) {
            room = out->data ? 2 * room : room + 2;
            out->data = mem_grow(out->data, room, 1);
        }
        ssize_t got = read(fd, out->data + out->len, room - out->len - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) break;
        out->len += (size_t)got;
        if (out->len > most) {
            errno = EFBIG;
            return false;
        }
    }
    out->data[out->len] = 0;
    return true;
}

bool file_read_most(const char *path, size_t most, struct bytes *out, struct err *e)
{
    off_t size;
    *out = (struct bytes){ NULL, 0 };
    int fd = file_open(path, &size, e);
    if (fd < 0) return false;
    bool ok = (uint64_t)size <= most;
    errno = EFBIG;
    ok = ok && file_drain(fd, (size_t)size, most, out);
    int why = errno;
    close(fd);
    if (ok) return true;
    free(out->data);
    *out = (struct bytes){ NULL, 0 };
    if (why == EFBIG)
        return err_set(e, "%s: %.1f MB; such a file has %.0f MB at most", path, (double)size / 1e6,
                       (double)most / 1e6);
    return err_set(e, "%s: %s", path, strerror(why));
}

bool file_read(const char *path, struct bytes *out, struct err *e)
{
    return file_read_most(path, FILE_MOST, out, e);
}

static bool file_fill(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        data += put;
        len -= (size_t)put;
    }
    return true;
}

static bool file_fill_pieces(int fd, const struct file_piece *pieces)
{
    for (const struct file_piece *p = pieces; p->data; p++)
        if (!file_fill(fd, p->data, p->len)) return false;
    return true;
}

/* A rename is on disk only when its folder is. */
static void dir_sync(const char *path)
{
    char *copy = mem_text(path), *slash = strrchr(copy, '/');
    if (slash) slash[slash == copy] = 0;
    int fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

bool file_write(const char *path, const void *data, size_t len, struct err *e)
{
    return file_write_pieces(path, (struct file_piece[]){ { data, len }, { NULL, 0 } }, e);
}

/* Creates a file beside path that nobody else has: hosts and containers that share the folder may
 * share process ids, too, so only chance tells their names apart. *name: free() it. */
static int temporary_open(const char *path, char **name)
{
    const size_t room = strlen(path) + sizeof ".0123456789abcdef.tmp";
    int fd = -1;
    *name = mem_new(room, 1);
    do {
        unsigned long long chance;
        if (getrandom(&chance, sizeof chance, 0) != sizeof chance) return -1;
        snprintf(*name, room, "%s.%016llx.tmp", path, chance);
        fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EEXIST);
    return fd;
}

/* Where that is not allowed, the file is that of a new one. */
static void mode_keep(int fd, const char *path)
{
    struct stat s;
    if (lstat(path, &s) != 0 || !S_ISREG(s.st_mode)) return;
    if (fchmod(fd, s.st_mode & 0777) != 0) return;
}

static bool file_put(const char *path, const struct file_piece *pieces, bool sync, struct err *e)
{
    char *temporary;
    int fd = temporary_open(path, &temporary);
    bool ok = fd >= 0 && file_fill_pieces(fd, pieces) && (!sync || fsync(fd) == 0);
    int why = errno;
    if (ok) mode_keep(fd, path);
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        why = errno;
    }
    if (ok && sync) dir_sync(path);
    if (!ok) {
        if (fd >= 0) unlink(temporary);
        err_set(e, "%s: cannot be written: %s", path, strerror(why));
    }
    free(temporary);
    return ok;
}

bool file_write_pieces(const char *path, const struct file_piece *pieces, struct err *e)
{
    return file_put(path, pieces, true, e);
}

bool file_replace(const char *path, const void *data, size_t len, struct err *e)
{
    return file_put(path, (struct file_piece[]){ { data, len }, { NULL, 0 } }, false, e);
}

static bool stream_put(const char *path, const void *data, size_t len, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    bool ok = fd >= 0 && file_fill(fd, data, len);
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    return ok || err_set(e, "%s: cannot be written: %s", path, strerror(why));
}

bool file_output(const char *path, const void *data, size_t len, struct err *e)
{
    struct stat named, led;
    if (lstat(path, &named) != 0) return file_write(path, data, len, e);
    bool there = stat(path, &led) == 0;
    if (!there || !S_ISREG(led.st_mode)) return stream_put(path, data, len, e);
    char *target = realpath(path, NULL);
    bool ok = file_write(target ? target : path, data, len, e);
    free(target);
    return ok;
}

bool file_clock(const char *dir, struct timespec *now, struct err *e)
{
    const size_t room = strlen(dir) + sizeof "/clock";
    char *path = mem_new(room, 1), *temporary;
    struct stat s;
    snprintf(path, room, "%s/clock", dir);
    int fd = temporary_open(path, &temporary);
    bool ok = fd >= 0 && file_fill(fd, "\n", 1) && fsync(fd) == 0 && fstat(fd, &s) == 0;
    int why = errno;
    if (fd >= 0) {
        close(fd);
        unlink(temporary);
    }
    if (ok)
        *now = s.st_mtim;
    else
        err_set(e, "%s: no file can be written in it: %s", dir, strerror(why));
    free(temporary);
    free(path);
    return ok;
}

bool file_exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0;
}

static bool dir_one(const char *path)
{
    struct stat s;
    if (mkdir(path, 0777) == 0) return true;
    if (errno != EEXIST || stat(path, &s) != 0) return false;
    if (S_ISDIR(s.st_mode)) return true;
    errno = ENOTDIR;
    return false;
}

bool dir_make(const char *path, struct err *e)
{
    char *part = mem_text(path);
    bool ok = true;
    for (char *p = part + 1; ok && *part && *p; p++)
        if (*p == '/') {
            *p = 0;
            ok = dir_one(part);
            *p = '/';
        }
    if (!ok || !dir_one(part)) {
        int why = errno;
        free(part);
        return err_set(e, "%s: the folder cannot be made: %s", path, strerror(why));
    }
    free(part);
    return true;
}

size_t dir_there(const char *path)
{
    char *part = mem_text(path);
    size_t len = strlen(part);
    while (len && !file_exists(part)) {
        while (len && part[len - 1] == '/') len--;
        while (len && part[len - 1] != '/') len--;
        part[len] = 0;
    }
    free(part);
    return len;
}

void dir_unmake(const char *path, size_t there)
{
    char *part = mem_text(path);
    size_t len = strlen(part);
    while (len > there && rmdir(part) == 0) {
        while (len && part[len - 1] == '/') len--;
        while (len && part[len - 1] != '/') len--;
        part[len] = 0;
    }
    free(part);
}

static int name_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool dir_list(const char *path, char ***names, size_t *count, struct err *e)
{
    *names = NULL;
    *count = 0;
    DIR *dir = opendir(path);
    if (!dir) return err_set(e, "%s: %s", path, strerror(errno));
    size_t room = 0;
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(dir))) {
        if (entry->d_name[0] == '.') continue;
        if (*count == room) {
            room = room ? 2 * room : 64;
            *names = mem_grow(*names, room, sizeof **names);
        }
        (*names)[(*count)++] = mem_text(entry->d_name);
    }
    int why = errno;
    closedir(dir);
    if (why) {
        dir_list_free(*names, *count);
        *names = NULL;
        *count = 0;
        return err_set(e, "%s: %s", path, strerror(why));
    }
    if (*count) qsort(*names, *count, sizeof **names, name_order);
    return true;
}

void dir_list_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
}

static bool name_is_temporary(const char *name, const char *of)
{
    const size_t len = strlen(name), stem = strlen(of);
    return len > stem + 4 && strncmp(name, of, stem) == 0 && name[stem] == '.' &&
           strcmp(name + len - 4, ".tmp") == 0;
}

bool file_remove(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    struct pool p = { NULL };
    const char *dir = slash ? pool_textf(&p, "%.*s", (int)(slash - path + 1), path) : "./";
    const char *own = slash ? slash + 1 : path;
    char **names;
    size_t n;
    bool ok = true;
    if (!file_exists(dir) || !dir_list(dir, &names, &n, e)) {
        pool_clear(&p);
        return !file_exists(dir);
    }
    for (size_t i = 0; ok && i < n; i++) {
        if (strcmp(names[i], own) != 0 && !name_is_temporary(names[i], own)) continue;
        const char *one = pool_textf(&p, "%s%s", dir, names[i]);
        ok = unlink(one) == 0 || errno == ENOENT ||
             err_set(e, "%s: cannot be removed: %s", one, strerror(errno));
    }
    dir_list_free(names, n);
    pool_clear(&p);
    return ok;
}
