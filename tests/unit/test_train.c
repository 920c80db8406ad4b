/* Whole runs on made-up data: they learn; their bits depend neither on threads nor on when they
 * were stopped or killed; arms of one seed are paired; divergence and refusals are reported. */
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/parallel.h"
#include "core/train/metrics.h"
#include "tests/rig.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* 4 epochs of 5 steps, the last of 25 images: 185 images, 32 of them for validation, 40 to test. */
static const struct rig_request small = {
    .format = "synthetic",
    .format_settings = { "size", "12", "classes", "7", "train", "185", "test", "40" },
    .backbone = "resnet8",
    .reduction = 4,
    .validation = 32,
    .augment = true,
    .epochs = 4,
    .batch = 32,
    .lr = 0.05,
    .warmup_epochs = 1,
    .weight_decay = 5e-4,
    .label_smoothing = 0.1,
    .clip_norm = 5,
    .seed = 11,
};
enum { SMALL_EPOCHS = 4, SMALL_STEPS = 5 }; /* steps in an epoch */

static char path[64]; /* of the checkpoint */

static void path_make(void)
{
    strcpy(path, "/tmp/train-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    unlink(path);
}

static void path_drop(void)
{
    unlink(path);
    parallel_use(0);
}

/* Counts the steps of a run, and can stop or kill it after one of them. */
struct counter {
    int steps, stop_at, kill_at, kill_epoch, warnings;
    char warning[512];
};

static void counter_batch(void *ctx, const struct train_progress *p)
{
    struct counter *c = ctx;
    ck_assert(p->batch >= 1 && p->batch <= p->batches && p->seconds_left >= 0);
    ck_assert(isfinite(p->loss) && p->error >= 0 && p->error <= 100);
    c->steps++;
    if (c->steps == c->kill_at) raise(SIGKILL);
}

static void counter_epoch(void *ctx, const struct epoch_record *r)
{
    struct counter *c = ctx;
    if (r->epoch == c->kill_epoch) raise(SIGKILL);
}

static bool counter_stop(void *ctx)
{
    struct counter *c = ctx;
    return c->stop_at && c->steps >= c->stop_at;
}

static void counter_warn(void *ctx, const char *text)
{
    struct counter *c = ctx;
    c->warnings++;
    snprintf(c->warning, sizeof c->warning, "%s", text);
}

static void counter_watch(struct counter *c, struct rig *r)
{
    r->job.watch =
        (struct train_watch){ c, counter_batch, counter_epoch, counter_stop, counter_warn };
}

/* What a run leaves behind. */
struct trace {
    enum train_status status;
    int epochs;
    uint64_t digests[SMALL_EPOCHS], test, diverged_step;
    double top1, loss[SMALL_EPOCHS];
};

static struct trace trace_of(struct train_result *r)
{
    struct trace t = { .status = r->status,
                       .epochs = r->epochs,
                       .diverged_step = r->diverged_step };
    for (int i = 0; i < r->epochs; i++) {
        ck_assert_int_eq(r->history[i].epoch, i + 1);
        t.digests[i] = r->history[i].weights_digest;
        t.loss[i] = r->history[i].train_loss;
    }
    t.top1 = r->test.top1;
    t.test = r->test.count ? digest_of(r->test.predicted, r->test.count * sizeof(uint16_t)) : 0;
    train_result_clear(r);
    return t;
}

static struct trace run(struct rig *r)
{
    struct err e;
    struct train_result result;
    ck_assert_msg(train_run(&r->job, &result, &e), "%s", e.text);
    return trace_of(&result);
}

static void same_trace(const struct trace *a, const struct trace *b)
{
    ck_assert_int_eq(a->status, b->status);
    ck_assert_int_eq(a->epochs, b->epochs);
    for (int i = 0; i < a->epochs; i++) {
        ck_assert_msg(a->digests[i] == b->digests[i], "weights differ at epoch %d", i + 1);
        ck_assert(a->loss[i] == b->loss[i]);
    }
    ck_assert(a->test == b->test && a->top1 == b->top1);
}

/* One run of the small task, never stopped. */
static struct trace small_run(void)
{
    struct rig r;
    rig_make(&r, &small);
    struct trace t = run(&r);
    ck_assert_int_eq(t.status, TRAIN_COMPLETED);
    ck_assert_int_eq(t.epochs, SMALL_EPOCHS);
    rig_clear(&r);
    return t;
}

START_TEST(test_learns)
{
    struct rig_request q = small;
    struct rig r;
    struct err e;
    struct train_result result;
    q.format_settings[5] = "700";
    q.epochs = 8;
    rig_make(&r, &q);
    ck_assert_msg(train_run(&r.job, &result, &e), "%s", e.text);
    const struct epoch_record *first = &result.history[0], *last = &result.history[q.epochs - 1];
    ck_assert_int_eq(result.epochs, q.epochs);
    ck_assert_uint_eq(result.test.count, 40);
    ck_assert_msg(result.test.top1 < 30, "test error %.1f %%, chance is 86", result.test.top1);
    ck_assert_double_lt(last->train_loss, first->train_loss / 1.5);
    ck_assert_double_lt(last->validation_error, 30);
    ck_assert(result.test.top5 <= result.test.top1 && last->images_per_second > 0);
    int wrong = 0;
    for (uint32_t i = 0; i < result.test.count; i++)
        wrong += result.test.label[i] != result.test.predicted[i];
    ck_assert_double_eq_tol(result.test.top1, 100.0 * wrong / 40, 1e-9);
    train_result_clear(&result);
    rig_clear(&r);
}
END_TEST

/* 20 steps of an SE-ResNet. */
static struct trace threads_run(int precision)
{
    static const int threads[] = { 1, 2, 3, 8 };
    struct trace traces[4];
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        struct rig_request q = small;
        struct rig r;
        q.precision = precision;
        rig_make(&r, &q);
        parallel_use(threads[i]);
        traces[i] = run(&r);
        rig_clear(&r);
        ck_assert_int_eq(traces[i].status, TRAIN_COMPLETED);
        same_trace(&traces[0], &traces[i]);
    }
    return traces[0];
}

START_TEST(test_threads)
{
    struct trace full = threads_run(PRECISION_FP32), half = threads_run(PRECISION_BF16);
    for (int i = 0; i < SMALL_EPOCHS; i++) {
        ck_assert(full.digests[i] != half.digests[i]);
        ck_assert_double_eq_tol(full.loss[i], half.loss[i], 0.05 * full.loss[i]);
    }
}
END_TEST

/* Stopped after step `stop` and continued, in a new graph as a new process would. */
static void stopped_and_continued(const struct trace *whole, int stop, int lost)
{
    struct counter c = { .stop_at = stop };
    struct rig r;
    rig_make(&r, &small);
    r.job.checkpoint = path;
    counter_watch(&c, &r);
    struct trace t = run(&r);
    ck_assert_int_eq(t.status, TRAIN_INTERRUPTED);
    ck_assert_int_eq(t.epochs, stop / SMALL_STEPS);
    ck_assert_int_eq(c.steps, stop);
    rig_clear(&r);

    c = (struct counter){ 0 };
    rig_make(&r, &small);
    r.job.checkpoint = path;
    counter_watch(&c, &r);
    t = run(&r);
    same_trace(whole, &t);
    ck_assert_int_eq(c.steps, SMALL_EPOCHS * SMALL_STEPS - stop + lost);
    ck_assert_int_eq(c.warnings, 0);
    rig_clear(&r);
    unlink(path);
}

START_TEST(test_interrupted)
{
    struct trace whole = small_run();
    stopped_and_continued(&whole, 1, 1);
    stopped_and_continued(&whole, 8, 3);
    stopped_and_continued(&whole, 10, 0); /* the last step of an epoch: it is finished and saved */
    stopped_and_continued(&whole, 20, 0); /* of the run: the test is still to come */
}
END_TEST

/* The same with SIGKILL. The threads of the team do not survive a fork. */
static void killed(int at_step, int at_epoch)
{
    parallel_pause();
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct counter c = { .kill_at = at_step, .kill_epoch = at_epoch };
        struct rig r;
        rig_make(&r, &small);
        r.job.checkpoint = path;
        counter_watch(&c, &r);
        run(&r);
        _exit(1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(test_killed)
{
    struct counter c = { 0 };
    struct rig r;
    killed(7, 0); /* in epoch 2 */
    killed(9, 0); /* in epoch 3: 5 steps of epoch 2 again and 4 more */
    killed(0, 3); /* when epoch 3 has just been saved */
    parallel_use(2);
    rig_make(&r, &small);
    r.job.checkpoint = path;
    counter_watch(&c, &r);
    struct trace t = run(&r), whole = small_run();
    same_trace(&whole, &t);
    ck_assert_int_eq(c.steps, SMALL_STEPS);
    rig_clear(&r);
}
END_TEST

/* A checkpoint that cannot be used is warned about, and the run begins anew. */
START_TEST(test_unusable_checkpoint)
{
    struct err e;
    struct bytes b;
    struct rig r;
    struct counter c = { 0 };
    struct trace whole = small_run(), t;
    rig_make(&r, &small);
    r.job.checkpoint = path;
    counter_watch(&c, &r);
    t = run(&r);
    same_trace(&whole, &t);
    ck_assert(c.warnings == 0 && c.steps == SMALL_EPOCHS * SMALL_STEPS);
    t = run(&r); /* complete: nothing is left but the test */
    same_trace(&whole, &t);
    ck_assert(c.warnings == 0 && c.steps == SMALL_EPOCHS * SMALL_STEPS);

    r.job.identity = 2;
    t = run(&r);
    same_trace(&whole, &t);
    ck_assert(c.warnings == 1 && c.steps == 2 * SMALL_EPOCHS * SMALL_STEPS);
    ck_assert_msg(strstr(c.warning, "another run") && strstr(c.warning, "begins anew"), "%s",
                  c.warning);

    ck_assert(file_read(path, &b, &e));
    ck_assert(file_write(path, b.data, b.len / 2, &e));
    t = run(&r);
    same_trace(&whole, &t);
    ck_assert(c.warnings == 2 && c.steps == 3 * SMALL_EPOCHS * SMALL_STEPS);
    ck_assert_msg(strstr(c.warning, "damaged or cut short") != NULL, "%s", c.warning);
    free(b.data);
    rig_clear(&r);
}
END_TEST

/* Digests the batch that the network was just given. */
struct batches {
    const struct rig *rig;
    uint64_t digest[SMALL_EPOCHS * SMALL_STEPS];
    int count;
};

static void batches_add(void *ctx, const struct train_progress *p)
{
    struct batches *b = ctx;
    const struct model_net *n = &b->rig->net;
    uint64_t both[2] = { digest_of(n->images->data, tensor_len(n->images) * sizeof(float)),
                         digest_of(n->labels->data, tensor_len(n->labels) * sizeof(float)) };
    (void)p;
    b->digest[b->count++] = digest_of(both, sizeof both);
}

static const struct param *param_named(const struct graph *g, const char *name)
{
    for (size_t i = 0; i < graph_param_count(g); i++)
        if (strcmp(graph_param_at(g, i)->name, name) == 0) return graph_param_at(g, i);
    return NULL;
}

/* Every parameter of the baseline is one of the SE arm, with the same bits. */
static void same_start(struct rig *base, struct rig *se)
{
    size_t extra = 0;
    graph_init(base->net.graph, small.seed);
    graph_init(se->net.graph, small.seed);
    for (size_t i = 0; i < graph_param_count(base->net.graph); i++) {
        const struct param *a = graph_param_at(base->net.graph, i);
        const struct param *b = param_named(se->net.graph, a->name);
        ck_assert_msg(b != NULL, "%s is missing", a->name);
        ck_assert_uint_eq(tensor_len(a->tensor), tensor_len(b->tensor));
        ck_assert_mem_eq(a->tensor->data, b->tensor->data, tensor_len(a->tensor) * sizeof(float));
    }
    for (size_t i = 0; i < graph_param_count(se->net.graph); i++) {
        const struct param *b = graph_param_at(se->net.graph, i);
        ck_assert(b->gate == !param_named(base->net.graph, b->name));
        extra += b->gate;
    }
    ck_assert_uint_gt(extra, 0);
}

START_TEST(test_arms_are_paired)
{
    struct rig base, se;
    struct rig_request q = small;
    rig_make(&se, &q);
    q.reduction = 0;
    rig_make(&base, &q);
    same_start(&base, &se);
    struct batches a = { .rig = &base }, b = { .rig = &se }, other = { .rig = &base };
    base.job.watch = (struct train_watch){ .ctx = &a, .batch = batches_add };
    se.job.watch = (struct train_watch){ .ctx = &b, .batch = batches_add };
    struct trace ta = run(&base), tb = run(&se);
    ck_assert_int_eq(a.count, SMALL_EPOCHS * SMALL_STEPS);
    ck_assert_mem_eq(a.digest, b.digest, sizeof a.digest);
    ck_assert(ta.digests[3] != tb.digests[3]);
    for (int i = 0; i < a.count; i++)
        for (int j = 0; j < i; j++) ck_assert(a.digest[i] != a.digest[j]);
    base.job.seed++; /* another seed sees other batches */
    base.job.watch.ctx = &other;
    run(&base);
    for (int i = 0; i < a.count; i++) ck_assert(a.digest[i] != other.digest[i]);
    rig_clear(&base);
    rig_clear(&se);
}
END_TEST

/* A first epoch at a sound rate, then one at an absurd rate. */
START_TEST(test_diverges)
{
    uint64_t step = 0;
    for (int threads = 1; threads <= 2; threads++) {
        struct counter c = { .stop_at = SMALL_STEPS };
        struct rig_request q = small;
        struct rig r;
        q.clip_norm = 0;
        parallel_use(threads);
        rig_make(&r, &q);
        r.job.checkpoint = path;
        counter_watch(&c, &r);
        struct trace t = run(&r);
        ck_assert_int_eq(t.status, TRAIN_INTERRUPTED);
        *(double *)r.optimizer_settings = 1e20;
        c = (struct counter){ 0 };
        t = run(&r);
        ck_assert_int_eq(t.status, TRAIN_DIVERGED);
        ck_assert_int_eq(t.epochs, 1);
        /* The step that diverged is the one after the last that was reported. */
        ck_assert_uint_eq(t.diverged_step, (uint64_t)(SMALL_STEPS + c.steps + 1));
        ck_assert_uint_gt(t.diverged_step, SMALL_STEPS + 1);
        ck_assert_uint_le(t.diverged_step, 3 * SMALL_STEPS);
        ck_assert(threads == 1 || t.diverged_step == step);
        step = t.diverged_step;
        rig_clear(&r);
        unlink(path);
    }
}
END_TEST

/* Weights that overflow in the last step of an epoch are found there, before the next loss. */
START_TEST(test_diverges_at_epoch_end)
{
    struct rig_request q = small;
    struct rig r;
    q.batch = 153;
    q.warmup_epochs = 0;
    rig_make(&r, &q);
    *(double *)r.optimizer_settings = 1e300; /* inf as a float */
    struct trace t = run(&r);
    ck_assert_int_eq(t.status, TRAIN_DIVERGED);
    ck_assert_uint_eq(t.diverged_step, 1);
    ck_assert_int_eq(t.epochs, 0);
    rig_clear(&r);
}
END_TEST

START_TEST(test_refusals)
{
    struct rig_request q = small;
    struct rig r;
    struct err e;
    struct train_result result;
    q.batch = 154;
    rig_make(&r, &q);
    ck_assert(!train_run(&r.job, &result, &e));
    ck_assert_str_eq(e.text, "train.batch_size: 154 is more than the 153 training images; choose a "
                             "smaller batch or more images");
    ck_assert(result.history == NULL && result.epochs == 0);
    rig_clear(&r);
    q = small;
    q.warmup_epochs = 4.5;
    rig_make(&r, &q);
    ck_assert(!train_run(&r.job, &result, &e));
    ck_assert_msg(strstr(e.text, "warmup_epochs: 4.5") != NULL, "%s", e.text);
    rig_clear(&r);
    q = small;
    rig_make(&r, &q);
    r.job.checkpoint = "/nowhere/at/all";
    ck_assert(!train_run(&r.job, &result, &e));
    ck_assert_msg(strstr(e.text, "/nowhere/at/all") != NULL, "%s", e.text);
    rig_clear(&r);
}
END_TEST

/* The first steps of a run are those of the whole run. */
START_TEST(test_steps_max)
{
    struct trace whole = small_run();
    struct rig r;
    rig_make(&r, &small);
    r.job.checkpoint = path;
    r.job.steps_max = SMALL_STEPS + 2;
    struct trace t = run(&r);
    ck_assert_int_eq(t.status, TRAIN_COMPLETED);
    ck_assert_int_eq(t.epochs, 2);
    ck_assert(t.digests[0] == whole.digests[0] && t.digests[1] != whole.digests[1]);
    r.job.steps_max = 0; /* the epoch that was cut short was not saved */
    t = run(&r);
    same_trace(&whole, &t);
    rig_clear(&r);
}
END_TEST

/* Parts that no batch size divides: every image counts once, whatever the batch. */
START_TEST(test_evaluate)
{
    struct evaluation by_batch[2];
    static const int sizes[] = { 32, 7 };
    uint16_t label[2][40], predicted[2][40];
    for (int i = 0; i < 2; i++) {
        struct rig_request q = small;
        struct rig r;
        struct err e;
        q.batch = sizes[i];
        rig_make(&r, &q);
        graph_init(r.net.graph, 5);
        by_batch[i] = (struct evaluation){ .label = label[i], .predicted = predicted[i] };
        ck_assert(train_evaluate(&r.job, &r.split.test, &by_batch[i], &e));
        ck_assert_uint_eq(by_batch[i].count, 40);
        for (uint32_t k = 0; k < 40; k++)
            ck_assert_uint_eq(label[i][k], r.data.labels[DATA_TEST][r.split.test.index[k]]);
        rig_clear(&r);
    }
    ck_assert_mem_eq(label[0], label[1], sizeof label[0]);
    ck_assert_double_eq_tol(by_batch[0].loss, by_batch[1].loss, 1e-4 * by_batch[0].loss);
    ck_assert_double_eq_tol(by_batch[0].top5, by_batch[1].top5, 5.1);
}
END_TEST

START_TEST(test_metrics)
{
    static const float z[] = { 1, 3, 3, -2, 3, 0.5f };
    static const int ranks[] = { 3, 0, 1, 5, 2, 4 };
    for (int i = 0; i < 6; i++) ck_assert_int_eq(metric_rank(z, 6, i), ranks[i]);
    ck_assert_int_eq(metric_best(z, 6), 1);
    double sum = 0;
    for (int i = 0; i < 6; i++) sum += exp(-metric_loss(z, 6, i));
    ck_assert_double_eq_tol(sum, 1, 1e-12);
    ck_assert_double_eq_tol(metric_loss(z, 6, 0) - metric_loss(z, 6, 3), -3, 1e-12);
    static const float wild[] = { 1, NAN, 1e30f, -1e30f };
    ck_assert_int_eq(metric_rank(wild, 4, 1), 3);
    ck_assert_int_eq(metric_best(wild, 4), 2);
    static const float far[] = { 1e30f, -1e30f };
    ck_assert_double_eq(metric_loss(far, 2, 0), 0);
    ck_assert(isfinite(metric_loss(far, 2, 1)));
}
END_TEST

static void add(Suite *s, const char *name, const TTest *const *tests)
{
    TCase *c = tcase_create(name);
    tcase_set_timeout(c, 240);
    tcase_add_checked_fixture(c, path_make, path_drop);
    for (; *tests; tests++) tcase_add_test(c, *tests);
    suite_add_tcase(s, c);
}

Suite *suite(void)
{
    Suite *s = suite_create("train");
    add(s, "metrics", UNIT_TESTS(test_metrics, test_evaluate));
    add(s, "learns", UNIT_TESTS(test_learns));
    add(s, "bits",
        UNIT_TESTS(test_killed, test_threads, test_interrupted, test_unusable_checkpoint));
    add(s, "arms", UNIT_TESTS(test_arms_are_paired));
    add(s, "ends",
        UNIT_TESTS(test_diverges, test_diverges_at_epoch_end, test_refusals, test_steps_max));
    return s;
}
