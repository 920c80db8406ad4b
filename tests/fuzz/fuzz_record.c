/* libFuzzer on the reader of records. Input: a byte (bit 0: the file is as it stands; otherwise its
 * last lines, the seal, are made to fit), then the file of the run that ID names. The seeds are
 * records that the program wrote, with another id. */
#include "experiments/results/record.h"
#include "experiments/results/seal.h"
#include "tests/fuzz/folder.h"
#include <math.h>
#include <sys/stat.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define ID "0123456789abcdef"
static struct fuzz_file file;

static void folder_end(void)
{
    char runs[64];
    remove(file.path);
    snprintf(runs, sizeof runs, "%s/runs", file.folder);
    rmdir(runs);
    rmdir(file.folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    char runs[64];
    fuzz_file_make(&file, "runs/" ID ".json");
    snprintf(runs, sizeof runs, "%s/runs", file.folder);
    if (mkdir(runs, 0700)) abort();
    atexit(folder_end);
    return 0;
}

/* The text without its last member, sealed; without such a member, as it is. */
static void sealed(struct text *t)
{
    static const char last[] = ",\n\t\"digest\":";
    char *at = NULL;
    for (char *s = t->s; s && (s = strstr(s, last)); s++) at = s;
    if (!at) return;
    t->len = (size_t)(at - t->s);
    *at = 0;
    text_add(t, "\n}\n");
    seal_add(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 2) return 0;
    struct text t = { 0 };
    char *copy = calloc(len, 1);
    memcpy(copy, bytes + 1, len - 1);
    text_add(&t, copy);
    bool mended = !(bytes[0] & 1) && t.len == len - 1; /* no NUL within */
    if (mended) sealed(&t);
    fuzz_file_put(&file, mended ? t.s : copy, mended ? t.len : len - 1);
    struct record r;
    struct err e = { .text = "" };
    int found = record_read(file.folder, ID, &r, &e);
    if (found == 0 || (found < 0) != (e.text[0] != 0)) abort();
    if (found == 1 && r.status == RECORD_COMPLETED && !(r.top1 >= 0 && r.top1 <= 100)) abort();
    if (found == 1 && r.status != RECORD_COMPLETED && !isnan(r.top1)) abort();
    if (found == 1) record_clear(&r);
    text_clear(&t);
    free(copy);
    return 0;
}
