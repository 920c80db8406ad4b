/* Experiments: points, what wins over what, baselines, identities of runs, the written design. */
#include "core/base/digest.h"
#include "core/base/file.h"
#include "experiments/design/design.h"
#include "tests/unit/unit.h"
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A small network on made-up images; the tests add to it. */
#define BASE "dataset: {name: synthetic, size: 8}\nmodel: {backbone: resnet8}\n"

struct fixture {
    struct design design;
    struct diags diags;
};

static bool fixture_read(struct fixture *f, const struct design_request *r)
{
    *f = (struct fixture){ .diags = { 0 } };
    return design_read(&f->design, r, &f->diags);
}

static void fixture_clear(struct fixture *f)
{
    design_clear(&f->design);
    diags_clear(&f->diags);
}

static void fixture_good(struct fixture *f, const struct design_request *r)
{
    bool ok = fixture_read(f, r);
    if (!ok) diags_print(&f->diags, stderr);
    ck_assert(ok);
    ck_assert_int_eq(f->diags.count, 0);
}

static void fixture_text(struct fixture *f, const char *yaml)
{
    fixture_good(f, &(struct design_request){ .path = "t.yaml", .text = yaml });
}

/* Refused with one diagnosis that has these words. */
static void refused(const struct design_request *r, const char *words)
{
    struct fixture f;
    ck_assert(!fixture_read(&f, r));
    ck_assert_int_eq(f.diags.count, 1);
    ck_assert_msg(strstr(f.diags.list[0].text, words), "%s", f.diags.list[0].text);
    ck_assert_int_eq(f.design.n_points, 0);
    fixture_clear(&f);
}

static void labels_are(const struct design *d, int n, const char *const *labels)
{
    ck_assert_int_eq(d->n_points, n);
    for (int i = 0; i < n; i++) ck_assert_str_eq(d->points[i].label, labels[i]);
}
#define LABELS(d, ...)                                                           \
    labels_are(d, (int)(sizeof(const char *[]){ __VA_ARGS__ } / sizeof(char *)), \
               (const char *const[]){ __VA_ARGS__ })

START_TEST(test_plain)
{
    struct fixture f;
    fixture_text(&f, BASE "question: >\n  Does it\n  work?\n");
    LABELS(&f.design, "t");
    ck_assert_str_eq(f.design.experiment, "t");
    ck_assert_str_eq(f.design.question, "Does it work?");
    ck_assert_ptr_null(f.design.mirrors);
    ck_assert_int_eq(f.design.n_seeds, 1);
    ck_assert_uint_eq(f.design.seeds[0], 1);
    ck_assert_int_eq(f.design.baseline, -1);
    ck_assert_int_eq(f.design.points[0].same_as, -1);
    ck_assert_uint_gt(f.design.points[0].bytes, 4 * f.design.points[0].counts.trainable);
    fixture_clear(&f);
}
END_TEST

START_TEST(test_product)
{
    struct fixture f;
    fixture_text(&f, BASE
                 "experiment: e\nseeds: 3\nsweep:\n"
                 "  model.se.reduction: [none, {2: 8, 3: 4}]\n"
                 "  train: {epochs: [1, 2], schedule: [cosine, constant]}\n"
                 "baseline: {model.se.reduction: none, train: {epochs: 2, schedule: cosine}}\n");
    LABELS(&f.design, "reduction=none, epochs=1, schedule=cosine",
           "reduction=none, epochs=1, schedule=constant",
           "reduction=none, epochs=2, schedule=cosine",
           "reduction=none, epochs=2, schedule=constant",
           "reduction={2: 8, 3: 4}, epochs=1, schedule=cosine",
           "reduction={2: 8, 3: 4}, epochs=1, schedule=constant",
           "reduction={2: 8, 3: 4}, epochs=2, schedule=cosine",
           "reduction={2: 8, 3: 4}, epochs=2, schedule=constant");
    ck_assert_int_eq(f.design.baseline, 2);
    ck_assert_int_eq(f.design.n_axis_keys, 3);
    ck_assert_str_eq(f.design.axis_keys[2], "train.schedule.name");
    ck_assert_int_eq(f.design.points[7].spec.train.epochs, 2);
    ck_assert_str_eq(f.design.points[7].spec.schedule->name, "constant");
    ck_assert_int_eq(f.design.points[7].counts.hidden[3], 8);
    ck_assert_uint_eq(f.design.seeds[2], 3);
    fixture_clear(&f);
}
END_TEST

START_TEST(test_labels_apart)
{
    struct fixture f;
    fixture_text(&f, BASE "train.schedule.name: onecycle\nsweep:\n  dataset.test_limit: [64, 128]\n"
                          "  train.schedule.final: [0.1]\n  train.schedule.start: [0.1]\n"
                          "  model.width: [1, 2]\n");
    ck_assert_str_eq(f.design.points[3].label, "test_limit=128, final=0.1, start=0.1, width=2");
    fixture_clear(&f);
    fixture_text(&f, "dataset: {name: synthetic}\nsweep:\n  dataset.size: [8, 16]\n"
                     "  model.input_size: [auto]\n  train.optimizer: [sgd]\n");
    ck_assert_str_eq(f.design.points[1].label, "size=16, input_size=auto, optimizer=sgd");
    fixture_clear(&f);
}
END_TEST

START_TEST(test_variants)
{
    struct fixture f;
    const char *forms[] = {
        BASE "model.se.bias: true\nvariants:\n  plain: {model.se.reduction: none}\n  all at once: "
             "{model: {se: "
             "{reduction: 2, "
             "squeeze: max}}}\n  as it is: {}\nbaseline: plain\n",
        BASE "model.se.bias: true\nvariants:\n  - {name: plain, model.se.reduction: none}\n  - "
             "name: all at once\n    "
             "model:\n"
             "      se: {reduction: 2, squeeze: max}\n  - {name: as it is}\nbaseline: "
             "{model.se.reduction: none}\n",
    };
    for (int i = 0; i < 2; i++) {
        fixture_text(&f, forms[i]);
        LABELS(&f.design, "plain", "all at once", "as it is");
        ck_assert_int_eq(f.design.baseline, 0);
        ck_assert_int_eq(f.design.n_axis_keys, 2);
        ck_assert_int_eq(f.design.points[1].n_axes, 2);
        ck_assert_int_eq(f.design.points[1].spec.se.squeeze, SE_SQUEEZE_MAX);
        fixture_clear(&f);
    }
    fixture_text(&f, BASE "variants: {a: {}, b: {model.width: 2}}\nsweep: {train.epochs: [1, 2]}\n"
                          "baseline: 'b, epochs=1'\n");
    LABELS(&f.design, "a, epochs=1", "a, epochs=2", "b, epochs=1", "b, epochs=2");
    ck_assert_int_eq(f.design.baseline, 2);
    fixture_clear(&f);
}
END_TEST

/* SE blocks are where a point asks for them; it does not matter how. */
START_TEST(test_who_asks_for_se)
{
    struct fixture f;
    char ids[2][RUN_ID];
    fixture_text(&f, BASE "variants:\n  plain: {}\n  named: {model: se-resnet8}\n"
                          "  asked: {model.se.placement: standard}\n"
                          "  not: {model: se-resnet8, model.se.reduction: none}\n");
    for (int i = 0; i < 4; i++)
        ck_assert_msg((f.design.points[i].counts.se > 0) == (i == 1 || i == 2), "point %d", i);
    for (int i = 0; i < 2; i++) run_id(&f.design.points[1 + i], 1, 0, ids[i]);
    ck_assert_str_eq(ids[0], ids[1]);
    ck_assert_int_eq(f.design.points[2].same_as, 1);
    ck_assert_int_eq(f.design.points[3].same_as, 0);
    fixture_clear(&f);
    fixture_text(&f, BASE "sweep: {model.backbone: [se-resnet8, resnet8]}\n"
                          "baseline: {model.backbone: resnet8}\n");
    LABELS(&f.design, "backbone=se-resnet8", "backbone=resnet8");
    ck_assert_int_eq(f.design.baseline, 1);
    ck_assert_uint_gt(f.design.points[0].counts.se, f.design.points[1].counts.se);
    fixture_clear(&f);
}
END_TEST

/* A folder of experiment files, gone after the test. */
struct folder {
    char path[32];
};

static void folder_file(const struct folder *f, const char *name, const char *text)
{
    struct pool p = { NULL };
    struct err e;
    ck_assert(file_write(pool_textf(&p, "%s/%s", f->path, name), text, strlen(text), &e));
    pool_clear(&p);
}

static struct folder folder_make(void)
{
    struct folder f = { "/tmp/senet-design-XXXXXX" };
    ck_assert_ptr_nonnull(mkdtemp(f.path));
    return f;
}

static void folder_remove(const struct folder *f)
{
    char **names;
    size_t n;
    struct err e;
    struct pool p = { NULL };
    ck_assert(dir_list(f->path, &names, &n, &e));
    for (size_t i = 0; i < n; i++) unlink(pool_textf(&p, "%s/%s", f->path, names[i]));
    dir_list_free(names, n);
    rmdir(f->path);
    pool_clear(&p);
}

static void folder_read(const struct folder *at, struct fixture *f, const char *name,
                        const char *const *assignments, int n)
{
    struct pool p = { NULL };
    struct design_request r = { .path = pool_textf(&p, "%s/%s", at->path, name),
                                .assignments = assignments,
                                .n_assignments = n };
    fixture_good(f, &r);
    pool_clear(&p);
}

START_TEST(test_extends)
{
    struct folder at = folder_make();
    struct fixture f;
    folder_file(&at, "base.yaml",
                BASE "question: base\nseeds: [1, 2]\ntrain: {epochs: 7, batch_size: 16, "
                     "optimizer: {lr: 0.5, momentum: 0}}\n"
                     "sweep: {model.se.reduction: [none, 2], model.width: [1, 2]}\n");
    folder_file(&at, "middle.yaml",
                "extends: base.yaml\nsweep: {model.se.reduction: [none, 4, 8]}\n"
                "train: {epochs: 8, optimizer: {momentum: 0.5}}\n");
    folder_file(&at, "top.yaml", "extends: middle.yaml\nseeds: [9]\ntrain.optimizer.lr: 0.25\n");
    folder_read(&at, &f, "top.yaml", NULL, 0);
    LABELS(&f.design, "reduction=none", "reduction=4", "reduction=8");
    ck_assert_str_eq(f.design.experiment, "top");
    ck_assert_str_eq(f.design.question, "base");
    ck_assert_int_eq(f.design.n_seeds, 1);
    ck_assert_uint_eq(f.design.seeds[0], 9);
    ck_assert_int_eq(f.design.points[0].spec.train.epochs, 8);
    ck_assert_int_eq(f.design.points[0].spec.train.batch_size, 16);
    struct text t = { NULL, 0, 0 };
    spec_write(&f.design.points[0].spec, &t);
    ck_assert_ptr_nonnull(strstr(t.s, "\"lr\":0.25,\"momentum\":0.5"));
    text_clear(&t);
    fixture_clear(&f);
    folder_remove(&at);
}
END_TEST

/* A file on top that fixes what a lower one sweeps takes the axis away. */
START_TEST(test_extends_fixes_axis)
{
    struct folder at = folder_make();
    struct fixture f;
    folder_file(&at, "base.yaml",
                BASE "sweep: {model.se.reduction: [none, 2], model.width: [1, 2]}\n");
    folder_file(&at, "top.yaml", "extends: ./base.yaml\nmodel.se.reduction: 4\n");
    folder_read(&at, &f, "top.yaml", NULL, 0);
    LABELS(&f.design, "width=1", "width=2");
    ck_assert_int_eq(f.design.points[0].spec.se.reduction.all, 4);
    fixture_clear(&f);
    folder_remove(&at);
}
END_TEST

/* What the old choice brought stays behind; what the new one brings counts. */
START_TEST(test_left_behind)
{
    struct fixture f;
    const char *text = BASE "model.se: {reduction: 4, bias: false}\n"
                            "train: {epochs: 9, schedule: {name: step, milestones: [3]}}\n";
    const char *line[] = { "train.schedule=cosine", "model.se.reduction=none" };
    struct design_request r = {
        .path = "t.yaml", .text = text, .assignments = line, .n_assignments = 2
    };
    fixture_good(&f, &r);
    ck_assert_str_eq(f.design.points[0].spec.schedule->name, "cosine");
    fixture_clear(&f);
    refused(
        &(struct design_request){ .text = BASE "train.schedule: {name: cosine, milestones: [3]}" },
        "belongs to schedule step");
    refused(&(struct design_request){ .text = BASE "model.se: {reduction: none, bias: false}" },
            "has no effect");
}
END_TEST

START_TEST(test_command_line)
{
    struct fixture f;
    const char *text = BASE "sweep: {model.se.reduction: [none, 2], train.epochs: [1, 2]}\n"
                            "baseline: {model.se.reduction: none, train.epochs: 2}\n";
    const char *fix[] = { "train.epochs=2", "seeds=[4,5]", "experiment=other",
                          "model.se.bias=false" };
    fixture_good(&f, &(struct design_request){
                         .path = "t.yaml", .text = text, .assignments = fix, .n_assignments = 4 });
    LABELS(&f.design, "reduction=none", "reduction=2");
    ck_assert_str_eq(f.design.experiment, "other");
    ck_assert_int_eq(f.design.n_seeds, 2);
    ck_assert_int_eq(f.design.baseline, 0);
    ck_assert_int_eq(f.design.points[1].spec.train.epochs, 2);
    ck_assert(!f.design.points[1].spec.se.bias);
    fixture_clear(&f);
}
END_TEST

START_TEST(test_command_line_sweep)
{
    struct fixture f;
    const char *text = BASE "sweep: {model.se.reduction: [none, 2], train.epochs: [1, 2]}\n";
    const char *axes[] = { "model.se.reduction=none,{2: 8},4", "model.width=1,2", "train.epochs=3",
                           "seeds=1,2,3" };
    fixture_good(&f, &(struct design_request){ .path = "t.yaml",
                                               .text = text,
                                               .assignments = axes,
                                               .n_assignments = 4,
                                               .sweep = true });
    LABELS(&f.design, "reduction=none, width=1", "reduction=none, width=2",
           "reduction={2: 8}, width=1", "reduction={2: 8}, width=2", "reduction=4, width=1",
           "reduction=4, width=2");
    ck_assert_int_eq(f.design.points[0].spec.train.epochs, 3);
    ck_assert_int_eq(f.design.n_seeds, 3);
    fixture_clear(&f);
}
END_TEST

/* Without a file: what `describe BACKBONE KEY=VALUE` reads. */
START_TEST(test_no_file)
{
    struct fixture f;
    const char *line[] = { "model=resnet20",
                           "dataset={name: synthetic, size: 32, channels: 3, classes: 10}",
                           "model.se.reduction=none" };
    fixture_good(&f, &(struct design_request){ .assignments = line, .n_assignments = 3 });
    ck_assert_int_eq(f.design.n_points, 1);
    ck_assert_int_eq(f.design.points[0].shape.size, 32);
    fixture_clear(&f);
}
END_TEST

/* r = 64 and r = 100 both leave one hidden channel everywhere: one network, trained once. */
START_TEST(test_same_runs)
{
    struct fixture f;
    fixture_text(&f, BASE
                 "sweep: {model.se.reduction: [none, 64, 100], model.se.squeeze: [avg, max]}\n");
    int same[] = { -1, 0, -1, -1, 2, 3 };
    ck_assert_int_eq(f.design.n_points, 6);
    for (int i = 0; i < 6; i++) ck_assert_int_eq(f.design.points[i].same_as, same[i]);
    fixture_clear(&f);
}
END_TEST

/* The id of the only run of BASE with one assignment more. */
static void id_with(const char *assignment, uint64_t seed, uint64_t data, char id[RUN_ID])
{
    struct fixture f;
    fixture_good(&f, &(struct design_request){
                         .path = "t.yaml",
                         .text = BASE
                         "model.se.reduction: 4\ntrain: {epochs: 3}\naugment: {crop_padding: 1}\n",
                         .assignments = &assignment,
                         .n_assignments = assignment ? 1 : 0 });
    run_id(&f.design.points[0], seed, data, id);
    fixture_clear(&f);
}

START_TEST(test_ids_stay)
{
    const char *same[] = { "experiment=x",
                           "question=why",
                           "seeds=5",
                           "model.se.reduction={2: 4, 3: 4, 4: 4}",
                           "model.se.stages=all",
                           "model.se.stages=[2,3,4]",
                           "train.optimizer=sgd",
                           "train.epochs=3",
                           "train.optimizer.lr=1e-1",
                           "mirrors=table10",
                           "model.se.min_hidden=2" };
    char first[RUN_ID], id[RUN_ID];
    id_with(NULL, 1, 2, first);
    ck_assert_uint_eq(strlen(first), RUN_ID - 1);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        id_with(same[i], 1, 2, id);
        ck_assert_msg(strcmp(id, first) == 0, "%s changes the id", same[i]);
    }
}
END_TEST

START_TEST(test_ids_change)
{
    const char *all[] = { NULL,
                          "train.epochs=4",
                          "train.batch_size=64",
                          "train.label_smoothing=0.1",
                          "train.clip_norm=1",
                          "train.optimizer.lr=0.2",
                          "train.optimizer.momentum=0.8",
                          "train.optimizer.weight_decay=0",
                          "train.optimizer.nesterov=true",
                          "train.optimizer.decay_norm_and_bias=false",
                          "train.schedule=constant",
                          "train.schedule.warmup_epochs=1",
                          "train.schedule.final=0.5",
                          "augment.crop_padding=2",
                          "augment.crop_fill=reflect",
                          "augment.flip=true",
                          "augment.cutout=2",
                          "dataset.validation=64",
                          "dataset.train_limit=128",
                          "dataset.test_limit=32",
                          "dataset.mean=[0.5,0.5,0.5]",
                          "dataset.sd=[0.5,0.5,0.5]",
                          "dataset.size=12",
                          "model.backbone=resnet14",
                          "model.width=2",
                          "model.dropout=0.5",
                          "model.shortcut=identity",
                          "model.se.reduction=none",
                          "model.se.reduction=2",
                          "model.se.squeeze=max",
                          "model.se.squeeze=none",
                          "model.se.excitation=tanh",
                          "model.se.placement=pre",
                          "model.se.stages=[3]",
                          "model.se.bias=false",
                          "model.se.min_hidden=9" };
    enum { N = sizeof all / sizeof *all };
    char ids[N + 2][RUN_ID];
    for (int i = 0; i < N; i++) id_with(all[i], 1, 2, ids[i]);
    id_with(NULL, 2, 2, ids[N]);
    id_with(NULL, 1, 3, ids[N + 1]);
    for (int i = 0; i < N + 2; i++)
        for (int j = 0; j < i; j++)
            ck_assert_msg(strcmp(ids[i], ids[j]) != 0, "%s and %s share an id",
                          i < N ? all[i] : "seed or data", all[j] ? all[j] : "nothing");
}
END_TEST

static const cJSON *get(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    ck_assert_msg(v != NULL, "no %s", key);
    return v;
}

START_TEST(test_written)
{
    struct fixture f;
    fixture_text(
        &f,
        BASE "experiment: e\nquestion: a \"b\"\nmirrors: table10\nseeds: [7, 8]\n"
             "sweep: {model.se.reduction: [none, {2: 8}]}\nbaseline: {model.se.reduction: none}\n");
    const char ids[4][RUN_ID] = { "a", "b", "c", "d" };
    struct text t = { NULL, 0, 0 };
    design_write(&f.design, ids, &t);
    cJSON *j = cJSON_Parse(t.s);
    ck_assert_ptr_nonnull(j);
    ck_assert_int_eq(get(j, "version")->valueint, 1);
    ck_assert_str_eq(get(j, "question")->valuestring, "a \"b\"");
    ck_assert_int_eq(get(j, "baseline")->valueint, 0);
    ck_assert_int_eq(cJSON_GetArrayItem(get(j, "seeds"), 1)->valueint, 8);
    ck_assert_str_eq(cJSON_GetArrayItem(get(j, "axis_keys"), 0)->valuestring, "model.se.reduction");
    const cJSON *p = cJSON_GetArrayItem(get(j, "points"), 1);
    char *axis = cJSON_PrintUnformatted(get(get(p, "axes"), "model.se.reduction"));
    ck_assert_str_eq(axis, "{\"2\":8}");
    free(axis);
    ck_assert(cJSON_IsNull(get(p, "same_as")));
    ck_assert_int_eq(get(get(p, "hidden"), "2")->valueint, 2);
    ck_assert_uint_eq((uint64_t)get(p, "parameters")->valuedouble,
                      f.design.points[1].counts.trainable);
    ck_assert_uint_eq(strlen(get(p, "structure")->valuestring), DIGEST_TEXT - 1);
    ck_assert_str_eq(get(get(get(p, "settings"), "model"), "backbone")->valuestring, "resnet8");
    ck_assert_str_eq(cJSON_GetArrayItem(get(p, "runs"), 1)->valuestring, "d");
    cJSON_Delete(j);
    text_clear(&t);
    design_write(&f.design, NULL, &t);
    j = cJSON_Parse(t.s);
    ck_assert(cJSON_IsNull(get(cJSON_GetArrayItem(get(j, "points"), 0), "runs")));
    cJSON_Delete(j);
    text_clear(&t);
    fixture_clear(&f);
}
END_TEST

/* One value dies at some points: the message stands at the value and names the points. */
START_TEST(test_death)
{
    struct fixture f;
    const char *text =
        "dataset: {name: synthetic, size: 32}\nsweep:\n  model.backbone: [resnet8, resnet18]\n"
        "  dataset.size: [32, 16]\n  train.epochs: [1, 2]\n";
    ck_assert(!fixture_read(&f, &(struct design_request){ .path = "t.yaml", .text = text }));
    ck_assert_int_eq(f.diags.count, 1);
    ck_assert_int_eq(f.diags.list[0].line, 4);
    ck_assert_int_eq(f.diags.list[0].column, 22);
    ck_assert_str_eq(f.diags.list[0].hint,
                     "points that this affects: backbone=resnet18, size=16, epochs=1; "
                     "backbone=resnet18, size=16, epochs=2");
    fixture_clear(&f);
}
END_TEST

START_TEST(test_many_points)
{
    struct fixture f;
    struct text t = { NULL, 0, 0 };
    text_add(&t, "dataset: {name: synthetic}\nsweep:\n  model.se.squeeze: [avg, max]\n"
                 "  model.se.placement: [standard, pre, post, identity, conv3x3]\n"
                 "  model.se.reduction: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n  train.epochs: [1");
    for (int i = 2; i <= 10; i++) text_addf(&t, ", %d", i);
    text_add(&t, "]\n");
    fixture_text(&f, t.s);
    ck_assert_int_eq(f.design.n_points, 1000);
    ck_assert_str_eq(f.design.points[999].label,
                     "squeeze=max, placement=conv3x3, reduction=10, epochs=10");
    text_clear(&t);
    fixture_clear(&f);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("design");
    unit_case(s, "points", 60,
              UNIT_TESTS(test_plain, test_product, test_labels_apart, test_variants,
                         test_who_asks_for_se, test_death, test_many_points));
    unit_case(s, "layers", 20,
              UNIT_TESTS(test_extends, test_extends_fixes_axis, test_left_behind, test_command_line,
                         test_command_line_sweep, test_no_file));
    unit_case(s, "identity", 60,
              UNIT_TESTS(test_same_runs, test_ids_stay, test_ids_change, test_written));
    return s;
}
