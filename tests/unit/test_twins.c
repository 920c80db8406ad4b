/* Points of a design that are the same runs, the point that others are compared with, and what
 * makes a run another one. */
#include "experiments/design/design.h"
#include "tests/unit/unit.h"
#include <string.h>

#define BASE                                                                                \
    "experiment: e\ndataset: {name: synthetic, size: 8, validation: 5}\nmodel: {backbone: " \
    "resnet8}\n"

static bool read_design(struct design *d, const char *yaml, struct diags *problems)
{
    *problems = (struct diags){ 0 };
    return design_read(d, &(struct design_request){ .path = "t.yaml", .text = yaml }, problems);
}

/* Each of several twins is the first one's. */
START_TEST(twins_are_those_of_the_first)
{
    struct design d;
    struct diags problems;
    ck_assert(read_design(&d,
                          BASE "variants:\n"
                               "  a: {train.epochs: 2}\n"
                               "  b: {train.epochs: 3}\n"
                               "  c: {train.epochs: 2, train.batch_size: 128}\n"
                               "  d: {train.epochs: 2, train.precision: fp32}\n"
                               "  e: {train.epochs: 3, train.batch_size: 128}\n",
                          &problems));
    static const int same_as[] = { -1, -1, 0, 0, 1 };
    for (int i = 0; i < 5; i++) ck_assert_int_eq(d.points[i].same_as, same_as[i]);
    design_clear(&d);
    diags_clear(&problems);
}
END_TEST

/* Settings that fit two points name no baseline. */
START_TEST(a_baseline_is_one_point)
{
    struct design d;
    struct diags problems;
    ck_assert(!read_design(&d,
                           BASE "sweep: {train.epochs: [1, 2], train.batch_size: [4, 8]}\n"
                                "baseline: {train.epochs: 2}\n",
                           &problems));
    ck_assert_int_eq(problems.count, 1);
    ck_assert_str_eq(problems.list[0].text, "baseline: one point is expected, this fits 2");
    ck_assert_ptr_nonnull(
        strstr(problems.list[0].hint, "it fits: epochs=2, batch_size=4; epochs=2, batch_size=8"));
    diags_clear(&problems);
    ck_assert(read_design(&d,
                          BASE "sweep: {train.epochs: [1, 2], train.batch_size: [4, 8]}\n"
                               "baseline: {train.batch_size: 8, train.epochs: 2}\n",
                          &problems));
    ck_assert_int_eq(d.baseline, 3);
    design_clear(&d);
    diags_clear(&problems);
}
END_TEST

/* A value that is not the usual one is a run of its own, also where all settings are the same that
 * apply: each of these differs from the two before it in one number alone. */
START_TEST(every_number_is_part_of_the_identity)
{
    static const char *const keys[][3] = {
        { "train.optimizer.lr", "0.1", "0.2" },
        { "train.optimizer.momentum", "0.5", "0.6" },
        { "train.optimizer.weight_decay", "0.01", "0.02" },
        { "train.schedule.warmup_epochs", "1", "2" },
        { "train.schedule.final", "0.1", "0.2" },
        { "train.label_smoothing", "0.1", "0.2" },
        { "train.clip_norm", "1", "2" },
        { "augment.crop_padding", "1", "2" },
        { "augment.cutout", "1", "2" },
        { "dataset.validation", "10", "20" },
        { "dataset.split_seed", "1", "2" },
        { "dataset.train_limit", "300", "400" },
        { "dataset.test_limit", "30", "40" },
        { "model.width", "0.5", "1.5" },
        { "model.dropout", "0.1", "0.2" },
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char yaml[512], ids[2][RUN_ID];
        struct design d;
        struct diags problems;
        snprintf(yaml, sizeof yaml, BASE "sweep: {%s: [%s, %s]}\n", keys[i][0], keys[i][1],
                 keys[i][2]);
        ck_assert_msg(read_design(&d, yaml, &problems), "%s", keys[i][0]);
        for (int p = 0; p < 2; p++) run_id(&d.points[p], 1, 2, ids[p]);
        ck_assert_msg(strcmp(ids[0], ids[1]) != 0, "%s", keys[i][0]);
        ck_assert_int_eq(d.points[1].same_as, -1);
        design_clear(&d);
        diags_clear(&problems);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("twins");
    unit_case(s, "points", 20,
              UNIT_TESTS(twins_are_those_of_the_first, a_baseline_is_one_point,
                         every_number_is_part_of_the_identity));
    return s;
}
