#include "core/base/path.h"
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* The length of the folder that holds the folder of len bytes at s; false where it cannot be told
 * by the name. */
static bool path_parent(struct pool *p, const char *s, size_t *len)
{
    size_t parent = *len;
    while (parent && s[parent - 1] != '/') parent--;
    const char *name = pool_textf(p, "%.*s", (int)(*len - parent), s + parent);
    struct stat st;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || parent == 1) return false;
    if (lstat(pool_textf(p, "%.*s", (int)*len, s), &st) != 0 || S_ISLNK(st.st_mode)) return false;
    *len = parent ? parent - 1 : 0;
    return true;
}

const char *path_beside(struct pool *p, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || !slash) return pool_text(p, path);
    size_t len = (size_t)(slash - file);
    while (strncmp(path, "./", 2) == 0 || (strncmp(path, "../", 3) == 0 && len)) {
        if (path[1] == '.' && !path_parent(p, file, &len)) break;
        path += path[1] == '.' ? 3 : 2;
    }
    bool root = file[0] == '/';
    return len || root ? pool_textf(p, "%.*s/%s", (int)len, file, path) : pool_text(p, path);
}
