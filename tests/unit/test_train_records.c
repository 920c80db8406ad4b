/* What a run says of itself, worked out a second time from the logits, the losses and the weights
 * of its steps: epoch records, progress, clipping, evaluations. */
#include "tests/rig.h"
#include "tests/unit/unit.h"
#include <math.h>

/* 3 epochs of 4 steps: 96 images to train, 24 for validation, 40 to test. */
static const struct rig_request small = {
    .format = "synthetic",
    .format_settings = { "size", "8", "classes", "7", "train", "120", "test", "40" },
    .backbone = "resnet8",
    .validation = 24,
    .augment = true,
    .epochs = 3,
    .batch = 24,
    .lr = 0.05,
    .warmup_epochs = 1,
    .seed = 3,
};
enum { EPOCHS = 3, STEPS = 4, CLASSES = 7, TEST_IMAGES = 40 };

/* How many classes stand before the label's: those with a greater logit, and of equal ones those
 * with a lower number. */
static int classes_before(const float *z, int label)
{
    int before = 0;
    for (int k = 0; k < CLASSES; k++) before += z[k] > z[label] || (z[k] == z[label] && k < label);
    return before;
}

static double cross_entropy(const float *z, int label)
{
    double sum = 0;
    for (int k = 0; k < CLASSES; k++) sum += exp((double)z[k] - (double)z[label]);
    return log(sum);
}

struct observed { /* of the epoch under way */
    const struct rig *rig;
    double loss;
    int images, wrong, steps, epochs;
};

static void observe_batch(void *ctx, const struct train_progress *p)
{
    struct observed *o = ctx;
    const struct model_net *n = &o->rig->net;
    o->loss += (double)n->loss->data[0] * n->images->n;
    for (int i = 0; i < n->images->n; i++)
        o->wrong += classes_before(n->logits->data + i * CLASSES, (int)n->labels->data[i]) > 0;
    o->images += n->images->n;
    o->steps++;
    ck_assert_double_eq_tol(p->loss, o->loss / o->images, 1e-9);
    ck_assert_double_eq_tol(p->error, 100.0 * o->wrong / o->images, 1e-9);
    ck_assert(p->epoch == o->epochs + 1 && p->epochs == EPOCHS);
}

static void observe_epoch(void *ctx, const struct epoch_record *r)
{
    struct observed *o = ctx;
    const struct train_job *job = &o->rig->job;
    struct evaluation v = { .count = 0 }, test = { .count = 0 };
    struct err e;
    const double done = (double)(o->steps - 1) / STEPS; /* epochs before the last step */
    ck_assert_int_eq(r->epoch, ++o->epochs);
    ck_assert_int_eq(o->images, 96);
    ck_assert_double_eq_tol(r->train_loss, o->loss / o->images, 1e-9);
    ck_assert_double_eq_tol(r->train_error, 100.0 * o->wrong / o->images, 1e-9);
    ck_assert_double_eq_tol(r->lr, 0.05 * job->schedule->factor(job->schedule_settings, done, 3),
                            1e-12);
    ck_assert(train_evaluate(job, &o->rig->split.validation, &v, &e));
    ck_assert(train_evaluate(job, &o->rig->split.test, &test, &e));
    ck_assert(v.count == 24 && test.count == 40 && v.loss != test.loss);
    ck_assert_double_eq(r->validation_loss, v.loss);
    ck_assert_double_eq(r->validation_error, v.top1);
    ck_assert_uint_eq(r->weights_digest, graph_weights_digest(o->rig->net.graph));
    o->loss = 0;
    o->images = o->wrong = 0;
}

START_TEST(a_record_is_that_of_its_batches)
{
    struct rig r;
    struct err e;
    struct train_result result;
    struct observed o = { .rig = &r };
    rig_make(&r, &small);
    r.job.watch = (struct train_watch){ .ctx = &o, .batch = observe_batch, .epoch = observe_epoch };
    ck_assert_msg(train_run(&r.job, &result, &e), "%s", e.text);
    ck_assert(o.epochs == EPOCHS && o.steps == EPOCHS * STEPS);
    train_result_clear(&result);
    rig_clear(&r);
}
END_TEST

/* The test result is that of the test part, and of the last weights. */
START_TEST(the_test_is_of_the_test_part)
{
    struct rig r;
    struct err e;
    struct train_result result;
    struct evaluation test = { .count = 0 };
    rig_make(&r, &small);
    ck_assert_msg(train_run(&r.job, &result, &e), "%s", e.text);
    ck_assert(train_evaluate(&r.job, &r.split.test, &test, &e));
    ck_assert_double_eq(result.test.loss, test.loss);
    for (uint32_t i = 0; i < TEST_IMAGES; i++)
        ck_assert_uint_eq(result.test.label[i], r.data.labels[DATA_TEST][r.split.test.index[i]]);
    train_result_clear(&result);
    rig_clear(&r);
}
END_TEST

/* How far one step along the first gradient g moves the weights, in units of lr: (1 + momentum) g
 * with Nesterov's momentum. */
static double first_move(double clip_norm)
{
    struct rig_request q = small;
    struct rig r;
    struct err e;
    struct train_result result;
    size_t len;
    q.warmup_epochs = 0;
    q.clip_norm = clip_norm;
    rig_make(&r, &q);
    graph_init(r.net.graph, q.seed);
    const float *w = graph_weights(r.net.graph, &len);
    float *before = memcpy(mem_new(len, sizeof *before), w, len * sizeof *w);
    r.job.steps_max = 1;
    ck_assert_msg(train_run(&r.job, &result, &e), "%s", e.text);
    double square = 0;
    for (size_t i = 0; i < len; i++)
        square += ((double)w[i] - (double)before[i]) * ((double)w[i] - (double)before[i]);
    free(before);
    train_result_clear(&result);
    rig_clear(&r);
    return sqrt(square) / q.lr;
}

START_TEST(a_clipped_step_is_as_long_as_the_norm_allows)
{
    const double longest = 1 + 0.9, norm = first_move(0) / longest;
    ck_assert_double_gt(norm, 0.1);
    ck_assert_double_eq_tol(first_move(norm / 4) / longest, norm / 4, 1e-3 * norm);
    ck_assert_double_eq_tol(first_move(norm * 2) / longest, norm, 1e-3 * norm);
}
END_TEST

/* All images in one batch, so that its logits are those of the whole test part. */
START_TEST(an_evaluation_counts_ranks)
{
    struct rig_request q = small;
    struct rig r;
    struct err e;
    uint16_t label[TEST_IMAGES], predicted[TEST_IMAGES];
    struct evaluation t = { .label = label, .predicted = predicted };
    int before[CLASSES] = { 0 };
    double loss = 0;
    q.batch = TEST_IMAGES;
    rig_make(&r, &q);
    graph_init(r.net.graph, q.seed);
    ck_assert(train_evaluate(&r.job, &r.split.test, &t, &e));
    for (int i = 0; i < TEST_IMAGES; i++) {
        const float *z = r.net.logits->data + i * CLASSES;
        before[classes_before(z, label[i])]++;
        ck_assert_int_eq(classes_before(z, predicted[i]), 0);
        loss += cross_entropy(z, label[i]) / TEST_IMAGES;
    }
    for (int k = 0; k < CLASSES; k++) ck_assert_int_gt(before[k], 0); /* every rank is met */
    ck_assert_double_eq_tol(t.loss, loss, 1e-9);
    ck_assert_double_eq_tol(t.top1, 100 - 100.0 * before[0] / TEST_IMAGES, 1e-9);
    ck_assert_double_eq_tol(t.top5, 100.0 * (before[5] + before[6]) / TEST_IMAGES, 1e-9);
    rig_clear(&r);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("train records");
    unit_case(s, "epochs", 60,
              UNIT_TESTS(a_record_is_that_of_its_batches, the_test_is_of_the_test_part));
    unit_case(s, "steps", 60, UNIT_TESTS(a_clipped_step_is_as_long_as_the_norm_allows));
    unit_case(s, "evaluations", 60, UNIT_TESTS(an_evaluation_counts_ranks));
    return s;
}
