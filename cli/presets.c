/* The experiment files that come with the program. */
#include "cli/presets.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool dir_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ./configs; in a built tree PROGRAM/../../configs; installed PREFIX/share/senet-exp/configs. */
static const char *presets_dir(struct pool *p)
{
    char exe[PATH_MAX];
    if (dir_exists("configs")) return "configs";
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (len <= 0) return NULL;
    exe[len] = 0;
    char *slash = strrchr(exe, '/');
    if (!slash) return NULL;
    *slash = 0;
    const char *tree = pool_textf(p, "%s/../configs", exe);
    const char *installed = pool_textf(p, "%s/../share/senet-exp/configs", exe);
    return dir_exists(tree) ? tree : dir_exists(installed) ? installed : NULL;
}

/* "# How much ...?" without the mark; "" where the file does not begin with a comment. */
static bool preset_question(struct listing *l, const char *path, struct err *e)
{
    struct bytes b;
    if (!file_read(path, &b, e)) return false;
    char *s = (char *)b.data;
    bool comment = s[0] == '#';
    size_t skip = comment ? strspn(s, "# ") : 0, len = strcspn(s + skip, "\n");
    listing_add(l, "%.*s", comment ? (int)len : 0, s + skip);
    free(b.data);
    return true;
}

static bool preset_folder(struct listing *l, const char *dir, int depth, struct err *e)
{
    char **names;
    size_t n;
    if (!dir_list(dir, &names, &n, e)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        char *path = pool_textf(&l->pool, "%s/%s", dir, names[i]);
        size_t len = strlen(names[i]);
        if (dir_exists(path)) {
            if (depth < 3) ok = preset_folder(l, path, depth + 1, e);
        } else if (len > 5 && strcmp(names[i] + len - 5, ".yaml") == 0) {
            listing_add(l, "%s", path);
            ok = preset_question(l, path, e);
        }
    }
    dir_list_free(names, n);
    return ok;
}

bool presets_walk(struct listing *l, struct err *e)
{
    const char *dir = presets_dir(&l->pool);
    if (!dir) return err_set(e, "no folder configs here or beside the program");
    return preset_folder(l, dir, 0, e);
}
