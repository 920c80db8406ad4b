#ifndef TESTS_UNIT_RESULTS_FIXTURE_H
#define TESTS_UNIT_RESULTS_FIXTURE_H
#include "core/base/file.h"
#include "core/base/text.h"
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A results folder made of text, as a run would leave it: /tmp/senet-results-XXXXXX. */
struct fixture {
    char dir[64];
};

/* Without file_write's sync: tests write thousands of damaged files. */
static inline void fixture_put(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert(fwrite(data, 1, len, f) == len && fclose(f) == 0);
}

static inline void fixture_write(const struct fixture *f, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    fixture_put(path, text, strlen(text));
}

static inline void fixture_make(struct fixture *f)
{
    struct err e;
    char runs[128];
    snprintf(f->dir, sizeof f->dir, "/tmp/senet-results-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f->dir));
    snprintf(runs, sizeof runs, "%s/runs", f->dir);
    ck_assert_msg(dir_make(runs, &e), "%s", e.text);
}

static inline void fixture_remove(struct fixture *f)
{
    char path[512], **names;
    size_t count;
    struct err e;
    snprintf(path, sizeof path, "%s/runs", f->dir);
    ck_assert(dir_list(path, &names, &count, &e));
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/runs/%s", f->dir, names[i]);
        unlink(path);
    }
    dir_list_free(names, count);
    snprintf(path, sizeof path, "%s/runs", f->dir);
    rmdir(path);
    snprintf(path, sizeof path, "%s/experiment.json", f->dir);
    unlink(path);
    rmdir(f->dir);
}

/* What differs between the records of a fixture. */
struct fixture_run {
    unsigned id;
    const char *status; /* "completed", ... */
    double top1;
    unsigned seed;
    /* What it was made with; zero: 2, "avx2", "fp32", 2, 1, 1 */
    int numerics;
    const char *isa, *precision;
    int threads, jobs, unfused;
};

static inline void fixture_run(const struct fixture *f, struct fixture_run run)
{
    struct text t = { 0 };
    char name[64];
    bool done = strcmp(run.status, "completed") == 0, failed = strcmp(run.status, "failed") == 0;
    text_addf(&t,
              "{\"version\":1,\"id\":\"%016x\",\"status\":\"%s\",\"why\":%s,\"diverged_step\":%s,",
              run.id, run.status, failed ? "\"data/7.jpg is cut short\"" : "null",
              strcmp(run.status, "diverged") == 0 ? "120" : "null");
    text_addf(&t,
              "\"seed\":%u,\"data\":{\"classes\":10},\"history\":[{\"epoch\":1,\"lr\":0.1,"
              "\"train_loss\":2.5,\"train_error\":90.25,\"validation_loss\":2.25,"
              "\"validation_error\":80,\"seconds\":61.5,\"images_per_second\":500},"
              "{\"epoch\":2,\"lr\":0.0005,\"images_per_second\":700.5},"
              "{\"epoch\":3,\"lr\":0,\"train_loss\":null,\"images_per_second\":null}],\"test\":",
              run.seed);
    if (done)
        text_addf(&t, "{\"loss\":0.5,\"top1\":%.2f,\"top5\":%.2f,\"count\":10000}", run.top1,
                  run.top1 / 10);
    else
        text_add(&t, "null");
    text_addf(&t,
              ",\"seconds\":%d.25,\"settings\":{\"train\":{\"precision\":\"%s\"}},\"backbone\":{"
              "\"unfused\":%d},\"machine\":{\"cpu\":\"CPU\",\"isa\":\"%s\",\"threads\":%d,",
              200 + (int)(run.seed % 100), run.precision ? run.precision : "fp32",
              run.unfused ? run.unfused : 1, run.isa ? run.isa : "avx2",
              run.threads ? run.threads : 2);
    text_addf(&t, "\"jobs\":%d},\"program\":{\"revision\":\"r\",\"numerics\":%d}}\n",
              run.jobs ? run.jobs : 1, run.numerics ? run.numerics : 2);
    snprintf(name, sizeof name, "runs/%016x.json", run.id);
    fixture_write(f, name, t.s);
    text_clear(&t);
}
#endif
