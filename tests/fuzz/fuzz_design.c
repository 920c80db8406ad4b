/* libFuzzer on the reader of a results folder's design, and on the tables of what it takes for one,
 * in every format and with every kind of rows. Input: the file, as experiment.json, whose name
 * promises no digest. The seeds are designs that the program wrote. */
#include "experiments/export/writer.h"
#include "experiments/results/results.h"
#include "tests/fuzz/folder.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct fuzz_file file;

static void folder_end(void)
{
    remove(file.path);
    rmdir(file.folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_file_make(&file, "experiment.json");
    atexit(folder_end);
    return 0;
}

static void tables_write(const struct results *r)
{
    for (int rows = 0; rows < TABLE_ROWS; rows++) {
        struct table t;
        table_build_rows(&t, r, (enum table_rows)rows);
        for (const struct writer *const *w = writers; *w; w++) {
            struct text out = { 0 };
            (*w)->write(&out, &t, r);
            text_clear(&out);
        }
        table_clear(&t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct results r;
    struct err e = { .text = "" };
    fuzz_file_put(&file, bytes, len);
    if (results_read(file.folder, NULL, &r, &e)) {
        tables_write(&r);
        results_clear(&r);
    } else if (!e.text[0])
        abort();
    return 0;
}
