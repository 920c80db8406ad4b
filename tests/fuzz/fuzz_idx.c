/* libFuzzer on the IDX reader. Input: a byte (bit 0: the files are called .gz, bit 1: classes is
 * given), the length of the images' file in two bytes, its bytes, those of the labels' file. Both
 * parts of the set are these files. */
#include "core/base/file.h"
#include "core/base/parallel.h"
#include "core/data/data.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char folder[] = "/tmp/senet-fuzz-idx-XXXXXX";
static const char *const kinds[] = { "images-idx3-ubyte", "labels-idx1-ubyte" };

static char *name(const char *part, int kind, const char *suffix)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s-%s%s", folder, part, kinds[kind], suffix);
    return path;
}

static void folder_end(void)
{
    for (int kind = 0; kind < 2; kind++) {
        remove(name("train", kind, ""));
        remove(name("train", kind, ".gz"));
        remove(name("t10k", kind, ""));
        remove(name("t10k", kind, ".gz"));
    }
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    parallel_use(1);
    if (!mkdtemp(folder)) abort();
    for (int kind = 0; kind < 2; kind++)
        for (int gz = 0; gz < 2; gz++) {
            char target[64];
            snprintf(target, sizeof target, "train-%s%s", kinds[kind], gz ? ".gz" : "");
            if (symlink(target, name("t10k", kind, gz ? ".gz" : ""))) abort();
        }
    atexit(folder_end);
    return 0;
}

static void put(int kind, bool gz, const uint8_t *bytes, size_t len)
{
    remove(name("train", kind, gz ? "" : ".gz"));
    FILE *f = fopen(name("train", kind, gz ? ".gz" : ""), "wb");
    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f)) abort();
}

static void read_all(const struct dataset *d)
{
    struct err e;
    size_t bytes = (size_t)d->size * (size_t)d->size;
    uint8_t *pixels = mem_new(bytes, 1);
    for (int part = 0; part < DATA_PARTS; part++)
        for (uint32_t i = 0; i < d->count[part]; i += 1 + i / 8) {
            if (!d->format->read(d, (enum data_part)part, i, NULL, pixels, &e)) abort();
            if (d->labels[part][i] >= d->classes) abort();
        }
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 3) return 0;
    size_t images = (size_t)(bytes[1] << 8 | bytes[2]);
    if (images > len - 3) images = len - 3;
    put(0, bytes[0] & 1, bytes + 3, images);
    put(1, bytes[0] & 1, bytes + 3 + images, len - 3 - images);
    const struct data_format *f = format_named("idx");
    int classes = bytes[0] & 2 ? 10 : 0; /* the format's only setting */
    struct data_shape shape = { .size = 0 };
    struct dataset d;
    struct err e;
    bool shaped = f->shape(folder, &classes, 0, &shape, &e);
    bool opened = dataset_open(&d, &(struct data_source){ f, folder, &classes, 0, NULL }, &e);
    if (opened) {
        if (!shaped || shape.size != d.size || shape.classes != d.classes) abort();
        read_all(&d);
        dataset_close(&d);
    }
    return 0;
}
