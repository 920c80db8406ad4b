/* What is shown and told of runs in hand: live lines, logs, progress.json, the time left. */
#include "core/base/lock.h"
#include "core/base/width.h"
#include "experiments/run/live_line.h"
#include "experiments/run/run_log.h"
#include "experiments/run/run_one.h"
#include "experiments/run/status.h"
#include "tests/unit/results_fixture.h"
#include <math.h>

static struct live_run run_of(const char *label, int number, double left, double behind)
{
    struct live_run r = { .seed = 7,
                          .number = number,
                          .of = 12,
                          .now = { .epoch = 2,
                                   .epochs = 6,
                                   .batch = 57,
                                   .batches = 100,
                                   .images_per_second = 807,
                                   .loss = 1.824,
                                   .error = 45.3,
                                   .seconds_left = left },
                          .validation_error = 44.1,
                          .seconds = 100,
                          .behind = behind };
    snprintf(r.label, sizeof r.label, "%s", label);
    return r;
}

static void line_is(const struct live_run *r, struct terminal t, const char *want)
{
    struct text line = { 0 };
    live_line(&line, r, &t);
    ck_assert_str_eq(line.s, want);
    text_clear(&line);
}

START_TEST(a_line_leaves_out_what_has_no_room)
{
    struct live_run r = run_of("reduction=4, placement=standard", 1, 110, 0);
    line_is(&r, (struct terminal){ .columns = 160 },
            "[1/12] 1 min 50 s left, epoch 2/6 57 %: reduction=4, placement=standard seed 7, "
            "error 45.3 %, validation 44.1 %, loss 1.824, 807 images/s");
    line_is(&r, (struct terminal){ .columns = 120 },
            "[1/12] 1 min 50 s left, epoch 2/6 57 %: reduction=4, placement=standard seed 7, "
            "error 45.3 %, validation 44.1 %");
    line_is(&r, (struct terminal){ .columns = 80 },
            "[1/12] 1 min 50 s left, epoch 2/6: reduction=4, placement… seed 7, error 45.3 %");
    r.now.seconds_left = 11;
    line_is(&r, (struct terminal){ .columns = 80 },
            "[1/12] 11 s left, epoch 2/6: reduction… seed 7, error 45.3 %, validation 44.1 %");
    r.validation_error = NAN;
    line_is(&r, (struct terminal){ .columns = 80, .colour = true },
            "[1/12] 11 s left, epoch 2/6: \033[1mreduction=4, pla…\033[0m seed 7, error 45.3 %, "
            "loss 1.824");
}
END_TEST

/* Whatever the label is made of; the time left is whole. */
START_TEST(lines_fit_every_terminal)
{
    static const char *const labels[] = { "none", "日本語の比較とその説明の続き",
                                          "e\xcc\x81t\xc3\xa9",
                                          "a very long label that names four settings, each of "
                                          "them with its value, and more" };
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        struct live_run r = run_of(labels[i], 1, 4000, 0);
        for (int columns = 20; columns < 200; columns++) {
            struct text line = { 0 };
            live_line(&line, &r, &(struct terminal){ .columns = columns, .colour = true });
            ck_assert_msg(text_width(line.s) < columns, "%d: %s", columns, line.s);
            if (columns >= 60) ck_assert_ptr_nonnull(strstr(line.s, "1 h 06 min left, epoch 2/6"));
            if (columns >= 60) ck_assert_ptr_nonnull(strstr(line.s, " seed 7"));
            text_clear(&line);
            live_sum(&line, &(struct live_runs){ &r, 1, 3 },
                     &(struct terminal){ .columns = columns });
            ck_assert_msg(text_width(line.s) < columns, "%d: %s", columns, line.s);
            text_clear(&line);
        }
    }
}
END_TEST

START_TEST(the_time_left_for_all_is_shared_out)
{
    struct live_run runs[2] = { run_of("a", 3, 40, 5), run_of("b", 4, 60, 4) };
    struct live_runs all = { runs, 2, 0 };
    /* (40 + 60 + 4 runs of 100 s) / 2 */
    ck_assert_double_eq_tol(live_left(&all), 250, 1e-9);
    runs[1].behind = 0; /* nothing comes after these: the longer one decides */
    ck_assert_double_eq_tol(live_left(&all), 60, 1e-9);
    runs[1].number = 0; /* between two runs of its slot */
    ck_assert_double_eq_tol(live_left(&all), (40 + 500) / 2.0, 1e-9);
    runs[0].number = 0;
    ck_assert_double_nan(live_left(&all));
}
END_TEST

static struct glimpse glimpse_some(void)
{
    return (struct glimpse){ .epoch = 2,
                             .epochs = 6,
                             .done = 0.57,
                             .loss = 1.824,
                             .error = 45.3,
                             .validation_error = NAN,
                             .images_per_second = 807,
                             .seconds_left = 40,
                             .seconds = 100,
                             .jobs = 2 };
}

/* Folder of the run whose id is n. */
static void run_folder(const struct fixture *f, unsigned n, char path[128])
{
    struct err e;
    snprintf(path, 128, "%s/runs/%016x", f->dir, n);
    ck_assert_msg(dir_make(path, &e), "%s", e.text);
}

START_TEST(a_glimpse_is_read_back)
{
    struct fixture f;
    struct err e;
    char folder[128], path[160], remove[160];
    const char *id = "0000000000000001";
    struct glimpse g = glimpse_some(), back;
    fixture_make(&f);
    run_folder(&f, 1, folder);
    ck_assert(!glimpse_read(f.dir, id, &back));
    ck_assert_msg(glimpse_write(f.dir, id, &g, &e), "%s", e.text);
    ck_assert(glimpse_read(f.dir, id, &back));
    ck_assert_int_eq(back.epoch, 2);
    ck_assert_int_eq(back.jobs, 2);
    ck_assert_double_eq(back.error, 45.3);
    ck_assert_double_eq(back.seconds_left, 40);
    ck_assert_double_nan(back.validation_error);
    static const char *const broken[] = { "",
                                          "{",
                                          "[]",
                                          "null",
                                          "{\"epoch\": \"2\"}",
                                          "{\"epoch\": 1e300, \"epochs\": 2, \"jobs\": 1}",
                                          "{\"epoch\": -1, \"epochs\": 2, \"jobs\": 1}" };
    snprintf(path, sizeof path, "%s/progress.json", folder);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        fixture_put(path, broken[i], strlen(broken[i]));
        ck_assert_msg(!glimpse_read(f.dir, id, &back), "%s", broken[i]);
    }
    ck_assert(glimpse_remove(f.dir, id, &e));
    snprintf(remove, sizeof remove, "rm -rf %s", f.dir);
    ck_assert_int_eq(system(remove), 0);
}
END_TEST

START_TEST(a_log_grows_by_whole_lines)
{
    struct fixture f;
    struct bytes b;
    struct err e;
    char folder[128], path[160], remove[160];
    const char *id = "0000000000000001";
    fixture_make(&f);
    ck_assert(!run_log(f.dir, id, "no folder", &e)); /* and says so */
    ck_assert_ptr_nonnull(strstr(e.text, "/log: cannot be written"));
    run_folder(&f, 1, folder);
    ck_assert(run_log(f.dir, id, "begins", &e) && run_log(f.dir, id, "epoch 1", &e));
    snprintf(path, sizeof path, "%s/log", folder);
    ck_assert_msg(file_read(path, &b, &e), "%s", e.text);
    const char *s = (const char *)b.data;
    ck_assert_uint_eq(b.len, 2 * sizeof "2026-11-24 18:30:42" + strlen("begins\nepoch 1\n"));
    ck_assert_ptr_nonnull(strstr(s, " begins\n20"));
    free(b.data);
    snprintf(remove, sizeof remove, "rm -rf %s", f.dir);
    ck_assert_int_eq(system(remove), 0);
}
END_TEST

/* Two variants, two seeds, four runs; ids 1 to 4. */
static void folder_make(struct fixture *f)
{
    fixture_make(f);
    fixture_write(
        f, "experiment.json",
        "{\"version\":1,\"experiment\":\"e\",\"question\":null,\"mirrors\":null,\"baseline\":null,"
        "\"seeds\":[1,2],\"axis_keys\":[\"model.width\"],\"points\":["
        "{\"label\":\"a\",\"axes\":{\"model.width\":1},\"same_as\":null,\"parameters\":10,"
        "\"parameters_with_statistics\":12,\"se_parameters\":0,\"macs\":1000,\"hidden\":{},"
        "\"settings\":{\"train\":{\"epochs\":6}},"
        "\"runs\":[\"0000000000000001\",\"0000000000000002\"]},"
        "{\"label\":\"b\",\"axes\":{\"model.width\":2},\"same_as\":null,\"parameters\":10,"
        "\"parameters_with_statistics\":12,\"se_parameters\":0,\"macs\":3000,\"hidden\":{},"
        "\"settings\":{\"train\":{\"epochs\":6}},"
        "\"runs\":[\"0000000000000003\",\"0000000000000004\"]}]}");
}

/* What a process tells of its run is believed while it holds the lock, and no longer. */
START_TEST(the_standing_hears_running_processes)
{
    struct fixture f;
    struct results r;
    struct standing all;
    struct err e;
    char folder[128], remove[160];
    struct glimpse g = glimpse_some();
    folder_make(&f);
    run_folder(&f, 1, folder);
    int lock = run_lock(f.dir, "0000000000000001", false, &e);
    ck_assert_int_ge(lock, 0);
    ck_assert_msg(results_read(f.dir, NULL, &r, &e), "%s", e.text);

    standing_of(&all, &r); /* it has said nothing yet */
    ck_assert_int_eq(all.of[0].state, STANDING_RUNNING);
    ck_assert(!all.of[0].seen);
    ck_assert_double_nan(all.seconds_left);
    standing_clear(&all);

    ck_assert(glimpse_write(f.dir, "0000000000000001", &g, &e));
    standing_of(&all, &r);
    ck_assert(all.of[0].seen);
    ck_assert_int_eq(all.at_once, 2); /* as many as its process trains at a time */
    /* 100 s for 1,000 multiply-adds: 40 s left here, one such run and two of 300 s wait */
    ck_assert_double_eq_tol(all.seconds_left, (40 + 100 + 300 + 300) / 2.0, 1e-9);
    standing_clear(&all);

    close(lock);
    standing_of(&all, &r);
    ck_assert_int_eq(all.of[0].state, STANDING_WAITING);
    ck_assert(!all.of[0].seen);
    ck_assert_int_eq(all.at_once, 1);
    ck_assert_double_nan(all.seconds_left);
    standing_clear(&all);
    results_clear(&r);
    snprintf(remove, sizeof remove, "rm -rf %s", f.dir);
    ck_assert_int_eq(system(remove), 0);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("progress");
    unit_case(s, "lines", 20,
              UNIT_TESTS(a_line_leaves_out_what_has_no_room, lines_fit_every_terminal,
                         the_time_left_for_all_is_shared_out));
    unit_case(s, "told", 20,
              UNIT_TESTS(a_glimpse_is_read_back, a_log_grows_by_whole_lines,
                         the_standing_hears_running_processes));
    return s;
}
