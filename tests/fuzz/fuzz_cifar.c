/* libFuzzer on the reader of CIFAR's binary files. Input: a byte (bit 0: CIFAR-100, bit 1: coarse
 * labels, bit 2: classes is given), then the bytes that every file holds. */
#include "core/base/parallel.h"
#include "core/data/data.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char folder[2][40] = { "/tmp/senet-fuzz-cifar10-XXXXXX", "/tmp/senet-fuzz-cifar100-XXXXXX" };
static const char *const files[2][7] = {
    { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
      "data_batch_5.bin", "test_batch.bin" },
    { "train.bin", "test.bin" },
};

static char *path_of(int set, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder[set], name);
    return path;
}

static void folder_end(void)
{
    for (int set = 0; set < 2; set++) {
        for (const char *const *f = files[set]; *f; f++) remove(path_of(set, *f));
        remove(path_of(set, "bytes"));
        rmdir(folder[set]);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    parallel_use(1);
    for (int set = 0; set < 2; set++) {
        if (!mkdtemp(folder[set])) abort();
        for (const char *const *f = files[set]; *f; f++)
            if (symlink("bytes", path_of(set, *f))) abort();
    }
    atexit(folder_end);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (!len) return 0;
    int set = bytes[0] & 1;
    FILE *file = fopen(path_of(set, "bytes"), "wb");
    if (!file || fwrite(bytes + 1, 1, len - 1, file) != len - 1 || fclose(file)) abort();
    const struct data_format *f = format_named("cifar");
    void *settings = mem_new(1, f->settings_size);
    struct dataset d;
    struct err e;
    fields_default(f->fields, settings);
    struct value v = { .kind = VALUE_SCALAR, .text = "coarse" };
    if (bytes[0] & 2 && !field_read(field_named(f->fields, "labels"), settings, &v, NULL, &e))
        abort();
    v.text = "10";
    if (bytes[0] & 4 && !field_read(field_named(f->fields, "classes"), settings, &v, NULL, &e))
        abort();
    if (dataset_open(&d, &(struct data_source){ f, folder[set], settings, 0, NULL }, &e)) {
        uint8_t pixels[3072];
        for (uint32_t i = 0; i < d.count[DATA_TRAIN]; i++) {
            if (!f->read(&d, DATA_TRAIN, i, NULL, pixels, &e)) abort();
            if (d.labels[DATA_TRAIN][i] >= d.classes) abort();
        }
        dataset_close(&d);
    }
    free(settings);
    return 0;
}
