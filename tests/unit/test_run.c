/* A run of a design, from its lock to its record, against the same training set up by hand. */
#include "core/base/file.h"
#include "experiments/results/record.h"
#include "experiments/run/run_one.h"
#include "tests/unit/data_files.h"
#include <time.h>

/* No setting that a training hangs on stands at its default. */
static const char yaml[] =
    "experiment: e\n"
    "dataset: {name: synthetic, size: 8, train: 64, test: 24, classes: 6, validation: 16}\n"
    "augment: {crop_padding: 1, crop_fill: reflect, flip: true, cutout: 3}\n"
    "model: {backbone: resnet8, width: 0.5, dropout: 0.25, se: {reduction: 4}}\n"
    "train:\n"
    "  epochs: 3\n"
    "  batch_size: 16\n"
    "  label_smoothing: 0.1\n"
    "  clip_norm: 0.5\n"
    "  optimizer: {lr: 0.2, momentum: 0.8, nesterov: true, weight_decay: 0.01,\n"
    "              decay_norm_and_bias: false}\n"
    "  schedule: {name: step, milestones: [2], factor: 0.5, warmup_epochs: 1, warmup_from: 0.5}\n"
    "sweep: {model.se.reduction: [4, 8]}\n"
    "seeds: [5, 9]\n";

struct fixture {
    struct design design;
    struct run_data_all all;
    const struct run_data *data;
    char *dir;
};

static void fixture_make(struct fixture *f)
{
    struct diags problems = { 0 };
    struct err e;
    *f = (struct fixture){ .dir = folder_create() };
    const struct design_request r = { .path = "e.yaml", .text = yaml };
    ck_assert(design_read(&f->design, &r, &problems));
    run_data_open(&f->all, &f->design, &(struct data_notes){ NULL, NULL, NULL });
    f->data = run_data_of(&f->all, &f->design.points[0], &e);
    ck_assert_msg(f->data, "%s", e.text);
    diags_clear(&problems);
}

static void fixture_clear(struct fixture *f)
{
    run_data_clear(&f->all);
    design_clear(&f->design);
    folder_remove(f->dir);
}

/* What a run leaves. */
struct left {
    uint64_t digest;
    double loss, top1, top5, validation_loss, lr;
};

/* Its network is planned into n; without a checkpoint. */
static struct train_job job_by_hand(const struct design_point *p, const struct run_data *data,
                                    uint64_t seed, struct model_net *n)
{
    const struct run_spec *s = &p->spec;
    struct err e;
    ck_assert(spec_build(s, s->train.batch_size, &p->shape, n, &e));
    ck_assert(graph_plan(n->graph, true, (struct tensor *[]){ n->logits, n->loss, NULL }, &e));
    return (struct train_job){ .net = { n->graph, n->images, n->labels, n->logits, n->loss },
                               .data = data->data,
                               .split = &data->split,
                               .settings = &s->train,
                               .augment = &s->augment,
                               .optimizer = s->optimizer,
                               .optimizer_settings = s->optimizer_settings,
                               .schedule = s->schedule,
                               .schedule_settings = s->schedule_settings,
                               .seed = seed };
}

static struct left left_by_hand(const struct fixture *f, const struct design_point *p,
                                uint64_t seed)
{
    struct model_net n;
    struct train_result r;
    struct err e;
    const struct train_job job = job_by_hand(p, f->data, seed, &n);
    ck_assert_msg(train_run(&job, &r, &e), "%s", e.text);
    const struct epoch_record *last = &r.history[r.epochs - 1];
    const struct left left = { last->weights_digest, r.test.loss,           r.test.top1,
                               r.test.top5,          last->validation_loss, last->lr };
    ck_assert_uint_eq(left.digest, graph_weights_digest(n.graph));
    train_result_clear(&r);
    graph_destroy(n.graph);
    return left;
}

static double number(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    ck_assert_msg(cJSON_IsNumber(v), "%s is no number", key);
    return v->valuedouble;
}

static struct left left_in_record(const struct record *r)
{
    const cJSON *history = cJSON_GetObjectItemCaseSensitive(r->json, "history");
    const cJSON *last = cJSON_GetArrayItem(history, cJSON_GetArraySize(history) - 1);
    const char *digest =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(r->json, "weights_digest"));
    return (struct left){ strtoull(digest, NULL, 16),      r->loss,           r->top1, r->top5,
                          number(last, "validation_loss"), number(last, "lr") };
}

static enum run_outcome run_task(const struct run_task *t)
{
    struct progress progress;
    struct err e;
    progress_open(&progress, 3, true);
    const enum run_outcome outcome = run_one(t, &progress, false, &e);
    progress_close(&progress);
    return outcome;
}

static struct run_task task_of(const struct fixture *f, const struct design_point *p, uint64_t seed,
                               char id[RUN_ID])
{
    run_id(p, seed, f->data->split.digest, id);
    return (struct run_task){
        .dir = f->dir, .id = id, .point = p, .seed = seed, .data = f->data, .number = 1, .of = 1
    };
}

static void run_is(const struct fixture *f, const struct design_point *p, uint64_t seed)
{
    char id[RUN_ID];
    struct record r;
    struct err e;
    const struct run_task task = task_of(f, p, seed, id);
    ck_assert_int_eq(run_task(&task), RUN_ENDED);
    ck_assert_msg(record_read(f->dir, id, &r, &e) == 1, "%s", e.text);
    ck_assert(r.status == RECORD_COMPLETED && r.seed == seed && r.epochs == 3);
    const struct left want = left_by_hand(f, p, seed), got = left_in_record(&r);
    ck_assert_uint_eq(got.digest, want.digest);
    ck_assert_double_eq(got.loss, want.loss);
    ck_assert_double_eq(got.top1, want.top1);
    ck_assert_double_eq(got.top5, want.top5);
    ck_assert_double_eq(got.validation_loss, want.validation_loss);
    ck_assert_double_eq(got.lr, want.lr);
    ck_assert_double_eq(got.lr, 0.1);
    ck_assert_double_eq(number(cJSON_GetObjectItemCaseSensitive(r.json, "machine"), "jobs"), 3);
    record_clear(&r);
}

START_TEST(a_run_trains_what_its_point_and_seed_say)
{
    struct fixture f;
    fixture_make(&f);
    for (int i = 0; i < f.design.n_points; i++)
        for (int s = 0; s < f.design.n_seeds; s++)
            run_is(&f, &f.design.points[i], f.design.seeds[s]);
    fixture_clear(&f);
}
END_TEST

/* The bytes of a run's record. */
static struct bytes record_bytes(const struct fixture *f, const char *id)
{
    char path[256];
    struct bytes b;
    struct err e;
    snprintf(path, sizeof path, "%s/runs/%s.json", f->dir, id);
    ck_assert_msg(file_read(path, &b, &e), "%s", e.text);
    return b;
}

/* A run is done for good where it completed or diverged: asked for again it leaves its record as it
 * is, seconds included. */
static void run_is_done_once(const struct fixture *f, const char *status)
{
    char id[RUN_ID];
    const struct run_task task = task_of(f, &f->design.points[0], 5, id);
    struct bytes first, again;
    ck_assert_int_eq(run_task(&task), RUN_ENDED);
    first = record_bytes(f, id);
    ck_assert_ptr_nonnull(strstr((const char *)first.data, status));
    ck_assert_int_eq(run_task(&task), RUN_ENDED);
    again = record_bytes(f, id);
    ck_assert_str_eq((const char *)first.data, (const char *)again.data);
    free(first.data);
    free(again.data);
}

START_TEST(what_is_done_is_not_done_again)
{
    struct fixture f;
    fixture_make(&f);
    run_is_done_once(&f, "\"completed\"");
    *(double *)f.design.points[0].spec.optimizer_settings = 1e30; /* lr */
    f.design.points[0].spec.train.clip_norm = 0;
    run_is_done_once(&f, "\"diverged\"");
    fixture_clear(&f);
}
END_TEST

static bool stop_after_two(void *ctx)
{
    int *epochs = ctx;
    return *epochs >= 2;
}

static void count_slowly(void *ctx, const struct epoch_record *r)
{
    int *epochs = ctx;
    (void)r;
    ++*epochs;
}

static void dawdle(void *ctx, const struct train_progress *p)
{
    (void)ctx, (void)p;
    nanosleep(&(struct timespec){ .tv_nsec = 40000000 }, NULL);
}

/* The first two epochs of a run, 3 steps each, at 40 ms a step or more, in another session. */
static void begin_slowly(const struct run_task *t)
{
    const struct run_spec *s = &t->point->spec;
    struct model_net n;
    struct train_result r;
    struct err e;
    char path[256];
    int epochs = 0;
    snprintf(path, sizeof path, "%s/runs/%s", t->dir, t->id);
    ck_assert(dir_make(path, &e));
    snprintf(path, sizeof path, "%s/runs/%s/checkpoint", t->dir, t->id);
    struct train_job job = job_by_hand(t->point, t->data, t->seed, &n);
    job.checkpoint = path;
    job.identity = strtoull(t->id, NULL, 16);
    job.watch = (struct train_watch){ &epochs, dawdle, count_slowly, stop_after_two, NULL };
    ck_assert_msg(train_run(&job, &r, &e), "%s", e.text);
    ck_assert(r.status == TRAIN_INTERRUPTED && r.epochs == 2 && s->train.epochs == 3);
    train_result_clear(&r);
    graph_destroy(n.graph);
}

/* It goes on from there, and its seconds are those of both sessions. */
START_TEST(seconds_are_those_of_all_sessions)
{
    struct fixture f;
    struct record r;
    struct err e;
    char id[RUN_ID];
    fixture_make(&f);
    const struct run_task task = task_of(&f, &f.design.points[0], 5, id);
    begin_slowly(&task);
    ck_assert_int_eq(run_task(&task), RUN_ENDED);
    ck_assert_msg(record_read(f.dir, id, &r, &e) == 1, "%s", e.text);
    const struct left want = left_by_hand(&f, &f.design.points[0], 5);
    ck_assert_uint_eq(left_in_record(&r).digest, want.digest);
    ck_assert_double_ge(r.seconds, 4 * 0.04); /* what follows an epoch's last step is not its own */
    record_clear(&r);
    fixture_clear(&f);
}
END_TEST

/* What the design says of each network is what the network says. */
START_TEST(a_design_counts_its_networks)
{
    struct fixture f;
    struct text t = { 0 };
    fixture_make(&f);
    design_write(&f.design, NULL, &t);
    cJSON *json = cJSON_Parse(t.s);
    ck_assert_ptr_nonnull(json);
    const cJSON *points = cJSON_GetObjectItemCaseSensitive(json, "points");
    for (int i = 0; i < f.design.n_points; i++) {
        const struct design_point *p = &f.design.points[i];
        const cJSON *said = cJSON_GetArrayItem(points, i);
        struct model_net n;
        struct err e;
        double gate = 0, all = 0, states = 0;
        ck_assert(spec_build(&p->spec, 1, &p->shape, &n, &e));
        for (size_t k = 0; k < graph_param_count(n.graph); k++) {
            const struct param *q = graph_param_at(n.graph, k);
            const double len = (double)tensor_len(q->tensor);
            *(q->kind == PARAM_STATE ? &states : &all) += len;
            if (q->gate) gate += len;
        }
        ck_assert_double_eq(number(said, "parameters"), all);
        ck_assert_double_eq(number(said, "parameters_with_statistics"), all + states);
        ck_assert_double_eq(number(said, "se_parameters"), gate);
        ck_assert_double_eq(number(said, "macs"), (double)graph_macs(n.graph, false));
        ck_assert_double_eq(number(said, "conv_fc") + number(said, "se_fc"), number(said, "macs"));
        ck_assert_double_gt(number(said, "se_fc"), 0);
        graph_destroy(n.graph);
    }
    cJSON_Delete(json);
    text_clear(&t);
    fixture_clear(&f);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("run");
    unit_case(s, "runs", 60,
              UNIT_TESTS(a_run_trains_what_its_point_and_seed_say, what_is_done_is_not_done_again,
                         seconds_are_those_of_all_sessions, a_design_counts_its_networks));
    return s;
}
