/* Lists class folders; see folders.h. Nothing in them is passed over but names that begin with a
 * dot: a file that nobody expects is more likely an accident than a wish. */
#include "core/data/folders.h"
#include "core/data/class_counts.h"
#include "core/data/picture.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDERS_CLASSES = 65535 };

static bool is_folder(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* "train", or the folder that serves as test part; NULL after an error. */
static const char *part_folder(struct folders *f, enum data_part part, struct err *e)
{
    if (part == DATA_TRAIN) return "train";
    if (f->test) return f->test;
    bool test = is_folder(pool_textf(&f->pool, "%s/test", f->root));
    bool val = is_folder(pool_textf(&f->pool, "%s/val", f->root));
    if (test != val) return test ? "test" : "val";
    if (test)
        err_set(e,
                "%s: holds both test/ and val/; say with dataset.test_folder which one to test on",
                f->root);
    else
        err_set(e, "%s: holds neither test/ nor val/ with class folders of images", f->root);
    return NULL;
}

static int class_number(const struct folders *f, const char *name)
{
    for (int low = 0, high = f->n_classes - 1; low <= high;) {
        int middle = (low + high) / 2, order = strcmp(name, f->classes[middle]);
        if (!order) return middle;
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    return -1;
}

/* Where a class's images go: one list grows by all classes of a part. */
struct listing {
    struct folders *f;
    enum data_part part;
    const char *folder;
    size_t room;
};

static void listing_grow(struct listing *l, size_t more)
{
    struct folders *f = l->f;
    size_t need = f->count[l->part] + more;
    if (need <= l->room) return;
    l->room = need > 2 * l->room ? need : 2 * l->room;
    f->files[l->part] = mem_grow(f->files[l->part], l->room, sizeof *f->files[l->part]);
    f->labels[l->part] = mem_grow(f->labels[l->part], l->room, sizeof *f->labels[l->part]);
}

static bool class_list(struct listing *l, const char *name, int class, struct err *e)
{
    struct folders *f = l->f;
    char **names;
    size_t n;
    const char *relative = pool_textf(&f->pool, "%s/%s", l->folder, name);
    const char *path = pool_textf(&f->pool, "%s/%s", f->root, relative);
    if (!is_folder(path))
        return err_set(e, "%s: not a class folder; %s/ holds class folders only", path, l->folder);
    if (!dir_list(path, &names, &n, e)) return false;
    bool good = n || err_set(e, "%s: the class folder is empty", path);
    if (good && f->count[l->part] + n > UINT32_MAX / 2)
        good = err_set(e, "%s: too many images", path);
    if (good) listing_grow(l, n);
    for (size_t i = 0; good && i < n; i++) {
        if (!picture_named(names[i]))
            good = err_set(
                e, "%s/%s: not a .jpg, .jpeg or .png file; a class folder holds images only", path,
                names[i]);
        uint32_t at = f->count[l->part];
        f->files[l->part][at] = pool_textf(&f->pool, "%s/%s", relative, names[i]);
        f->labels[l->part][at] = (uint16_t) class;
        f->count[l->part] += good;
    }
    dir_list_free(names, n);
    return good;
}

static bool classes_take(struct folders *f, char **names, size_t n, const char *path, struct err *e)
{
    if (!n) return err_set(e, "%s: holds no class folders", path);
    if (n > FOLDERS_CLASSES) return err_set(e, "%s: more than %d classes", path, FOLDERS_CLASSES);
    f->classes = mem_new(n, sizeof *f->classes);
    for (size_t i = 0; i < n; i++) f->classes[i] = pool_text(&f->pool, names[i]);
    f->n_classes = (int)n;
    return true;
}

static bool part_list(struct folders *f, enum data_part part, struct err *e)
{
    struct listing l = { f, part, part_folder(f, part, e), 0 };
    if (!l.folder) return false;
    const char *path = pool_textf(&f->pool, "%s/%s", f->root, l.folder);
    char **names;
    size_t n;
    if (!dir_list(path, &names, &n, e)) return false;
    bool good = part != DATA_TRAIN || classes_take(f, names, n, path, e);
    if (good && !n) good = err_set(e, "%s: holds no class folders", path);
    for (size_t i = 0; good && i < n; i++) {
        int class = class_number(f, names[i]);
        good = class >= 0 ? class_list(&l, names[i], class, e)
                          : err_set(e, "%s/%s: train/ has no class of this name", path, names[i]);
    }
    dir_list_free(names, n);
    return good;
}

bool folders_read(struct folders *f, const char *root, const char *test, struct err *e)
{
    *f = (struct folders){ .test = test };
    f->root = pool_text(&f->pool, root);
    return part_list(f, DATA_TRAIN, e) && part_list(f, DATA_TEST, e);
}

/* Adds the files in all class folders of one part. */
static bool part_count(struct folders *f, enum data_part part, uint64_t most, uint64_t *count)
{
    struct err e;
    const char *folder = part_folder(f, part, &e);
    char **classes;
    size_t n;
    if (!folder) return false;
    const char *path = pool_textf(&f->pool, "%s/%s", f->root, folder);
    if (!dir_list(path, &classes, &n, &e)) return false;
    bool good = true;
    for (size_t i = 0; good && i < n; i++) {
        char **names;
        size_t files;
        good = dir_list(pool_textf(&f->pool, "%s/%s", path, classes[i]), &names, &files, &e);
        if (!good) break;
        dir_list_free(names, files);
        *count += files;
        good = *count <= most;
    }
    dir_list_free(classes, n);
    return good;
}

bool folders_count(const char *root, const char *test, uint64_t most, uint64_t count[DATA_PARTS])
{
    struct folders f = { .root = root, .test = test };
    count[DATA_TRAIN] = count[DATA_TEST] = 0;
    bool good = part_count(&f, DATA_TRAIN, most, &count[DATA_TRAIN]) &&
                part_count(&f, DATA_TEST, most - count[DATA_TRAIN], &count[DATA_TEST]);
    pool_clear(&f.pool);
    return good;
}

/* Class folders of one part; seen: those of the part are counted. */
static bool part_classes(struct folders *f, enum data_part part, uint32_t *seen, struct err *e)
{
    const char *folder = part_folder(f, part, e);
    if (!folder) return false;
    const char *path = pool_textf(&f->pool, "%s/%s", f->root, folder);
    char **names;
    size_t n;
    if (!dir_list(path, &names, &n, e)) return false;
    bool good = part != DATA_TRAIN || classes_take(f, names, n, path, e);
    for (size_t i = 0; good && seen && i < n; i++) {
        const int class = class_number(f, names[i]);
        if (class >= 0)
            seen[class]++;
        else
            good = err_set(e, "%s/%s: train/ has no class of this name", path, names[i]);
    }
    dir_list_free(names, n);
    return good;
}

/* Whether the parts have the same classes. */
static bool classes_of_parts(struct folders *f, struct err *e)
{
    uint32_t *seen = mem_new(2 * (size_t)f->n_classes, sizeof *seen), *test = seen + f->n_classes;
    for (int i = 0; i < f->n_classes; i++) seen[i] = 1;
    const struct class_counts c = { { seen, test }, f->n_classes, f->classes };
    const bool good = part_classes(f, DATA_TEST, test, e) && classes_agree(&c, f->root, e);
    free(seen);
    return good;
}

bool folders_classes(const char *root, const char *test, int *classes, struct err *e)
{
    struct folders f = { .root = root, .test = test };
    const bool good = part_classes(&f, DATA_TRAIN, NULL, e) && classes_of_parts(&f, e);
    *classes = f.n_classes;
    folders_clear(&f);
    return good;
}

void folders_clear(struct folders *f)
{
    for (int part = 0; part < DATA_PARTS; part++) {
        free(f->files[part]);
        free(f->labels[part]);
    }
    free(f->classes);
    pool_clear(&f->pool);
    *f = (struct folders){ .n_classes = 0 };
}
