/* One run: defaults, sections, assignments, the echo. */
#include "core/ops/ops.h"
#include "experiments/spec/components.h"
#include "experiments/spec/spec.h"
#include "experiments/spec/yaml.h"
#include "tests/unit/unit.h"
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 200 };

struct fixture {
    struct pool pool;
    struct diags diags;
    struct run_spec spec;
    struct setting list[LIST_MAX];
    int n;
};

/* Scalars of nested maps as dotted keys; what is no section is a value. */
static void settings_take(struct fixture *f, const struct value *map, const char *prefix)
{
    for (const struct value *v = map->first; v; v = v->next) {
        const char *key = pool_textf(&f->pool, "%s%s%s", prefix, *prefix ? "." : "", v->key->text);
        bool section = false;
        for (int i = 0; prefix_at(i); i++) section |= strcmp(prefix_at(i), key) == 0;
        if (section)
            settings_take(f, v, key);
        else
            f->list[f->n++] = (struct setting){ key, v };
    }
}

static bool fixture_resolve(struct fixture *f, const char *yaml)
{
    *f = (struct fixture){ .n = 0 };
    diags_source(&f->diags, "t.yaml", yaml);
    struct value *v = yaml_read("t.yaml", yaml, strlen(yaml), &f->pool, &f->diags);
    ck_assert_ptr_nonnull(v);
    settings_take(f, v, "");
    return spec_resolve(&f->spec, f->list, f->n, &f->pool, &f->diags);
}

static void fixture_clear(struct fixture *f)
{
    pool_clear(&f->pool);
    diags_clear(&f->diags);
}

START_TEST(test_defaults)
{
    struct fixture f;
    ck_assert(fixture_resolve(&f, "{}"));
    ck_assert_str_eq(f.spec.format->name, "idx");
    ck_assert_str_eq(f.spec.backbone->name, "resnet20");
    ck_assert_str_eq(f.spec.optimizer->name, "sgd");
    ck_assert_str_eq(f.spec.schedule->name, "cosine");
    fixture_clear(&f);
}
END_TEST

/* A key is one setting, whatever is chosen; and spec_field finds each. */
START_TEST(test_sections)
{
    struct fixture f;
    fixture_resolve(&f, "{}");
    for (int b = 0; backbone_at(b); b++) {
        struct section all[SPEC_SECTIONS];
        f.spec.backbone = backbone_at(b);
        int n = spec_sections(&f.spec, all);
        for (int i = 0; i < n; i++)
            for (const struct field *row = all[i].fields; row->key; row++) {
                void *into;
                const char *key = pool_textf(&f.pool, "%s.%s", all[i].prefix, row->key);
                ck_assert_ptr_eq(spec_field(&f.spec, key, &into), row);
                ck_assert_ptr_eq(into, all[i].into);
            }
    }
    fixture_clear(&f);
}
END_TEST

START_TEST(test_names_first)
{
    struct fixture f;
    ck_assert(fixture_resolve(&f, "train: {schedule: {milestones: [3, 5], name: step}}\n"
                                  "model: {se: {reduction: {2: 8, 3: none, 4: 4}}}\n"
                                  "dataset: {size: 24, name: synthetic}\n"));
    ck_assert_str_eq(f.spec.schedule->name, "step");
    ck_assert_int_eq(f.spec.se.reduction.stage[2], 8);
    struct data_shape shape;
    struct err e;
    ck_assert(spec_shape(&f.spec, &shape, &e));
    ck_assert_int_eq(shape.size, 24);
    fixture_clear(&f);
}
END_TEST

START_TEST(test_refused)
{
    struct fixture f;
    ck_assert(!fixture_resolve(&f, "train: {epochs: 0, schedule: {milestones: [1]}, lr: 1}\n"
                                   "model: {backbone: resnet9}\n"));
    ck_assert_int_eq(f.diags.count, 4);
    ck_assert_str_eq(f.diags.list[0].text, "train.epochs: \"0\" is not an integer 1..100000");
    ck_assert_str_eq(f.diags.list[1].text,
                     "train.schedule.milestones belongs to schedule step, but "
                     "this experiment uses cosine");
    ck_assert_str_eq(f.diags.list[2].hint, "did you mean train.optimizer.lr?");
    ck_assert_str_eq(f.diags.list[3].hint, "did you mean resnet8?");
    fixture_clear(&f);
}
END_TEST

/* JSON is YAML: the echo of a run, read as an experiment, is the same run. */
static void echo_is_stable(const char *yaml)
{
    struct fixture f, again;
    struct text first = { NULL, 0, 0 }, second = { NULL, 0, 0 };
    ck_assert_msg(fixture_resolve(&f, yaml), "%s", f.diags.count ? f.diags.list[0].text : "");
    spec_write(&f.spec, &first);
    cJSON *json = cJSON_Parse(first.s);
    ck_assert_msg(cJSON_IsObject(json), "%s", first.s);
    cJSON_Delete(json);
    ck_assert_msg(fixture_resolve(&again, first.s), "%s",
                  again.diags.count ? again.diags.list[0].text : "");
    spec_write(&again.spec, &second);
    ck_assert_str_eq(first.s, second.s);
    text_clear(&first);
    text_clear(&second);
    fixture_clear(&f);
    fixture_clear(&again);
}

START_TEST(test_echo)
{
    struct pool p = { NULL };
    for (int c = 0; c < COMPONENTS; c++)
        for (int i = 0; components[c].name(i); i++)
            echo_is_stable(pool_textf(&p, "dataset.path: x\n%s.%s: %s\n", components[c].prefix,
                                      components[c].key, components[c].name(i)));
    echo_is_stable("dataset: {path: 'a \"b\" \\c', mean: [0.5], sd: [0.25], train_limit: 7}\n"
                   "augment: {crop_padding: 2, crop_fill: reflect, cutout: 3}\n"
                   "model: {width: 0.3, se: {reduction: {2: 8, 4: 3}, squeeze: max}}\n"
                   "train: {optimizer: {lr: 1e-7, nesterov: true}, label_smoothing: 0.1,\n"
                   "  schedule: {name: step, milestones: [3, 9], warmup_epochs: 0.5}}\n");
    echo_is_stable("{dataset.path: x, model.se: {stages: [3], reduction: 2, bias: false}}");
    pool_clear(&p);
}
END_TEST

START_TEST(test_halves)
{
    struct fixture f;
    struct text training = { NULL, 0, 0 }, network = { NULL, 0, 0 };
    fixture_resolve(&f, "{dataset.path: here, model.se.reduction: 4}");
    spec_write_training(&f.spec, &training);
    spec_write_network(&f.spec, &network);
    ck_assert_ptr_null(strstr(training.s, "model."));
    ck_assert_ptr_null(strstr(training.s, "here"));
    ck_assert_ptr_nonnull(strstr(training.s, "\"train.optimizer.lr\":0.1"));
    ck_assert_ptr_null(strstr(network.s, "train"));
    ck_assert_ptr_nonnull(strstr(network.s, "\"model.se.reduction\":4"));
    text_clear(&training);
    text_clear(&network);
    fixture_clear(&f);
}
END_TEST

START_TEST(test_try)
{
    struct fixture f;
    fixture_resolve(&f, "{}");
    struct value v = { .kind = VALUE_SCALAR, .text = "1e-1", .file = "t", .line = 1, .column = 1 };
    struct setting x = { "train.optimizer.lr", &v };
    struct text t = { NULL, 0, 0 };
    struct err e;
    f.spec.train.epochs = 3;
    ck_assert_int_eq(spec_try(&f.spec, &x, &t, &e), ASSIGNED);
    ck_assert_str_eq(t.s, "0.1");
    x.key = "train.epochs";
    ck_assert_int_eq(spec_try(&f.spec, &x, &t, &e), ASSIGN_REFUSED);
    ck_assert_ptr_eq(e.at, &v);
    ck_assert_int_eq(f.spec.train.epochs, 3);
    x.key = "train.schedule.milestones";
    ck_assert_int_eq(spec_try(&f.spec, &x, &t, &e), ASSIGN_FOREIGN);
    x.key = "train.milestones";
    ck_assert_int_eq(spec_try(&f.spec, &x, &t, &e), ASSIGN_UNKNOWN);
    text_clear(&t);
    fixture_clear(&f);
}
END_TEST

static const struct node *node_with(const struct graph *g, const struct op *op)
{
    for (size_t i = 0; i < graph_node_count(g); i++)
        if (graph_node(g, i)->op == op) return graph_node(g, i);
    ck_abort_msg("no %s", op->name);
}

/* Every setting that the network hangs on reaches it. */
START_TEST(test_build)
{
    struct fixture f;
    struct model_net net;
    struct err e;
    ck_assert(fixture_resolve(&f, "model: {backbone: resnet8, width: 0.5, dropout: 0.25,\n"
                                  "  shortcut: identity, se: {reduction: 4, excitation: tanh}}\n"
                                  "train: {label_smoothing: 0.125, precision: bf16}\n"));
    ck_assert(spec_build(&f.spec, 3, &(struct data_shape){ 12, 2, 6 }, &net, &e));
    const struct softmax_loss_attr *loss = node_with(net.graph, &op_softmax_loss)->call.attr;
    const struct dropout_attr *dropout = node_with(net.graph, &op_dropout)->call.attr;
    const struct node *conv = node_with(net.graph, &op_conv2d);
    ck_assert_double_eq(loss->smoothing, 0.125);
    ck_assert_double_eq(dropout->rate, 0.25);
    ck_assert(conv->out.n == 3 && conv->out.h == 12 && conv->out.c == 8 && conv->out.bf16);
    ck_assert(net.images->c == 2 && net.logits->c == 6);
    ck_assert_int_eq(node_with(net.graph, &op_tanh)->out.c, 8);
    node_with(net.graph, &op_pad_channels); /* the shortcut's */
    graph_destroy(net.graph);
    fixture_clear(&f);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("spec");
    unit_case(s, "spec", 20,
              UNIT_TESTS(test_defaults, test_sections, test_names_first, test_refused, test_echo,
                         test_halves, test_try, test_build));
    return s;
}
