/* The settings of the SE block: what is read, how it is written back, what is refused. */
#include "core/nn/se.h"
#include "tests/unit/unit.h"
#include <string.h>

/* A value of the given kind: a scalar, or children "a", "b" of a list, or "key", "a" of a map. */
struct written {
    struct value top, child[3], key[3];
};

static const struct value *write_value(struct written *w, enum value_kind kind,
                                       const char *const *words)
{
    *w =
        (struct written){ .top = { .kind = kind, .text = kind == VALUE_SCALAR ? words[0] : NULL } };
    struct value **next = &w->top.first;
    for (int i = 0; kind != VALUE_SCALAR && i < 3 && *words; i++, next = &(*next)->next) {
        if (kind == VALUE_MAP) {
            w->key[i] = (struct value){ .kind = VALUE_SCALAR, .text = *words++ };
            w->child[i].key = &w->key[i];
        }
        w->child[i].kind = VALUE_SCALAR;
        w->child[i].text = *words++;
        *next = &w->child[i];
    }
    return &w->top;
}

static const struct {
    const char *key;
    enum value_kind kind;
    const char *words[7];
    const char *json; /* what is read, written back; NULL: refused */
    const char *message;
} readings[] = {
    { "reduction", VALUE_SCALAR, { "8" }, "8", NULL },
    { "reduction", VALUE_SCALAR, { "none" }, "\"none\"", NULL },
    { "reduction", VALUE_MAP, { "2", "8", "4", "none", "3", "4" }, "{\"2\":8,\"3\":4}", NULL },
    { "reduction", VALUE_MAP, { "2", "none" }, "\"none\"", NULL },
    { "stages", VALUE_SCALAR, { "all" }, "\"all\"", NULL },
    { "stages", VALUE_LIST, { "4", "2" }, "[2, 4]", NULL },
    { "stages", VALUE_LIST, { "1", "7" }, "[1, 7]", NULL },
    { "reduction",
      VALUE_SCALAR,
      { "0" },
      NULL,
      "\"0\" is not none, an integer >= 1, or a map from stages to these: {2: 8, 4: none}" },
    { "reduction",
      VALUE_SCALAR,
      { "99999999999999999999" },
      NULL,
      "\"99999999999999999999\" is not" },
    { "reduction", VALUE_SCALAR, { "-4" }, NULL, "\"-4\" is not none" },
    { "reduction", VALUE_SCALAR, { "16.0" }, NULL, "\"16.0\" is not none" },
    { "reduction", VALUE_LIST, { "2" }, NULL, "a reduction is not none" },
    { "reduction", VALUE_MAP, { NULL }, NULL, "an empty map is not none" },
    { "reduction", VALUE_MAP, { "0", "8" }, NULL, "\"0\" is not a stage" },
    { "reduction", VALUE_MAP, { "2", "x" }, NULL, "\"x\" is not none" },
    { "stages", VALUE_SCALAR, { "2" }, NULL, "\"2\" is not all or a list of stages" },
    { "stages", VALUE_LIST, { NULL }, NULL, "\"[]\" is not all or a list of stages" },
    { "stages", VALUE_LIST, { "8" }, NULL, "\"8\" is not a stage" },
    { "stages", VALUE_LIST, { "3", "3" }, NULL, "stage 3 is listed twice" },
    { "min_hidden", VALUE_SCALAR, { "0" }, NULL, "\"0\" is not an integer 1..4096" },
    { "squeeze", VALUE_SCALAR, { "mean" }, NULL, "\"mean\" is not one of avg, max, none" },
};
enum { READINGS = sizeof readings / sizeof *readings };

START_TEST(reads)
{
    struct se_settings s;
    struct written w;
    struct pool p = { NULL };
    struct err e = { .text = "" };
    struct text json = { NULL, 0, 0 };
    fields_default(se_fields, &s);
    const struct field *f = field_named(se_fields, readings[_i].key);
    bool ok = field_read(f, &s, write_value(&w, readings[_i].kind, readings[_i].words), &p, &e);
    ck_assert_msg(ok == !readings[_i].message, "%s", e.text);
    if (!ok) {
        ck_assert_msg(!strncmp(e.text, readings[_i].message, strlen(readings[_i].message)), "%s",
                      e.text);
        ck_assert_ptr_nonnull(e.at);
        struct se_settings before;
        fields_default(se_fields, &before);
        ck_assert_int_eq(s.reduction.all, before.reduction.all);
        ck_assert_uint_eq(s.stages, before.stages);
        return;
    }
    field_write(f, &s, &json);
    ck_assert_str_eq(json.s, readings[_i].json);
    text_clear(&json);
}
END_TEST

START_TEST(defaults_and_what_applies)
{
    struct se_settings s;
    struct text json = { NULL, 0, 0 };
    fields_default(se_fields, &s);
    fields_write(se_fields, &s, &json);
    ck_assert_str_eq(json.s, "\"reduction\":16,\"squeeze\":\"avg\",\"excitation\":\"sigmoid\","
                             "\"placement\":\"standard\",\"stages\":\"all\",\"bias\":true,"
                             "\"min_hidden\":1");
    text_clear(&json);
    s.reduction.all = 0;
    fields_write(se_fields, &s, &json);
    ck_assert_str_eq(json.s, "\"reduction\":\"none\"");
    text_clear(&json);
}
END_TEST

START_TEST(hidden_widths)
{
    struct se_settings s;
    fields_default(se_fields, &s);
    ck_assert_int_eq(se_hidden(&s, 2, 256), 16);
    ck_assert_int_eq(se_hidden(&s, 2, 47), 2); /* rounded down */
    ck_assert_int_eq(se_hidden(&s, 2, 8), 1);
    s.stages = 1 << 3;
    ck_assert_int_eq(se_hidden(&s, 2, 256), 0);
    ck_assert_int_eq(se_hidden(&s, 3, 256), 16);
    s.reduction.all = 0;
    ck_assert(!se_any(&s));
    s.reduction.stage[3] = 4;
    ck_assert_int_eq(se_hidden(&s, 3, 256), 64);
    ck_assert(se_any(&s));
}
END_TEST

/* A network with places standard and post in stages 1 and 3. */
static struct net places(const struct se_settings *s)
{
    struct net n = { .graph = graph_create(), .se = s };
    struct tensor *x = graph_input(n.graph, "images", 1, 4, 4, 8);
    net_stage(&n, 1);
    x = se_apply(&n, x, SE_STANDARD, "a");
    net_stage(&n, 3);
    x = se_apply(&n, se_apply(&n, x, SE_POST, "b"), SE_STANDARD, "c");
    ck_assert_ptr_nonnull(x);
    return n;
}

static const struct {
    struct se_settings se;
    const char *message; /* NULL: accepted */
} checks[] = {
    { { .reduction.all = 4 }, NULL },
    { { .reduction.all = 4, .stages = 1 << 1 }, NULL },
    { { .reduction.stage = { 0, 4, 0, 2 } }, NULL },
    { { .placement = SE_PRE }, NULL }, /* no SE block is asked for */
    { { .reduction.all = 4, .placement = SE_PRE },
      "model.se.placement: this network has no place pre for SE blocks; it has standard, post" },
    { { .reduction.all = 4, .stages = 1 << 2 },
      "model.se.stages: stage 2 is asked for, but this network has stages 1, 3" },
    { { .reduction.stage = { 0, 4 }, .placement = SE_POST },
      "model.se.reduction: stage 1 is asked for, but this network has stages 3" },
};
enum { CHECKS = sizeof checks / sizeof *checks };

START_TEST(places_that_a_network_has)
{
    struct err e = { .text = "" };
    struct net n = places(&checks[_i].se);
    ck_assert_msg(se_check(&n, &e) == !checks[_i].message, "%s", e.text);
    if (checks[_i].message) ck_assert_str_eq(e.text, checks[_i].message);
    ck_assert_uint_eq(n.se_placements, 1u << SE_STANDARD | 1u << SE_POST);
    graph_destroy(n.graph);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("se");
    TCase *c = tcase_create("reading");
    tcase_add_loop_test(c, reads, 0, READINGS);
    tcase_add_loop_test(c, places_that_a_network_has, 0, CHECKS);
    suite_add_tcase(s, c);
    unit_case(s, "settings", 10, UNIT_TESTS(defaults_and_what_applies, hidden_widths));
    return s;
}
