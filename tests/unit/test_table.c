/* Tables from results folders made of text, in every format there is. The expected texts are
 * tests/golden/table_NAME.FORMAT; SENET_EXP_GOLDEN=1 writes them anew, to be read before they are
 * committed. */
#include "core/base/rng.h"
#include "experiments/export/writer.h"
#include "experiments/table/analysis.h"
#include "experiments/table/numbers.h"
#include "experiments/table/paper_rows.h"
#include "tests/unit/results_fixture.h"
#include <math.h>

/* A grid that mirrors Table 10: six seeds; r = 32 is the network of r = 16; r = 8 has one run that
 * diverged, one that failed and one that is not there. */
static const double errors[4][6] = {
    { 8.50, 8.41, 8.62, 8.55, 8.37, 8.49 }, /* none */
    { 8.10, 8.20, 8.15, 8.05, 8.30, 8.12 }, /* 16: below in every seed */
    { 0 },
    { 8.20, 8.11, 8.06, 0, 0, 0 }, /* 8 */
};

static void grid_point(struct text *t, int point, const char *value, const char *counts)
{
    text_addf(t, "%s{\"label\":\"reduction=%s\",\"axes\":{\"model.se.reduction\":%s%s%s},",
              point ? "," : "", value, point ? "" : "\"", value, point ? "" : "\"");
    text_addf(t,
              "\"same_as\":%s,%s,\"settings\":{\"dataset\":{\"name\":\"cifar10\"},"
              "\"model\":{\"backbone\":\"resnet20\"},\"train\":{\"epochs\":30}},\"runs\":[",
              point == 2 ? "1" : "null", counts);
    for (int s = 0; s < 6; s++)
        text_addf(t, "%s\"%016x\"", s ? "," : "", (point == 2 ? 1 : point) * 16 + s);
    text_add(t, "]}");
}

static void grid_make(struct fixture *f)
{
    struct text t = { 0 };
    fixture_make(f);
    text_add(&t,
             "{\"version\":1,\"experiment\":\"reduction-ratio\",\"question\":\"How much capacity "
             "does the gate need?\",\"mirrors\":\"table10\",\"baseline\":0,\"seeds\":"
             "[1,2,3,4,5,6],\"axis_keys\":[\"model.se.reduction\"],\"points\":[");
    grid_point(&t, 0, "none",
               "\"parameters\":272474,\"parameters_with_statistics\":274042,"
               "\"se_parameters\":0,\"macs\":40813184,\"hidden\":{}");
    static const char se[] = "\"parameters\":274847,\"parameters_with_statistics\":276415,"
                             "\"se_parameters\":2373,\"macs\":40815200,\"hidden\":{\"2\":1,\"3\":2,"
                             "\"4\":4}";
    grid_point(&t, 1, "16", se);
    grid_point(&t, 2, "32", se);
    grid_point(&t, 3, "8",
               "\"parameters\":276863,\"parameters_with_statistics\":278431,"
               "\"se_parameters\":4389,\"macs\":40817216,\"hidden\":{\"2\":2,\"3\":4,"
               "\"4\":8}");
    text_add(&t, "]}\n");
    fixture_write(f, "experiment.json", t.s);
    text_clear(&t);
    for (int p = 0; p < 4; p++)
        for (int s = 0; s < 6; s++) {
            if (p == 2 || (p == 3 && s == 5)) continue;
            const char *status = p == 3 && s == 3   ? "diverged"
                                 : p == 3 && s == 4 ? "failed"
                                                    : "completed";
            fixture_run(f, (struct fixture_run){ (unsigned)(p * 16 + s), status, errors[p][s],
                                                 .seed = (unsigned)s + 1 });
        }
}

/* Named variants with everything that means something to a format, three seeds, no baseline. */
static void odd_make(struct fixture *f)
{
    fixture_make(f);
    fixture_write(
        f, "experiment.json",
        "{\"version\":1,\"experiment\":\"odd\",\"question\":\"a | b,\\n\\\"c\\\" "
        "*d*?\",\"mirrors\":"
        "null,\"baseline\":null,\"seeds\":[7,8,4294967295],\"axis_keys\":"
        "[\"model.se.squeeze\"],\"points\":["
        "{\"label\":\"a|b \\\"q\\\", *c*\",\"axes\":{},\"same_as\":null,\"parameters\":10,"
        "\"parameters_with_statistics\":12,\"se_parameters\":0,\"macs\":999,\"hidden\":{},"
        "\"settings\":{},\"runs\":[\"0000000000000001\",\"0000000000000002\",\"0000000000000003\"]}"
        ","
        "{\"label\":\"two\\nlines_x _y_ <b>\",\"axes\":{\"model.se.squeeze\":\"max\"},\"same_as\":"
        "null,\"parameters\":1234567,\"parameters_with_statistics\":1234568,\"se_parameters\":1,"
        "\"macs\":4271234567,\"hidden\":{\"3\":16},\"settings\":{},\"runs\":[\"0000000000000004\","
        "\"0000000000000005\",\"0000000000000006\"]}]}");
    for (unsigned i = 0; i < 3; i++) {
        unsigned seed = i < 2 ? 7 + i : UINT32_MAX;
        fixture_run(f, (struct fixture_run){ i + 1, "completed", 10 + i, .seed = seed });
        fixture_run(f, (struct fixture_run){ i + 4, "completed", 9.5 + i, .seed = seed });
    }
}

/* Two variants, three seeds, runs made in every way that can differ: another program in one run,
 * other instruction sets in a whole row and a run of the other, fewer threads and more runs at a
 * time, another precision, another fusion. */
static void mixed_make(struct fixture *f)
{
    static const struct fixture_run runs[] = {
        { 1, "completed", 10, .seed = 7, .numerics = 1, .isa = "avx512" },
        { 2, "completed", 11, .seed = 8, .isa = "avx512" },
        { 3, "completed", 12, .seed = 9, .isa = "avx512", .threads = 1, .jobs = 2 },
        { 4, "completed", 9, .seed = 7, .precision = "bf16", .unfused = 24 },
        { 5, "completed", 10, .seed = 8, .precision = "bf16", .isa = "avx512", .unfused = 24 },
        { 6, "failed", 0, .seed = 9, .isa = "portable" },
    };
    fixture_make(f);
    fixture_write(
        f, "experiment.json",
        "{\"version\":1,\"experiment\":\"mixed\",\"question\":null,\"mirrors\":null,"
        "\"baseline\":null,\"seeds\":[7,8,9],\"axis_keys\":[\"train.precision\"],\"points\":["
        "{\"label\":\"one\",\"axes\":{},\"same_as\":null,\"parameters\":10,"
        "\"parameters_with_statistics\":12,\"se_parameters\":0,\"macs\":999,\"hidden\":{},"
        "\"settings\":{},\"runs\":[\"0000000000000001\",\"0000000000000002\",\"0000000000000003\"]}"
        ","
        "{\"label\":\"two\",\"axes\":{\"train.precision\":\"bf16\"},\"same_as\":"
        "null,\"parameters\":10,\"parameters_with_statistics\":12,\"se_parameters\":0,"
        "\"macs\":999,\"hidden\":{},\"settings\":{},\"runs\":[\"0000000000000004\","
        "\"0000000000000005\",\"0000000000000006\"]}]}");
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) fixture_run(f, runs[i]);
}

/* Mirrors Table 14: a row against the paper's direction, one with it, one without a result, one
 * that the paper does not have, one that is the baseline's network, one without a difference. */
static void mirror_make(struct fixture *f)
{
    static const struct {
        const char *placement;
        int reduction, same_as;
        double top1; /* 0: no run */
    } rows[] = { { "standard", 16, -1, 10 }, { "pre", 16, -1, 11 },     { "post", 16, -1, 10.5 },
                 { "identity", 16, -1, 0 },  { "standard", 8, -1, 9 },  { "standard", 16, 0, 0 },
                 { "conv3x3", 16, -1, 8 },   { "identity", 16, -1, 10 } };
    struct text t = { 0 };
    fixture_make(f);
    text_add(&t, "{\"version\":1,\"experiment\":\"mirror\",\"question\":null,\"mirrors\":"
                 "\"table14\",\"baseline\":0,\"seeds\":[1,2],\"axis_keys\":"
                 "[\"model.se.placement\",\"model.se.reduction\"],\"points\":[");
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned id = 2 * (rows[i].same_as < 0 ? i : (unsigned)rows[i].same_as);
        text_addf(&t, "%s{\"label\":\"row %u: %s\",\"axes\":{\"model.se.placement\":\"%s\",",
                  i ? "," : "", i, rows[i].placement, rows[i].placement);
        text_addf(&t, "\"model.se.reduction\":%d},\"same_as\":%s,\"parameters\":10,",
                  rows[i].reduction, rows[i].same_as < 0 ? "null" : "0");
        text_addf(&t,
                  "\"parameters_with_statistics\":12,\"se_parameters\":2,\"macs\":999,"
                  "\"hidden\":{\"2\":1},\"settings\":{},\"runs\":[\"%016x\",\"%016x\"]}",
                  id, id + 1);
        for (unsigned s = 0; s < 2 && rows[i].top1 > 0; s++)
            fixture_run(
                f, (struct fixture_run){ id + s, "completed", rows[i].top1 + s, .seed = s + 1 });
    }
    text_add(&t, "]}\n");
    fixture_write(f, "experiment.json", t.s);
    text_clear(&t);
}

static void written_is(const struct results *r, const char *name, enum table_rows rows)
{
    struct table t;
    table_build_rows(&t, r, rows);
    for (const struct writer *const *w = writers; *w; w++) {
        struct text out = { 0 };
        struct bytes want = { 0 };
        struct err e;
        char path[128];
        (*w)->write(&out, &t, r);
        snprintf(path, sizeof path, "tests/golden/%s_%s%s",
                 rows == TABLE_POINTS ? "table" : table_rows_names[rows], name, (*w)->suffix);
        if (getenv("SENET_EXP_GOLDEN")) ck_assert(file_write(path, out.s, out.len, &e));
        ck_assert_msg(file_read(path, &want, &e), "no expected text for %s: %s", (*w)->name,
                      e.text);
        ck_assert_str_eq(out.s, (const char *)want.data);
        ck_assert_ptr_eq(writer_named((*w)->name), *w);
        free(want.data);
        text_clear(&out);
    }
    table_clear(&t);
}

/* lines: runs and epochs, too */
static void fixture_check(void (*make)(struct fixture *), const char *name, bool lines)
{
    struct fixture f;
    struct results r;
    struct err e;
    make(&f);
    ck_assert_msg(results_read(f.dir, NULL, &r, &e), "%s", e.text);
    for (int rows = 0; rows < (lines ? TABLE_ROWS : 1); rows++)
        written_is(&r, name, (enum table_rows)rows);
    results_clear(&r);
    fixture_remove(&f);
}

START_TEST(test_grid)
{
    fixture_check(grid_make, "grid", true);
}
END_TEST

START_TEST(test_odd)
{
    fixture_check(odd_make, "odd", true);
    ck_assert_ptr_null(writer_named("docx"));
}
END_TEST

START_TEST(test_mirrored)
{
    fixture_check(mirror_make, "mirror", false);
}
END_TEST

START_TEST(test_mixed)
{
    fixture_check(mixed_make, "mixed", false);
}
END_TEST

/* The numbers behind the grid's table, before rounding. */
START_TEST(test_analysis)
{
    struct fixture f;
    struct results r;
    struct err e;
    struct analysis a;
    grid_make(&f);
    ck_assert_msg(results_read(f.dir, NULL, &r, &e), "%s", e.text);
    ck_assert_ptr_eq(r.points[1].runs[0], r.points[2].runs[0]);
    ck_assert_int_eq(r.n_records, 6 + 6 + 5);
    analysis_make(&a, &r);
    ck_assert(a.comparisons == 2 && a.pairs_least == 3 && a.pairs_most == 6 && a.baseline == 0 &&
              a.test_count == 10000);
    ck_assert_double_eq_tol(a.rows[1].delta.delta, (48.92 - 50.94) / 6, 1e-12);
    ck_assert_double_eq(a.rows[1].delta.p, 2.0 / 64); /* lower in all six pairs */
    ck_assert_double_eq(a.rows[1].p, 4.0 / 64);
    ck_assert_double_eq(a.rows[2].p, a.rows[1].p);
    ck_assert_int_eq(a.rows[2].root, 1);
    ck_assert(a.rows[3].done == 3 && a.rows[3].delta.n == 3);
    ck_assert_double_eq(a.rows[3].delta.p, 0.25);
    ck_assert(isnan(a.rows[0].p) && a.rows[0].delta.n == 0);
    /* r = 8 has the lowest mean, of three runs: no candidate, and too few pairs to be marked. */
    ck_assert(a.lowest == 1 && a.testable == 1 && a.untestable == 1);
    ck_assert(!a.rows[0].best && a.rows[1].best && a.rows[2].best && !a.rows[3].best);
    analysis_clear(&a);
    results_clear(&r);
    fixture_remove(&f);
}
END_TEST

/* With all runs of r = 8 done, and like those of r = 16, both are marked and the baseline is not.
 */
START_TEST(test_best)
{
    struct fixture f;
    struct results r;
    struct err e;
    struct analysis a;
    grid_make(&f);
    for (unsigned s = 0; s < 6; s++)
        fixture_run(&f, (struct fixture_run){ 48 + s, "completed",
                                              errors[1][s] + (s % 2 ? 0.03 : -0.02),
                                              .seed = (unsigned)s + 1 });
    ck_assert_msg(results_read(f.dir, NULL, &r, &e), "%s", e.text);
    analysis_make(&a, &r);
    ck_assert(a.lowest == 1 && a.testable == 2 && a.untestable == 0);
    ck_assert(!a.rows[0].best && a.rows[1].best && a.rows[2].best && a.rows[3].best);
    analysis_clear(&a);
    results_clear(&r);
    fixture_remove(&f);
}
END_TEST

/* Which row of the paper a point repeats: "-" for none. */
static void mirror_is(const char *table, const char *point, const char *label)
{
    cJSON *j = cJSON_Parse(point);
    ck_assert_msg(j, "%s", point);
    const cJSON *se = cJSON_GetObjectItem(j, "se_parameters");
    struct result_point p = { .axes = cJSON_GetObjectItem(j, "axes"),
                              .settings = cJSON_GetObjectItem(j, "settings"),
                              .se_parameters = se ? se->valuedouble : 1 };
    const struct paper_row *row = mirror_row(paper_table_named(table), &p);
    ck_assert_str_eq(row ? row->label : "-", label);
    cJSON_Delete(j);
}

START_TEST(test_mirror)
{
    static const char none[] = "{\"axes\":{\"model.se.reduction\":\"none\"},\"se_parameters\":0}";
    static const char all[] = "{\"axes\":{},\"settings\":{\"model\":{\"se\":{\"reduction\":16,"
                              "\"squeeze\":\"avg\",\"excitation\":\"sigmoid\",\"stages\":"
                              "\"all\",\"placement\":\"standard\"}}}}";
    static const char stage[] = "{\"axes\":{\"model.se.stages\":[3]}}";
    static const char two[] = "{\"axes\":{\"model.se.stages\":[2,3]}}";
    static const char both[] = "{\"axes\":{\"model.se.stages\":[3],\"model.se.reduction\":8}}";
    static const char usual[] = "{\"axes\":{\"model.se.stages\":[3],\"model.se.reduction\":16}}";
    static const char empty[] = "{\"axes\":{\"model.se.squeeze\":\"none\"}}";
    mirror_is("table10", none, "original");
    mirror_is("table11", none, "-");
    mirror_is("table13", none, "ResNet-50");
    mirror_is("table10", all, "16");
    mirror_is("table11", all, "Avg");
    mirror_is("table12", all, "Sigmoid");
    mirror_is("table13", all, "SE_All");
    mirror_is("table14", all, "SE");
    mirror_is("table16", all, "SE");
    mirror_is("table13", stage, "SE_Stage_3");
    mirror_is("table13", two, "-");
    mirror_is("table13", both, "-");
    mirror_is("table13", usual, "SE_Stage_3");
    mirror_is("table10", both, "-");
    mirror_is("table16", empty, "NoSqueeze");
    mirror_is("table15", "{\"axes\":{\"model.se.placement\":\"conv3x3\"}}", "SE_3x3");
}
END_TEST

/* experiment.json cut anywhere is refused by name; edited at random it is refused or read, and a
 * table can be made of whatever was read. */
START_TEST(test_damaged)
{
    struct fixture f;
    struct bytes b;
    struct err e;
    char path[128];
    int refused = 0;
    grid_make(&f);
    snprintf(path, sizeof path, "%s/experiment.json", f.dir);
    ck_assert(file_read(path, &b, &e));
    for (size_t n = 0; n + 2 < b.len; n += 7) {
        struct results r;
        fixture_put(path, b.data, n);
        ck_assert(!results_read(f.dir, NULL, &r, &e));
        ck_assert_msg(strstr(e.text, path) == e.text, "no place: %s", e.text);
    }
    struct rng g = rng_stream(2, RNG_TEST, 0, 0);
    for (int k = 0; k < 400; k++) {
        struct results r;
        unsigned char *at = &b.data[rng_below(&g, (uint32_t)b.len)], was = *at;
        *at = (unsigned char)"0123456789-eE{}[],:\"\\nulx"[rng_below(&g, 25)];
        fixture_put(path, b.data, b.len);
        if (results_read(f.dir, NULL, &r, &e)) {
            struct table t;
            table_build(&t, &r);
            ck_assert_int_eq(t.n_rows, r.n_points);
            table_clear(&t);
            results_clear(&r);
        } else {
            refused++;
        }
        *at = was;
    }
    ck_assert_int_gt(refused, 100);
    free(b.data);
    fixture_remove(&f);
    ck_assert(!results_read("/nonexistent/folder", NULL, &(struct results){ 0 }, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/folder is not a results folder"));
}
END_TEST

START_TEST(test_format)
{
    struct pool p = { 0 };
    ck_assert_str_eq(format_whole(&p, 272474), "272,474");
    ck_assert_str_eq(format_whole(&p, 999), "999");
    ck_assert_str_eq(format_whole(&p, 1000), "1,000");
    ck_assert_str_eq(format_scaled(&p, 40813184), "40.8 M");
    ck_assert_str_eq(format_scaled(&p, 3857973248.0), "3.86 G");
    ck_assert_str_eq(format_scaled(&p, 999600), "1.00 M");
    ck_assert_str_eq(format_scaled(&p, 12), "12");
    ck_assert_str_eq(format_seconds(&p, 8.24), "8.2 s");
    ck_assert_str_eq(format_seconds(&p, 59.97), "1 min 00 s");
    ck_assert_str_eq(format_seconds(&p, 205.4), "3 min 25 s");
    ck_assert_str_eq(format_seconds(&p, 3599.7), "1 h 00 min");
    ck_assert_str_eq(format_seconds(&p, 3720), "1 h 02 min");
    ck_assert_str_eq(format_p(&p, 0.03125), "0.031");
    ck_assert_str_eq(format_p(&p, 0.25), "0.25");
    ck_assert_str_eq(format_p(&p, 0.0001), "< 0.001");
    ck_assert_str_eq(format_delta(&p, -0.354, NAN, NAN), "-0.35");
    ck_assert_str_eq(format_delta(&p, 0.354, -1, 2), "+0.35 (-1.00 to +2.00)");
    ck_assert_str_eq(format_mean(&p, NAN, NAN, 2), FORMAT_NONE);
    pool_clear(&p);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("table");
    unit_case(s, "table", 20,
              UNIT_TESTS(test_grid, test_odd, test_mixed, test_mirrored, test_analysis, test_best,
                         test_mirror, test_damaged, test_format));
    return s;
}
