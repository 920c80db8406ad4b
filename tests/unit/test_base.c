/* The base layer: each module's promises, and the refusals of its readers. */
#include "core/base/digest.h"
#include "core/base/escape.h"
#include "core/base/fields.h"
#include "core/base/file.h"
#include "core/base/lookup.h"
#include "core/base/parallel.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

START_TEST(text_grows_and_escapes)
{
    struct text t = { NULL, 0, 0 };
    text_addf(&t, "%d-", 7);
    text_json(&t, "a\"b\\c\n");
    ck_assert_str_eq(t.s, "7-\"a\\\"b\\\\c\\u000a\"");
    text_clear(&t);
    for (int i = 0; i < 1000; i++) text_add(&t, "0123456789");
    ck_assert_uint_eq(t.len, 10000);
    text_clear(&t);
}
END_TEST

/* What is harmless UTF-8 stays, to the byte; the rest is written out. */
START_TEST(foreign_text_is_escaped)
{
    static const struct {
        const char *s, *want;
    } cases[] = {
        { "", "" },
        { "a\x01\x7f\n\033[1m", "a\\x01\\x7f\n\\x1b[1m" },
        { "\u2028\u202e\u2066\ufeff\xc2\x9b", "\\u2028\\u202e\\u2066\\ufeff\\u009b" },
        { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80",
          "\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80" },
        { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
        { "lat\xe9in", "lat\\xe9in" },
        { "\xc3", "\\xc3" },
        { "\xe2\x82z", "\\xe2\\x82z" },
        { "\xf0\x9f\x98", "\\xf0\\x9f\\x98" },
        { "\xc0\xaf", "\\xc0\\xaf" },                   /* longer than need be */
        { "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },          /* the same */
        { "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" }, /* the same */
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* past U+10FFFF */
        { "\x80\xff", "\\x80\\xff" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text t = { NULL, 0, 0 };
        text_add(&t, "");
        text_escaped(&t, cases[i].s, strlen(cases[i].s), "\n");
        ck_assert_str_eq(t.s, cases[i].want);
        text_clear(&t);
    }
}
END_TEST

START_TEST(text_quotes_fields)
{
    static const char *const cases[][2] = {
        { "", "" },
        { "plain text", "plain text" },
        { "a,b", "\"a,b\"" },
        { "\"", "\"\"\"\"" },
        { "say \"a\"", "\"say \"\"a\"\"\"" },
        { "two\nlines", "\"two\nlines\"" },
        { "re\rturn", "\"re\rturn\"" },
        { "\033]0;t\a", "\\x1b]0;t\\x07" },
        { "\xe9,", "\"\\xe9,\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text t = { NULL, 0, 0 };
        text_csv(&t, cases[i][0]);
        ck_assert_str_eq(t.s, cases[i][1]);
        text_clear(&t);
    }
}
END_TEST

START_TEST(text_writes_reals_that_read_back)
{
    const struct {
        double v;
        const char *s;
    } cases[] = { { 0.1, "0.1" },       { 5e-4, "0.0005" },
                  { 100000, "100000" }, { 1.0 / 3, "0.3333333333333333" },
                  { -0.0, "-0" },       { NAN, "null" },
                  { INFINITY, "null" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text t = { NULL, 0, 0 };
        text_real(&t, cases[i].v);
        ck_assert_str_eq(t.s, cases[i].s);
        text_clear(&t);
    }
}
END_TEST

START_TEST(text_finds_the_likely_word)
{
    const char *words[] = { "reduction", "squeeze", "excitation", "placement", "lr" };
    ck_assert_str_eq(text_nearest("reducton", words, 5), "reduction");
    ck_assert_str_eq(text_nearest("sqeueze", words, 5), "squeeze");
    ck_assert_str_eq(text_nearest("LR", words, 5), "lr");
    ck_assert_ptr_null(text_nearest("momentum", words, 5));
    ck_assert_ptr_null(text_nearest("", words, 5));
    const char *numbered[] = { "resnet56", "resnet50", "resnet52" };
    ck_assert_str_eq(text_nearest("resnet51", numbered, 2), "resnet50");
    ck_assert_str_eq(text_nearest("resnet51", numbered, 3), "resnet50"); /* the first of equals */
    ck_assert_str_eq(text_nearest("resnet54", numbered, 3), "resnet56");
}
END_TEST

START_TEST(text_shortens_words_that_nobody_reads)
{
    char s[5000] = "", want[200];
    ck_assert_str_eq(text_shorten(s), "");
    snprintf(s, sizeof s, "a word of %0200d characters", 7);
    char *same = mem_text(s);
    ck_assert_str_eq(text_shorten(s), same);
    free(same);
    snprintf(s, sizeof s, "%0201d and \"%03000d\", %s", 1, 2, "why");
    snprintf(want, sizeof want, "%0100d...%040d and", 0, 1);
    ck_assert(strncmp(text_shorten(s), want, strlen(want)) == 0);
    ck_assert_str_eq(s + strlen(s) - 7, "2\", why");
    ck_assert_uint_lt(strlen(s), 320);
    memset(s, 0, sizeof s);
    for (int i = 0; i < 1000; i++) memcpy(s + 3 * i, "\xe2\x82\xac", 3); /* characters stay whole */
    ck_assert_uint_eq(strlen(text_shorten(s)), 3 * 140 + 3);
    ck_assert(strncmp(s + 300, "...\xe2\x82\xac", 6) == 0);
}
END_TEST

START_TEST(lookup_finds_what_was_added)
{
    struct lookup l = { .n = 0 };
    ck_assert_int_eq(lookup_find(&l, 0), -1);
    for (int i = 0; i < 3000; i++) { /* 64 keys a place: they collide */
        const uint64_t key = (uint64_t)(i / 64) | (uint64_t)(i % 64) << 32;
        ck_assert_int_eq(lookup_find(&l, key), -1);
        lookup_add(&l, key, i);
    }
    for (int i = 0; i < 3000; i++)
        ck_assert_int_eq(lookup_find(&l, (uint64_t)(i / 64) | (uint64_t)(i % 64) << 32), i);
    ck_assert_int_eq(lookup_find(&l, (uint64_t)64 << 32), -1);
    ck_assert_int_eq(l.n, 3000);
    lookup_clear(&l);
}
END_TEST

START_TEST(digest_is_xxh3)
{
    char hex[DIGEST_TEXT];
    digest_text(digest_of("", 0), hex); /* a published test vector of XXH3-64 */
    ck_assert_str_eq(hex, "2d06800538d394c2");
    struct digest *d = digest_create();
    digest_add(d, "squeeze", 7);
    digest_add(d, "", 0);
    digest_add(d, "excite", 6);
    ck_assert_uint_eq(digest_end(d), digest_of("squeezeexcite", 13));
}
END_TEST

static void mark(void *ctx, size_t chunk) { ((int *)ctx)[chunk]++; }

START_TEST(parallel_runs_each_chunk_once)
{
    for (int threads = 1; threads <= 8; threads++) {
        int done[100] = { 0 };
        parallel_use(threads);
        parallel_for(100, mark, done);
        for (int i = 0; i < 100; i++) ck_assert_int_eq(done[i], 1);
    }
}
END_TEST

START_TEST(parallel_parts_cover)
{
    for (size_t n = 0; n < 40; n++)
        for (size_t chunks = 1; chunks < 9; chunks++) {
            size_t at = 0, begin, end;
            for (size_t c = 0; c < chunks; c++) {
                parallel_part(n, chunks, c, &begin, &end);
                ck_assert_uint_eq(begin, at);
                ck_assert_uint_le(end - begin, n / chunks + 1);
                at = end;
            }
            ck_assert_uint_eq(at, n);
        }
}
END_TEST

START_TEST(file_round_trip_and_refusals)
{
    struct err e = { "", NULL };
    char dir[] = "/tmp/senet-base-XXXXXX", path[64], deep[64];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(deep, sizeof deep, "%s/a/b/c", dir);
    snprintf(path, sizeof path, "%s/a/b/c/x", dir);
    ck_assert(dir_make(deep, &e) && dir_make(deep, &e));
    ck_assert(file_write(path, "one", 3, &e) && file_write(path, "two\0!", 5, &e));
    struct bytes b;
    ck_assert(file_read(path, &b, &e));
    ck_assert_uint_eq(b.len, 5);
    ck_assert_mem_eq(b.data, "two\0!", 6);
    free(b.data);
    char **names;
    size_t count;
    ck_assert(dir_list(deep, &names, &count, &e));
    ck_assert_uint_eq(count, 1); /* no temporary file stays behind */
    ck_assert_str_eq(names[0], "x");
    dir_list_free(names, count);
    ck_assert(!dir_make(path, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "Not a directory"));
    ck_assert(!file_write(dir, "x", 1, &e)); /* a folder is in the way */
    ck_assert_ptr_nonnull(strstr(e.text, dir));
    ck_assert(!file_read("/nowhere/at/all", &b, &e));
    ck_assert_str_eq(e.text, "/nowhere/at/all: No such file or directory");
    ck_assert(!dir_list("/nowhere", &names, &count, &e));
    unlink(path);
}
END_TEST

/* Two writers of one path, as alike as two hosts with one process id. */
static const char *shared_path;
static void *write_often(void *what)
{
    char *all = mem_new(1 << 16, 1);
    struct err e;
    memset(all, *(const char *)what, 1 << 16);
    bool good = true;
    for (int i = 0; i < 40; i++) good = file_write(shared_path, all, 1 << 16, &e) && good;
    free(all);
    return good ? what : NULL;
}

START_TEST(writers_of_one_file_do_not_meet)
{
    char dir[] = "/tmp/senet-base-XXXXXX", path[64];
    static char what[2][2] = { "a", "b" };
    pthread_t other;
    struct err e;
    struct bytes b;
    void *good;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/x", dir);
    shared_path = path;
    ck_assert_int_eq(pthread_create(&other, NULL, write_often, what[0]), 0);
    ck_assert_ptr_nonnull(write_often(what[1]));
    ck_assert_int_eq(pthread_join(other, &good), 0);
    ck_assert_ptr_nonnull(good);
    ck_assert(file_read(path, &b, &e));
    ck_assert_uint_eq(b.len, 1 << 16);
    for (size_t i = 0; i < b.len; i++) ck_assert_int_eq(b.data[i], b.data[0]);
    free(b.data);
    unlink(path);
    rmdir(dir);
}
END_TEST

/* In the place of the system's, for the whole program: what chance gives, once it has given this.
 */
static const unsigned long long *chances;
ssize_t given_chance(void *to, size_t len, unsigned flags) __asm__("getrandom");
ssize_t given_chance(void *to, size_t len, unsigned flags)
{
    static unsigned long long next = 1000;
    (void)flags;
    unsigned long long v = chances && *chances ? *chances++ : next++;
    memcpy(to, &v, len);
    return (ssize_t)len;
}

START_TEST(a_link_in_the_place_of_a_temporary_file_is_not_followed)
{
    char dir[] = "/tmp/senet-base-XXXXXX", path[64], link[96], other[64];
    struct err e;
    struct bytes b;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/x", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    snprintf(link, sizeof link, "%s.%016llx.tmp", path, 7ULL);
    ck_assert(file_write(other, "kept", 4, &e));
    ck_assert_int_eq(symlink(other, link), 0);
    chances = (const unsigned long long[]){ 7, 7, 8, 0 };
    ck_assert_msg(file_write(path, "written", 7, &e), "%s", e.text);
    chances = NULL;
    ck_assert(file_read(other, &b, &e));
    ck_assert_str_eq((const char *)b.data, "kept");
    free(b.data);
    ck_assert(file_read(path, &b, &e));
    ck_assert_str_eq((const char *)b.data, "written");
    free(b.data);
    unlink(path), unlink(other), unlink(link), rmdir(dir);
}
END_TEST

/* In the place of the system's, while `clock_off` is set: this machine's clock is an hour fast. */
static bool clock_off;
int shifted_clock(clockid_t clock, struct timespec *now) __asm__("clock_gettime");
int shifted_clock(clockid_t clock, struct timespec *now)
{
    const int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock_off) now->tv_sec += 3600;
    return failed;
}

START_TEST(files_are_dated_by_the_clock_that_stamps_them)
{
    char dir[] = "/tmp/senet-base-XXXXXX", path[64];
    struct timespec now;
    struct stat before, after;
    struct err e;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/x", dir);
    ck_assert(file_write(path, "x", 1, &e));
    ck_assert_int_eq(stat(path, &before), 0);
    clock_off = true;
    ck_assert_msg(file_clock(dir, &now, &e), "%s", e.text);
    clock_off = false;
    ck_assert(file_write(path, "x", 1, &e));
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_int_ge(now.tv_sec, before.st_mtim.tv_sec);
    ck_assert_int_le(now.tv_sec, after.st_mtim.tv_sec);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing is left of it */
}
END_TEST

struct sample {
    int count, mode;
    double rate;
    bool on;
    const char *path;
};
static const char *const modes[] = { "avg", "max", "none", NULL };
static bool sample_on(const void *of) { return ((const struct sample *)of)->on; }
static const struct field sample_fields[] = {
    INT(sample, count, 3, 0, 9, "how many", .zero = "auto"),
    CHOICE(sample, mode, modes, 1, "which"),
    REAL(sample, rate, 0.1, 0, 1, "how fast", .applies = sample_on),
    BOOL(sample, on, 0, "whether"),
    TEXT(sample, path, NULL, "where"),
    FIELDS_END,
};

static bool put(struct sample *s, struct pool *p, const char *key, const char *text, struct err *e)
{
    struct value v = { .kind = VALUE_SCALAR, .text = text };
    return field_read(field_named(sample_fields, key), s, &v, p, e);
}

START_TEST(fields_read_and_write)
{
    struct sample s;
    struct pool p = { NULL };
    struct err e = { "", NULL };
    struct text t = { NULL, 0, 0 };
    fields_default(sample_fields, &s);
    fields_write(sample_fields, &s, &t);
    ck_assert_str_eq(t.s, "\"count\":3,\"mode\":\"max\",\"on\":false,\"path\":null");
    text_clear(&t);
    ck_assert(put(&s, &p, "count", "auto", &e) && put(&s, &p, "mode", "none", &e));
    ck_assert(put(&s, &p, "rate", "5e-1", &e) && put(&s, &p, "on", "true", &e));
    ck_assert(put(&s, &p, "path", "a b", &e));
    fields_write(sample_fields, &s, &t);
    ck_assert_str_eq(
        t.s, "\"count\":\"auto\",\"mode\":\"none\",\"rate\":0.5,\"on\":true,\"path\":\"a b\"");
    text_clear(&t);
    pool_clear(&p);
}
END_TEST

START_TEST(fields_refuse)
{
    const struct {
        const char *key, *text, *says;
    } cases[] = {
        { "count", "10", "\"10\" is not an integer 0..9, or auto" },
        { "count", "2.5", "\"2.5\" is not an integer 0..9, or auto" },
        { "count", "0x3", "\"0x3\" is not an integer 0..9, or auto" },
        { "count", "", "\"\" is not an integer 0..9, or auto" },
        { "rate", "nan", "\"nan\" is not a number 0..1" },
        { "rate", "1e999", "\"1e999\" is not a number 0..1" },
        { "rate", "0.1x", "\"0.1x\" is not a number 0..1" },
        { "mode", "mean", "\"mean\" is not one of avg, max, none" },
        { "on", "yes", "\"yes\" is not true or false" },
    };
    struct sample s;
    struct pool p = { NULL };
    fields_default(sample_fields, &s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = { "", NULL };
        ck_assert(!put(&s, &p, cases[i].key, cases[i].text, &e));
        ck_assert_str_eq(e.text, cases[i].says);
        ck_assert_ptr_nonnull(e.at);
    }
    struct value list = { .kind = VALUE_LIST };
    struct err e = { "", NULL };
    ck_assert(!field_read(sample_fields, &s, &list, &p, &e));
    ck_assert_str_eq(e.text, "a list is not an integer 0..9, or auto");
    ck_assert_int_eq(s.count, 3); /* what was refused changed nothing */
    pool_clear(&p);
}
END_TEST

START_TEST(pool_keeps_everything)
{
    struct pool p = { NULL };
    char *texts[200];
    for (int i = 0; i < 200; i++) texts[i] = pool_textf(&p, "number %d %0*d", i, i * 7, i);
    for (int i = 0; i < 200; i++) {
        char want[32];
        snprintf(want, sizeof want, "number %d ", i);
        ck_assert_int_eq(strncmp(texts[i], want, strlen(want)), 0);
        ck_assert_int_eq(atoi(strrchr(texts[i], ' ') + 1), i);
    }
    pool_clear(&p);
    ck_assert_ptr_null(p.blocks);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("base");
    unit_case(s, "text", 10,
              UNIT_TESTS(text_grows_and_escapes, foreign_text_is_escaped, text_quotes_fields,
                         text_writes_reals_that_read_back, text_finds_the_likely_word,
                         text_shortens_words_that_nobody_reads));
    unit_case(s, "lookup", 10, UNIT_TESTS(lookup_finds_what_was_added));
    unit_case(s, "digest", 10, UNIT_TESTS(digest_is_xxh3));
    unit_case(s, "parallel", 30, UNIT_TESTS(parallel_runs_each_chunk_once, parallel_parts_cover));
    unit_case(s, "file", 10,
              UNIT_TESTS(file_round_trip_and_refusals, writers_of_one_file_do_not_meet,
                         a_link_in_the_place_of_a_temporary_file_is_not_followed,
                         files_are_dated_by_the_clock_that_stamps_them));
    unit_case(s, "fields", 10, UNIT_TESTS(fields_read_and_write, fields_refuse));
    unit_case(s, "memory", 10, UNIT_TESTS(pool_keeps_everything));
    return s;
}
