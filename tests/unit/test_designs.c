/* The designs of a results folder: found by digest, newest and main, edited ones and foreign
 * records refused. */
#include "experiments/results/results.h"
#include "tests/unit/results_fixture.h"
#include <sys/stat.h>

/* A design of one point and one seed that names the run `id`. */
static void design_text(struct text *t, const char *experiment, unsigned id, int seed)
{
    text_addf(t,
              "{\"version\":1,\"experiment\":\"%s\",\"question\":null,\"mirrors\":null,"
              "\"baseline\":null,\"seeds\":[%d],\"axis_keys\":[],\"points\":[{\"label\":\"one\","
              "\"axes\":{},\"same_as\":null,\"parameters\":10,\"parameters_with_statistics\":12,"
              "\"se_parameters\":0,\"macs\":999,\"hidden\":{},\"settings\":{},\"runs\":"
              "[\"%016x\"]}]}\n",
              experiment, seed, id);
}

static void put(const struct fixture *f, const char *experiment, int seed, char digest[DIGEST_TEXT])
{
    struct text t = { 0 };
    struct err e;
    char path[128];
    snprintf(path, sizeof path, "%s/designs", f->dir);
    ck_assert(dir_make(path, &e));
    design_text(&t, experiment, 1, seed);
    ck_assert_msg(designs_put(f->dir, &t, digest, &e), "%s", e.text);
    text_clear(&t);
}

static void folder_remove(struct fixture *f)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", f->dir);
    ck_assert_int_eq(system(command), 0);
}

static void shows(const struct fixture *f, const char *name, const char *experiment)
{
    struct results r;
    struct err e;
    ck_assert_msg(results_read(f->dir, name, &r, &e), "%s", e.text);
    ck_assert_str_eq(r.experiment, experiment);
    results_clear(&r);
}

static void refuses(const struct fixture *f, const char *name, const char *why)
{
    struct results r;
    struct err e;
    ck_assert(!results_read(f->dir, name, &r, &e));
    ck_assert_msg(strstr(e.text, why), "\"%s\" does not say \"%s\"", e.text, why);
}

START_TEST(test_chosen)
{
    struct fixture f;
    struct err e;
    char one[DIGEST_TEXT], two[DIGEST_TEXT], again[DIGEST_TEXT];
    fixture_make(&f);
    refuses(&f, NULL, "is not a results folder");
    put(&f, "first", 1, one);
    shows(&f, NULL, "first");
    refuses(&f, "main", "designs/main does not say");
    ck_assert(designs_set_main(f.dir, one, &e));
    put(&f, "second", 1, two);
    ck_assert_str_ne(one, two);
    shows(&f, NULL, "second");
    shows(&f, "newest", "second");
    shows(&f, "main", "first");
    shows(&f, one, "first");
    one[7] = 0;
    shows(&f, one, "first");
    refuses(&f, "g", "no design of");
    refuses(&f, "", "several designs of");
    put(&f, "first", 1, again);
    shows(&f, NULL, "first");
    struct designs all;
    ck_assert(designs_read(f.dir, &all, &e));
    ck_assert_int_eq(all.n, 2);
    designs_clear(&all);
    folder_remove(&f);
}
END_TEST

/* Without the mark there are two that might be meant. */
START_TEST(test_not_guessed)
{
    struct fixture f;
    char one[DIGEST_TEXT], path[128];
    fixture_make(&f);
    put(&f, "first", 1, one);
    put(&f, "second", 1, one);
    snprintf(path, sizeof path, "%s/designs/newest", f.dir);
    ck_assert_int_eq(unlink(path), 0);
    refuses(&f, NULL, "which of its designs is the newest");
    fixture_put(path, "0123456789abcdef\n", 17);
    refuses(&f, NULL, "which of its designs is the newest");
    folder_remove(&f);
}
END_TEST

START_TEST(test_edited)
{
    struct fixture f;
    struct err e;
    struct bytes b;
    char digest[DIGEST_TEXT], path[128];
    fixture_make(&f);
    put(&f, "first", 1, digest);
    snprintf(path, sizeof path, "%s/designs/%s.json", f.dir, digest);
    ck_assert(file_read(path, &b, &e));
    for (size_t i = 0; i < b.len; i++) {
        unsigned char was = b.data[i];
        b.data[i] = was == '1' ? '2' : '1';
        fixture_put(path, b.data, b.len);
        refuses(&f, NULL, "edited or cut");
        b.data[i] = was;
    }
    fixture_put(path, b.data, b.len);
    shows(&f, NULL, "first");
    free(b.data);
    folder_remove(&f);
}
END_TEST

/* What an earlier version left is one of the designs, and stays the main one. */
START_TEST(test_early)
{
    struct fixture f;
    struct text t = { 0 };
    struct err e;
    char digest[DIGEST_TEXT];
    fixture_make(&f);
    design_text(&t, "early", 1, 1);
    fixture_write(&f, "experiment.json", t.s);
    shows(&f, NULL, "early");
    shows(&f, "main", "early");
    put(&f, "late", 1, digest);
    ck_assert_msg(designs_adopt_early(f.dir, &e), "%s", e.text);
    shows(&f, NULL, "late");
    shows(&f, "main", "early");
    text_clear(&t);
    folder_remove(&f);
}
END_TEST

/* The record under the design's id is of another seed. */
START_TEST(test_foreign_record)
{
    struct fixture f;
    char digest[DIGEST_TEXT];
    fixture_make(&f);
    fixture_run(&f, (struct fixture_run){ 1, "completed", 10, .seed = 3 });
    put(&f, "first", 3, digest);
    shows(&f, NULL, "first");
    put(&f, "first", 4, digest);
    refuses(&f, NULL, "its seed is 3");
    folder_remove(&f);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("designs");
    unit_case(
        s, "designs", 20,
        UNIT_TESTS(test_chosen, test_not_guessed, test_edited, test_early, test_foreign_record));
    return s;
}
