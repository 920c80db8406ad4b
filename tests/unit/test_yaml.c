/* YAML into values: places, limits, refusals. */
#include "core/base/text.h"
#include "experiments/spec/yaml.h"
#include "tests/unit/unit.h"
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct pool pool;
    struct diags diags;
};

static struct value *fixture_read(struct fixture *f, const char *text)
{
    *f = (struct fixture){ .diags = { 0 } };
    diags_source(&f->diags, "t.yaml", text);
    return yaml_read("t.yaml", text, strlen(text), &f->pool, &f->diags);
}

static void fixture_clear(struct fixture *f)
{
    pool_clear(&f->pool);
    diags_clear(&f->diags);
}

static void place_is(const struct value *v, const char *text, int line, int column)
{
    ck_assert_ptr_nonnull(v);
    if (text) ck_assert_str_eq(v->text, text);
    ck_assert_int_eq(v->line, line);
    ck_assert_int_eq(v->column, column);
    ck_assert_str_eq(v->file, "t.yaml");
}

START_TEST(test_places)
{
    struct fixture f;
    struct value *v = fixture_read(&f, "a: 1\nb:\n  - x\n  - {c: 'y z'}\n\"ä\": é # no\n");
    ck_assert_int_eq(f.diags.count, 0);
    ck_assert_int_eq(v->kind, VALUE_MAP);
    place_is(value_find(v, "a"), "1", 1, 4);
    place_is(value_find(v, "a")->key, "a", 1, 1);
    const struct value *list = value_find(v, "b");
    ck_assert_int_eq(list->kind, VALUE_LIST);
    place_is(list->first, "x", 3, 5);
    place_is(list->first->next, NULL, 4, 5);
    place_is(value_find(list->first->next, "c"), "y z", 4, 9);
    ck_assert_ptr_null(list->first->next->next);
    place_is(value_find(v, "ä"), "é", 5, 6);
    fixture_clear(&f);
}
END_TEST

/* Texts that cannot be read on, and what is said first. */
static const struct {
    const char *text, *says;
} refusals[] = {
    { "", "nothing in it" },
    { "# only this\n", "nothing in it" },
    { "a: &x 1\n", "anchors" },
    { "a: [&x {b: 1}]\n", "anchors" },
    { "a: *x\n", "aliases" },
    { "*x : 1\n", "aliases" },
    { "a: !!int 1\n", "tags" },
    { "a: !t {b: 1}\n", "tags" },
    { "{a: 1}: 2\n", "plain word" },
    { "a: 1\n---\nb: 2\n", "second document" },
    { "a: \"x\\0y\"\n", "NUL" },
    { "a: {b: 1\n", "not valid YAML" },
    { "a: 1\n\tb: 2\n", "spaces, not with tabs" },
    { "a: \xff\n", "not valid YAML" },
    { "a: \xc3", "not valid YAML" },
    { "%YAML 9.9\n--- a\n", "not valid YAML" },
};

START_TEST(test_refusals)
{
    struct fixture f;
    ck_assert_ptr_null(fixture_read(&f, refusals[_i].text));
    ck_assert_int_eq(f.diags.count, 1);
    ck_assert_msg(strstr(f.diags.list[0].text, refusals[_i].says), "%s", f.diags.list[0].text);
    fixture_clear(&f);
}
END_TEST

START_TEST(test_goes_on)
{
    struct fixture f;
    struct value *v = fixture_read(&f, "a: 1\na: 2\nb:\nc: ''\nd: {e: 1, e: 2}\n");
    ck_assert_int_eq(f.diags.count, 3);
    place_is(value_find(v, "a"), "1", 1, 4);
    ck_assert_ptr_null(value_find(v, "b"));
    place_is(value_find(v, "c"), "", 4, 4);
    place_is(value_find(value_find(v, "d"), "e"), "1", 5, 8);
    fixture_clear(&f);
}
END_TEST

static bool limit_holds(const char *open, int times, const char *inner, const char *close)
{
    struct text t = { NULL, 0, 0 };
    struct fixture f;
    for (int i = 0; i < times; i++) text_add(&t, open);
    text_add(&t, inner);
    for (int i = 0; i < times; i++) text_add(&t, close);
    bool read = fixture_read(&f, t.s) != NULL;
    ck_assert_int_eq(f.diags.count, read ? 0 : 1);
    fixture_clear(&f);
    text_clear(&t);
    return read;
}

START_TEST(test_depth)
{
    ck_assert(limit_holds("[", 16, "x", "]"));
    ck_assert(!limit_holds("[", 17, "x", "]"));
    ck_assert(limit_holds("{a: ", 16, "x", "}"));
    ck_assert(!limit_holds("{a: ", 17, "x", "}"));
    ck_assert(!limit_holds("[", 100000, "x", "]"));
}
END_TEST

START_TEST(test_sizes)
{
    ck_assert(limit_holds("- x\n", 99999, "", ""));
    ck_assert(!limit_holds("- x\n", 100001, "", ""));
    struct text t = { NULL, 0, 0 };
    for (int i = 0; i < 1000; i++) text_addf(&t, "k%d: 1\n", i);
    ck_assert(limit_holds("", 1, t.s, ""));
    text_add(&t, "k: 1\n");
    ck_assert(!limit_holds("", 1, t.s, ""));
    text_clear(&t);
}
END_TEST

/* What diags_print says of a few diagnoses. */
static char *printed(const struct diags *d)
{
    char *s;
    size_t len;
    FILE *f = open_memstream(&s, &len);
    diags_print(d, f);
    fclose(f);
    return s;
}

START_TEST(test_print)
{
    struct fixture f;
    struct value *v = fixture_read(&f, "b: [1, 'x y']\na: {c: d}\n");
    diag_at(&f.diags, value_find(v, "a"), "use another", "a is %s", "wrong");
    diag_at(&f.diags, value_find(v, "b")->first->next, NULL, "bell \a here");
    diag_at(&f.diags, value_find(v, "b"), NULL, "b");
    diag_at(&f.diags, value_find(v, "b"), NULL, "b");
    diag_at(&f.diags, NULL, NULL, "no place");
    char *s = printed(&f.diags);
    ck_assert_str_eq(s, "t.yaml:1:4: error: b\n"
                        "    1 | b: [1, 'x y']\n"
                        "      |    ^~~~~~~~~~\n"
                        "t.yaml:1:8: error: bell \\x07 here\n"
                        "    1 | b: [1, 'x y']\n"
                        "      |        ^~~~~\n"
                        "t.yaml:2:4: error: a is wrong\n"
                        "    2 | a: {c: d}\n"
                        "      |    ^~~~~~\n"
                        "  use another\n"
                        "senet-exp: no place\n");
    free(s);
    fixture_clear(&f);
}
END_TEST

/* Lines are those of YAML, whatever breaks them. */
START_TEST(test_print_breaks)
{
    struct fixture f;
    struct value *v = fixture_read(&f, "a: 1\rb: 2\r\nc: 3\xe2\x80\xa8"
                                       "d: 4\n\r\r");
    diag_at(&f.diags, value_find(v, "b"), NULL, "b");
    diag_at(&f.diags, value_find(v, "d"), NULL, "d");
    char *s = printed(&f.diags);
    ck_assert_str_eq(s, "t.yaml:2:4: error: b\n    2 | b: 2\n      |    ^\n"
                        "t.yaml:4:4: error: d\n    4 | d: 4\n      |    ^\n");
    free(s);
    fixture_clear(&f);
}
END_TEST

START_TEST(test_print_many)
{
    struct fixture f;
    fixture_read(&f, "a: 1\n");
    for (int i = 0; i < 2000; i++) diag_at(&f.diags, NULL, NULL, "number %d", i);
    ck_assert_int_eq(f.diags.count, DIAGS_KEPT);
    char *s = printed(&f.diags);
    ck_assert_ptr_nonnull(strstr(s, "number 49\n... and 1950 more like these\n"));
    free(s);
    fixture_clear(&f);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("yaml");
    unit_case(s, "reading", 20,
              UNIT_TESTS(test_places, test_goes_on, test_depth, test_sizes, test_print,
                         test_print_breaks, test_print_many));
    TCase *c = tcase_create("refusals");
    tcase_add_loop_test(c, test_refusals, 0, (int)(sizeof refusals / sizeof *refusals));
    suite_add_tcase(s, c);
    return s;
}
