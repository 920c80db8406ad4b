/* What each step is told of the run, and runs that end where nothing but an evaluation, or a
 * running statistic, says that they have gone wrong. */
#include "core/ops/op.h"
#include "tests/rig.h"
#include "tests/unit/unit.h"
#include <math.h>

/* 2 epochs of 3 steps. */
static const struct rig_request small = {
    .format = "synthetic",
    .format_settings = { "size", "8", "classes", "4", "train", "64", "test", "16" },
    .backbone = "resnet8",
    .validation = 16,
    .epochs = 2,
    .batch = 16,
    .lr = 0.01,
    .seed = 21,
};
enum { STEPS = 3 };

struct told {
    uint64_t seed;
    size_t forward, evaluations;
};

static void told_by(void *ctx, const struct node *n, bool backward)
{
    struct told *t = ctx;
    if (!n || backward || strcmp(n->op->name, "softmax_loss") != 0) return;
    const struct step *s = n->call.step;
    ck_assert_uint_eq(s->seed, t->seed);
    if (s->training) {
        ck_assert_uint_eq(s->index, t->forward++);
    } else {
        t->evaluations++;
    }
}

START_TEST(a_step_knows_seed_and_number)
{
    struct rig r;
    struct err e;
    struct train_result result;
    struct told told = { .seed = small.seed };
    rig_make(&r, &small);
    graph_watch(r.net.graph, &(struct graph_watch){ &told, told_by });
    ck_assert_msg(train_run(&r.job, &result, &e), "%s", e.text);
    ck_assert_uint_eq(told.forward, 2 * STEPS);
    ck_assert_uint_eq(told.evaluations, 3); /* two validations, the test */
    train_result_clear(&result);
    rig_clear(&r);
}
END_TEST

/* Spoils what the network holds after a step. */
struct spoiler {
    struct rig *rig;
    const char *param;
    float value;
    int at, steps;
};

static void spoil(void *ctx, const struct train_progress *p)
{
    struct spoiler *s = ctx;
    struct graph *g = s->rig->net.graph;
    (void)p;
    if (++s->steps != s->at) return;
    for (size_t i = 0; i < graph_param_count(g); i++) {
        const struct param *q = graph_param_at(g, i);
        if (strcmp(q->name, s->param) == 0) q->tensor->data[0] = s->value;
    }
}

static void spoiled_run(int validation, struct spoiler s, int epochs)
{
    struct rig_request q = small;
    struct rig r;
    struct err e;
    struct train_result result;
    q.validation = validation;
    q.format_settings[5] = validation ? "64" : "48";
    rig_make(&r, &q);
    s.rig = &r;
    r.job.watch = (struct train_watch){ .ctx = &s, .batch = spoil };
    ck_assert_msg(train_run(&r.job, &result, &e), "%s", e.text);
    ck_assert_int_eq(s.steps, s.at);
    ck_assert_int_eq(result.status, TRAIN_DIVERGED);
    ck_assert_uint_eq(result.diverged_step, (uint64_t)s.at);
    ck_assert_int_eq(result.epochs, epochs);
    train_result_clear(&result);
    rig_clear(&r);
}

/* An infinite variance leaves even the losses finite; a mean so large that the next layer overflows
 * is a number itself, which training on the statistics of batches never meets. */
START_TEST(what_only_an_evaluation_would_meet_ends_a_run)
{
    spoiled_run(0, (struct spoiler){ NULL, "bn1.running_var", INFINITY, STEPS, 0 }, 0);
    spoiled_run(16, (struct spoiler){ NULL, "bn1.running_mean", NAN, STEPS, 0 }, 0);
    spoiled_run(16, (struct spoiler){ NULL, "bn1.running_mean", -3e38F, STEPS, 0 }, 0);
    spoiled_run(0, (struct spoiler){ NULL, "bn1.running_mean", -3e38F, 2 * STEPS, 0 }, 2);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("train ends");
    unit_case(s, "steps", 60, UNIT_TESTS(a_step_knows_seed_and_number));
    unit_case(s, "ends", 60, UNIT_TESTS(what_only_an_evaluation_would_meet_ends_a_run));
    return s;
}
