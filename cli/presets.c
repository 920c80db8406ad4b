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

/* The real path of a folder of presets, from the current directory where it lies below that; NULL
 * where it is none. */
static const char *dir_clean(struct pool *p, const char *path)
{
    char real[PATH_MAX], here[PATH_MAX];
    if (!file_exists(pool_textf(p, "%s/quickstart.yaml", path)) || !realpath(path, real))
        return NULL;
    size_t len = getcwd(here, sizeof here) ? strlen(here) : 0;
    bool below = len > 1 && strncmp(real, here, len) == 0 && real[len] == '/';
    return pool_text(p, below ? real + len + 1 : real);
}

/* Beside the program: installed, in a built tree, in one built with B=build/NAME. */
static const char *presets_dir(struct pool *p)
{
    static const char *const places[] = { "../share/senet-exp/configs", "../configs",
                                          "../../configs" };
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (len <= 0) return NULL;
    exe[len] = 0;
    *strrchr(exe, '/') = 0;
    const char *dir = NULL;
    for (size_t i = 0; !dir && i < sizeof places / sizeof *places; i++)
        dir = dir_clean(p, pool_textf(p, "%s/%s", exe, places[i]));
    return dir;
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

/* The preset at a path whose first `root` bytes are the folder of all. */
static bool preset_add(struct listing *l, const char *path, size_t root, struct err *e)
{
    listing_add(l, "%.*s", (int)(strlen(path) - root - strlen("/.yaml")), path + root + 1);
    listing_add(l, "%s", path);
    return preset_question(l, path, e);
}

static bool preset_folder(struct listing *l, const char *dir, size_t root, struct err *e)
{
    char **names;
    size_t n;
    if (!dir_list(dir, &names, &n, e)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        char *path = pool_textf(&l->pool, "%s/%s", dir, names[i]);
        size_t len = strlen(names[i]);
        if (dir_exists(path) && strlen(path) < root + 64)
            ok = preset_folder(l, path, root, e);
        else if (len > 5 && strcmp(names[i] + len - 5, ".yaml") == 0)
            ok = preset_add(l, path, root, e);
    }
    dir_list_free(names, n);
    return ok;
}

bool presets_walk(struct listing *l, struct err *e)
{
    const char *dir = presets_dir(&l->pool);
    if (!dir) return err_set(e, "no presets beside the program");
    return preset_folder(l, dir, strlen(dir), e);
}

const char *preset_path(const char *name, struct pool *p)
{
    const char *dir = strstr(name, "..") ? NULL : presets_dir(p);
    const char *path = dir ? pool_textf(p, "%s/%s.yaml", dir, name) : NULL;
    return path && file_exists(path) ? path : NULL;
}

const char *preset_nearest(const char *name, struct pool *p)
{
    enum { PRESETS = 256, CELLS = 3 };
    const char *names[PRESETS];
    struct listing l = { 0 };
    struct err ignored;
    size_t n = 0, len = strlen(name);
    const char *start = strncmp(name, "configs/", 8) == 0 ? name + 8 : name;
    if (len > 5 && strcmp(name + len - 5, ".yaml") == 0) len -= 5;
    const char *word = pool_textf(p, "%.*s", (int)(name + len - start), start);
    if (presets_walk(&l, &ignored))
        for (; n < PRESETS && n * CELLS < l.n_cells; n++) names[n] = l.cells[n * CELLS].text;
    const char *near = text_nearest(word, names, n);
    if (near) near = pool_text(p, near);
    listing_clear(&l);
    return near;
}
