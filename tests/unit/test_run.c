/* A run of a design, from its lock to its record, against the same training set up by hand. */
#include "core/base/file.h"
#include "experiments/results/record.h"
#include "experiments/run/run_one.h"
#include "tests/unit/data_files.h"

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

static struct left left_by_hand(const struct fixture *f, const struct design_point *p,
                                uint64_t seed)
{
    const struct run_spec *s = &p->spec;
    struct model_net n;
    struct train_result r;
    struct err e;
    ck_assert(spec_build(s, s->train.batch_size, &p->shape, &n, &e));
    struct tensor *keep[] = { n.logits, n.loss, NULL };
    ck_assert(graph_plan(n.graph, true, keep, &e));
    const struct train_job job = { .net = { n.graph, n.images, n.labels, n.logits, n.loss },
                                   .data = f->data->data,
                                   .split = &f->data->split,
                                   .settings = &s->train,
                                   .augment = &s->augment,
                                   .optimizer = s->optimizer,
                                   .optimizer_settings = s->optimizer_settings,
                                   .schedule = s->schedule,
                                   .schedule_settings = s->schedule_settings,
                                   .seed = seed };
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

static void run_is(const struct fixture *f, const struct design_point *p, uint64_t seed)
{
    char id[RUN_ID];
    struct progress progress;
    struct record r;
    struct err e;
    run_id(p, seed, f->data->split.digest, id);
    const struct run_task task = {
        .dir = f->dir, .id = id, .point = p, .seed = seed, .data = f->data, .number = 1, .of = 1
    };
    progress_open(&progress, 1, true);
    ck_assert_msg(run_one(&task, &progress, false, &e) == RUN_ENDED, "%s", e.text);
    progress_close(&progress);
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
              UNIT_TESTS(a_run_trains_what_its_point_and_seed_say, a_design_counts_its_networks));
    return s;
}
