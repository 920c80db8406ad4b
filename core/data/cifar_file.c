#include "core/data/cifar_file.h"
#include "core/base/file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cifar_file {
    const char *path; /* of the caller */
    size_t record;    /* bytes */
    FILE *binary;
    struct cifar_python *python; /* one of both is NULL */
    uint32_t records;
};

void cifar_file_close(struct cifar_file *f)
{
    if (!f) return;
    if (f->binary) fclose(f->binary);
    cifar_python_close(f->python);
    free(f);
}

static bool binary_open(struct cifar_file *f, struct err *e)
{
    off_t size;
    const int fd = file_open(f->path, &size, e);
    if (fd < 0) return false;
    f->binary = fdopen(fd, "rb");
    const size_t len = (size_t)size, rest = len % f->record;
    if (!len) return err_set(e, "%s: the file is empty", f->path);
    if (rest)
        return err_set(
            e,
            "%s: %zu bytes are not a whole number of records of %zu bytes; the file ends "
            "within record %zu, which begins at byte %zu",
            f->path, len, f->record, len / f->record + 1, len - rest);
    if (len / f->record > 1000000000) return err_set(e, "%s: too many records", f->path);
    f->records = (uint32_t)(len / f->record);
    return true;
}

static bool python_open(struct cifar_file *f, const char *const *keys, struct err *e)
{
    f->python = cifar_python_open(f->path, keys, e);
    f->records = f->python ? cifar_python_records(f->python) : 0;
    return f->python;
}

struct cifar_file *cifar_file_open(const struct cifar_file_request *r, struct err *e)
{
    struct cifar_file *f = mem_new(1, sizeof *f);
    *f = (struct cifar_file){ .path = r->path, .record = (size_t)r->labels + CIFAR_PIXELS };
    if (r->keys[0] ? python_open(f, r->keys, e) : binary_open(f, e)) return f;
    cifar_file_close(f);
    return NULL;
}

uint32_t cifar_file_records(const struct cifar_file *f) { return f->records; }

bool cifar_file_next(struct cifar_file *f, uint8_t *record, struct err *e)
{
    if (f->python)
        cifar_python_next(f->python, record);
    else if (fread(record, 1, f->record, f->binary) != f->record)
        return err_set(e, "%s: %s", f->path,
                       ferror(f->binary) ? strerror(errno) : "the file changed while it was read");
    return true;
}
