#include "core/data/cifar_python.h"
#include "core/data/pickle.h"
#include <stdlib.h>
#include <string.h>

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

struct cifar_python {
    struct cifar_pickle file;
    const struct pickle_value *data; /* an array of rows */
    const uint8_t *from;             /* the next of them */
    uint8_t *labels;                 /* n_labels for each row */
    size_t n_labels;
    uint32_t rows, next;
};

/* The k-th list of labels. */
static bool labels_copy(struct cifar_python *f, const char *key, size_t k, struct err *e)
{
    const struct pickle_value *list = pickle_member(f->file.pickle, key);
    uint32_t n;
    if (!pickle_list(list, &n) || n != f->rows)
        return err_set(e, "%s: holds no list \"%s\" of %u numbers, one for each row of \"data\"",
                       f->file.path, key, f->rows);
    for (uint32_t i = 0; i < f->rows; i++) {
        int64_t label;
        if (!pickle_integer(pickle_item(list, i), &label) || label < 0 || label > 255)
            return err_set(e, "%s: \"%s\": the label of image %u is no number of 0 to 255",
                           f->file.path, key, i);
        f->labels[i * f->n_labels + k] = (uint8_t)label;
    }
    return true;
}

static bool rows_find(struct cifar_python *f, const char *const *keys, struct err *e)
{
    uint32_t columns;
    f->data = pickle_member(f->file.pickle, "data");
    while (keys[f->n_labels]) f->n_labels++;
    if (!pickle_array(f->data, &f->rows, &columns) || columns != CIFAR_PIXELS)
        return err_set(e, "%s: holds no array \"data\" with rows of %d bytes", f->file.path,
                       CIFAR_PIXELS);
    if (!f->rows) return err_set(e, "%s: the file is empty", f->file.path);
    f->labels = mem_new(f->rows, f->n_labels);
    for (size_t k = 0; k < f->n_labels; k++)
        if (!labels_copy(f, keys[k], k, e)) return false;
    return true;
}

struct cifar_python *cifar_python_open(const char *path, const char *const *keys, struct err *e)
{
    struct cifar_python *f = mem_new(1, sizeof *f);
    if (cifar_pickle_open(&f->file, path, e) && rows_find(f, keys, e)) return f;
    cifar_python_close(f);
    return NULL;
}

void cifar_python_close(struct cifar_python *f)
{
    if (!f) return;
    cifar_pickle_close(&f->file);
    free(f->labels);
    free(f);
}

uint32_t cifar_python_records(const struct cifar_python *f) { return f->rows; }

void cifar_python_next(struct cifar_python *f, uint8_t *record)
{
    BUG_IF(f->next == f->rows, "%s: a record past the last", f->file.path);
    memcpy(record, f->labels + f->next++ * f->n_labels, f->n_labels);
    pickle_row(f->data, &f->from, record + f->n_labels);
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
