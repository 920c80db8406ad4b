#include "core/data/cifar_python.h"
#include "core/data/pickle.h"
#include <stdlib.h>

/* One file and what it holds. */
struct cifar_pickle {
    const char *path;
    struct bytes bytes;
    struct pickle *pickle;
};

static bool cifar_pickle_open(struct cifar_pickle *f, const char *path, struct err *e)
{
    *f = (struct cifar_pickle){ .path = path };
    if (!file_read(path, &f->bytes, e)) return false;
    if (!f->bytes.len) return err_set(e, "%s: the file is empty", path);
    f->pickle = pickle_read(&f->bytes, path, e);
    return f->pickle;
}

static void cifar_pickle_close(struct cifar_pickle *f)
{
    pickle_destroy(f->pickle);
    free(f->bytes.data);
}

/* Where one label of every record goes. */
struct label_column {
    uint8_t *into; /* the first */
    size_t record;
    uint32_t rows;
};

static bool labels_copy(const struct cifar_pickle *f, const char *key,
                        const struct label_column *to, struct err *e)
{
    const struct pickle_value *list = pickle_member(f->pickle, key);
    uint32_t n, rows = to->rows;
    if (!pickle_list(list, &n) || n != rows)
        return err_set(e, "%s: holds no list \"%s\" of %u numbers, one for each row of \"data\"",
                       f->path, key, rows);
    for (uint32_t i = 0; i < rows; i++) {
        int64_t label;
        if (!pickle_integer(pickle_item(list, i), &label) || label < 0 || label > 255)
            return err_set(e, "%s: \"%s\": the label of image %u is no number of 0 to 255", f->path,
                           key, i);
        to->into[i * to->record] = (uint8_t)label;
    }
    return true;
}

static bool records_make(const struct cifar_pickle *f, struct bytes *records,
                         const char *const *keys, struct err *e)
{
    const struct pickle_value *data = pickle_member(f->pickle, "data");
    size_t labels = 0;
    uint32_t rows, columns;
    while (keys[labels]) labels++;
    const size_t record = labels + CIFAR_PIXELS;
    if (!pickle_array(data, &rows, &columns) || columns != CIFAR_PIXELS)
        return err_set(e, "%s: holds no array \"data\" with rows of %d bytes", f->path,
                       CIFAR_PIXELS);
    records->len = rows * record;
    records->data = mem_new(rows, record);
    const uint8_t *from = NULL;
    for (uint32_t i = 0; i < rows; i++)
        pickle_row(data, &from, records->data + i * record + labels);
    for (size_t k = 0; k < labels; k++)
        if (!labels_copy(f, keys[k], &(struct label_column){ records->data + k, record, rows }, e))
            return false;
    return true;
}

bool cifar_python_read(struct bytes *records, const char *path, const char *const *keys,
                       struct err *e)
{
    struct cifar_pickle f;
    *records = (struct bytes){ NULL, 0 };
    bool good = cifar_pickle_open(&f, path, e) && records_make(&f, records, keys, e);
    cifar_pickle_close(&f);
    return good;
}

const char *const *cifar_python_names(struct pool *pool, const char *path, const char *key,
                                      int classes, struct err *e)
{
    struct cifar_pickle f;
    uint32_t n = 0;
    const char **names = pool_new(pool, (size_t)classes, sizeof *names);
    bool good = cifar_pickle_open(&f, path, e);
    const struct pickle_value *list = good ? pickle_member(f.pickle, key) : NULL;
    if (good && (!pickle_list(list, &n) || n != (uint32_t)classes))
        good = err_set(e, "%s: holds no list \"%s\" of %d names", path, key, classes);
    for (uint32_t i = 0; good && i < n; i++) {
        size_t len;
        const char *name = pickle_text(pickle_item(list, i), &len);
        if (name && len < 1000)
            names[i] = pool_textf(pool, "%.*s", (int)len, name);
        else
            good = err_set(e, "%s: \"%s\": entry %u is no name", path, key, i);
    }
    cifar_pickle_close(&f);
    return good ? names : NULL;
}
