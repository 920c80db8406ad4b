#ifndef TESTS_FUZZ_FOLDER_H
#define TESTS_FUZZ_FOLDER_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file in a scratch folder, which holds what a target was given. */
struct fuzz_file {
    char folder[40], path[80];
};

static inline void fuzz_file_make(struct fuzz_file *f, const char *name)
{
    snprintf(f->folder, sizeof f->folder, "/tmp/senet-fuzz-XXXXXX");
    if (!mkdtemp(f->folder)) abort();
    snprintf(f->path, sizeof f->path, "%s/%s", f->folder, name);
}

static inline void fuzz_file_put(const struct fuzz_file *f, const void *bytes, size_t len)
{
    FILE *file = fopen(f->path, "wb");
    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file)) abort();
}
#endif
