/* Which rows are compared, marked and counted, and which columns a table has, from results made in
 * memory. */
#include "experiments/table/analysis.h"
#include "experiments/table/table.h"
#include "tests/unit/unit.h"
#include <string.h>

enum { POINTS = 3, SEEDS = 8 };

static const char machine[] = "{\"machine\":{\"cpu\":\"c\",\"isa\":\"i\",\"threads\":1}}";

struct made {
    struct results results;
    struct result_point points[POINTS];
    struct record records[POINTS][SEEDS];
    struct record *runs[POINTS][SEEDS];
    uint64_t seeds[SEEDS];
    cJSON *object; /* settings, axes and records of all */
};

/* Runs that all completed, with these errors. */
static void make(struct made *m, const double top1[POINTS][SEEDS])
{
    static const char *const labels[] = { "a", "b", "c" };
    *m = (struct made){ .object = cJSON_Parse(machine) };
    for (int i = 0; i < POINTS; i++) {
        m->points[i] = (struct result_point){ .label = labels[i],
                                              .axes = m->object,
                                              .settings = m->object,
                                              .same_as = -1,
                                              .runs = m->runs[i] };
        for (int s = 0; s < SEEDS; s++) {
            m->records[i][s] = (struct record){ .status = RECORD_COMPLETED,
                                                .top1 = top1[i][s],
                                                .top5 = 1,
                                                .classes = 10,
                                                .test_count = 100,
                                                .json = m->object };
            m->runs[i][s] = &m->records[i][s];
        }
    }
    m->results = (struct results){ .experiment = "e",
                                   .n_points = POINTS,
                                   .n_seeds = SEEDS,
                                   .points = m->points,
                                   .seeds = m->seeds };
}

/* a is the worst in every pair; b and c are one as good as the other. */
static const double alike[POINTS][SEEDS] = { { 9, 9.1, 9.2, 9, 9.3, 9.1, 9, 9.2 },
                                             { 5, 5.1, 5.2, 5, 5.3, 5.1, 5, 5.2 },
                                             { 5.1, 5, 5.3, 5, 5.2, 5.2, 5, 5.2 } };

/* What is marked as best hangs on the comparison with the lowest row, not with the baseline. */
START_TEST(rows_like_the_lowest_are_marked)
{
    struct made m;
    struct analysis a;
    make(&m, alike);
    m.results.baseline = 0;
    analysis_make(&a, &m.results);
    ck_assert_int_eq(a.lowest, 1);
    ck_assert_double_eq(a.rows[2].p, 2 * 2.0 / 256); /* far from the baseline */
    ck_assert_double_gt(a.rows[2].to_best.p, 0.05);
    ck_assert(!a.rows[0].best && a.rows[1].best && a.rows[2].best);
    analysis_clear(&a);
    cJSON_Delete(m.object);
}
END_TEST

/* A row that builds the baseline's network is the baseline: no comparison, no p. */
START_TEST(a_twin_of_the_baseline_is_not_compared)
{
    for (int baseline = 0; baseline <= 2; baseline += 2) { /* either of the two is named */
        struct made m;
        struct analysis a;
        make(&m, alike);
        m.points[2].same_as = 0;
        m.points[2].runs = m.points[0].runs;
        m.results.baseline = baseline;
        analysis_make(&a, &m.results);
        ck_assert_int_eq(a.baseline, 0);
        ck_assert_int_eq(a.comparisons, 1);
        ck_assert_double_eq(a.rows[1].p, 2.0 / 256);
        ck_assert(a.rows[0].delta.n == 0 && a.rows[2].delta.n == 0);
        analysis_clear(&a);
        cJSON_Delete(m.object);
    }
}
END_TEST

static bool has_column(const struct made *m, const char *key)
{
    struct table t;
    bool found = false;
    table_build(&t, &m->results);
    for (int c = 0; c < t.n_columns; c++) found |= strcmp(t.columns[c].key, key) == 0;
    table_clear(&t);
    return found;
}

/* Of five classes the label is always among the best five. */
START_TEST(top5_is_shown_where_it_says_something)
{
    struct made m;
    make(&m, alike);
    m.results.baseline = -1;
    for (int classes = 4; classes <= 7; classes++) {
        for (int i = 0; i < POINTS * SEEDS; i++) m.records[i / SEEDS][i % SEEDS].classes = classes;
        ck_assert(has_column(&m, "top5_mean") == (classes > 5));
    }
    cJSON_Delete(m.object);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("analysis");
    unit_case(s, "rows", 20,
              UNIT_TESTS(rows_like_the_lowest_are_marked, a_twin_of_the_baseline_is_not_compared,
                         top5_is_shown_where_it_says_something));
    return s;
}
