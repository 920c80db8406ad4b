/* The paper's rows against what else is known of them. */
#include "experiments/spec/paper.h"
#include "tests/unit/unit.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const struct paper_row *row_of(const char *table, const char *value)
{
    for (const struct paper_row *r = paper_table_named(table)->rows; r->label; r++)
        if (strcmp(r->value, value) == 0) return r;
    ck_abort_msg("%s has no row %s", table, value);
}

START_TEST(test_rows)
{
    int rows = 0;
    for (const struct paper_table *t = paper_tables; t->name; t++) {
        ck_assert_ptr_eq(paper_table_named(t->name), t);
        for (const struct paper_row *r = t->rows; r->label; r++, rows++) {
            cJSON *value = cJSON_Parse(r->value);
            ck_assert_msg(value, "%s, %s: %s is no JSON", t->name, r->label, r->value);
            cJSON_Delete(value);
            ck_assert(strncmp(r->key, "model.se.", 9) == 0);
            ck_assert(r->top1 > 22 && r->top1 < 24 && r->top5 > 5.9 && r->top5 < 7);
        }
    }
    ck_assert_int_eq(rows, 6 + 2 + 3 + 5 + 4 + 2 + 3);
    ck_assert_ptr_null(paper_table_named("table9"));
}
END_TEST

/* ResNet-50 has 16 blocks, (3, 4, 6, 3) with 256, 512, 1024 and 2048 channels; a gate with biases
 * costs 2 C^2 / r + C / r + C. With the 25,557,032 of the plain network and batch norm's 53,120
 * running statistics this is the paper's column, but for r = 2, counted there without the biases.
 */
static double with_gates(double r, int first, int last, bool bias)
{
    static const int blocks[] = { 3, 4, 6, 3 };
    double count = 25557032 + 53120;
    for (int k = first; k <= last; k++) {
        double c = 256 << (k - 2);
        count += blocks[k - 2] * (2 * c * c / r + (bias ? c / r + c : 0));
    }
    return count / 1e6;
}

START_TEST(test_parameters)
{
    static const char *const ratios[] = { "2", "4", "8", "16", "32" };
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol(row_of("table10", ratios[i])->params,
                                with_gates(2 << i, 2, 5, i > 0), 0.05);
    static const char *const stages[] = { "[2]", "[3]", "[4]" };
    for (int k = 2; k <= 4; k++)
        ck_assert_double_eq_tol(row_of("table13", stages[k - 2])->params,
                                with_gates(16, k, k, true), 0.05);
    ck_assert_double_eq_tol(row_of("table13", "\"none\"")->params, 25.610, 0.05);
}
END_TEST

/* The network with everything at its standard stands in every table with the same errors. */
START_TEST(test_standard)
{
    static const char *const where[][2] = {
        { "table10", "16" },      { "table11", "\"avg\"" },      { "table12", "\"sigmoid\"" },
        { "table13", "\"all\"" }, { "table14", "\"standard\"" }, { "table15", "\"standard\"" },
        { "table16", "\"avg\"" },
    };
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        const struct paper_row *r = row_of(where[i][0], where[i][1]);
        ck_assert(r->top1 == 22.28 && r->top5 == 6.03);
        ck_assert(isnan(r->params) || r->params == 28.1);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("paper");
    unit_case(s, "paper", 5, UNIT_TESTS(test_rows, test_parameters, test_standard));
    return s;
}
