/* SGD against PyTorch, schedules against their formulas at chosen points, gradient clipping. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/nn/nn.h"
#include "core/optim/optim.h"
#include "tests/golden/sgd.h"
#include "tests/unit/settings.h"
#include <math.h>
#include <stdlib.h>

enum { IMAGES = 2, CHANNELS = 3, OPTIM_CLASSES = 5 };

/* Multiplicative hashing to [-0.5, 0.5); tests/golden/sgd.py has the same rule. */
static float value(uint32_t n) { return (float)(n * 2654435761u >> 8) / (1u << 24) - 0.5f; }

/* Batch norm and a linear layer with this many inputs and outputs. */
static struct graph *optim_graph(int channels, int classes)
{
    struct net n = { .graph = graph_create() };
    struct tensor *x = graph_input(n.graph, "images", IMAGES, 1, 1, channels);
    struct tensor *labels = graph_input(n.graph, "labels", IMAGES, 1, 1, 1);
    x = nn_linear(&n, nn_batch_norm(&n, x, "bn"), "fc",
                  (struct linear_layer){ .out = classes, .bias = true });
    nn_softmax_loss(&n, x, labels, 0);
    ck_assert_msg(!n.failed, "%s", n.e.text);
    ck_assert(graph_plan(n.graph, true, NULL, &n.e));
    return n.graph;
}

/* Fills the trained parameters (or their gradients) in the order of the list: value(start), ... */
static void optim_fill(struct graph *g, float *flat, uint32_t start)
{
    for (size_t i = 0; i < graph_param_count(g); i++) {
        const struct param *p = graph_param_at(g, i);
        if (p->kind == PARAM_STATE) continue;
        for (size_t j = 0; j < tensor_len(p->tensor); j++) flat[p->at + j] = value(start++);
    }
}

static void *optim_settings(const struct sgd_golden *c)
{
    const struct field *f = optimizer_sgd.fields;
    void *s = mem_new(1, optimizer_sgd.settings_size);
    fields_default(f, s);
    setting_real(f, s, "lr", c->lr);
    setting_real(f, s, "momentum", c->momentum);
    setting(f, s, "nesterov", c->nesterov ? "true" : "false");
    setting_real(f, s, "weight_decay", c->weight_decay);
    setting(f, s, "decay_norm_and_bias", c->decay_norm_and_bias ? "true" : "false");
    ck_assert_double_eq(*(double *)s, c->lr); /* lr is the first member */
    return s;
}

static void optim_compare(struct graph *g, const struct sgd_golden *c)
{
    size_t len, at = 0;
    const float *w = graph_weights(g, &len);
    for (size_t i = 0; i < graph_param_count(g); i++) {
        const struct param *p = graph_param_at(g, i);
        if (p->kind == PARAM_STATE) continue;
        for (size_t j = 0; j < tensor_len(p->tensor); j++, at++)
            ck_assert_float_eq_tol(w[p->at + j], c->weights[at], 2e-7f);
    }
    ck_assert_uint_eq(at, sizeof c->weights / sizeof *c->weights);
}

static void optim_golden(const struct sgd_golden *c)
{
    struct graph *g = optim_graph(CHANNELS, OPTIM_CLASSES);
    size_t len;
    float *w = graph_weights(g, &len);
    float *state = mem_new(len, sizeof *state);
    void *s = optim_settings(c);
    ck_assert_int_eq(optimizer_sgd.state_per_weight, 1);
    optim_fill(g, w, 0);
    for (uint32_t step = 1; step <= 5; step++) {
        optim_fill(g, graph_gradients(g), 1000 * step);
        optimizer_sgd.step(s, g, state, c->lr * (1 - 0.1 * (step - 1)));
    }
    optim_compare(g, c);
    free(s);
    free(state);
    graph_destroy(g);
}

START_TEST(test_sgd_golden)
{
    for (int i = 0; kernels_at(i); i++) {
        kernels_use(kernels_at(i)->isa);
        for (size_t c = 0; c < sizeof sgd_golden / sizeof *sgd_golden; c++)
            optim_golden(&sgd_golden[c]);
    }
    kernels_use(NULL);
}
END_TEST

/* A weight after so many steps at rate 0.1 and momentum 0.9 along a constant gradient. */
static double nesterov(double weight, double gradient, double decay, int steps)
{
    double velocity = 0;
    for (int i = 0; i < steps; i++) {
        const double g = gradient + decay * weight;
        velocity = 0.9 * velocity + g;
        weight -= 0.1 * (g + 0.9 * velocity);
    }
    return weight;
}

/* Weights over several chunks: the same bits with 1 thread and with 3, and every weight is
 * moved once a step. */
START_TEST(test_sgd_threads)
{
    const struct sgd_golden c = { 0.1, 0.9, true, 0.01, false, { 0 } };
    struct graph *g = optim_graph(400, 401);
    void *s = optim_settings(&c);
    size_t len;
    float *w = graph_weights(g, &len);
    uint64_t digest[2];
    ck_assert_uint_gt(len, 2 << 16);
    for (int i = 0; i < 2; i++) {
        float *state = mem_new(len, sizeof *state);
        parallel_use(i ? 3 : 1);
        optim_fill(g, w, 7);
        optim_fill(g, graph_gradients(g), 99);
        optimizer_sgd.step(s, g, state, 0.1);
        optimizer_sgd.step(s, g, state, 0.1);
        digest[i] = graph_weights_digest(g);
        free(state);
    }
    ck_assert(digest[0] == digest[1]);
    uint32_t n = 0; /* of trained weights so far */
    for (size_t i = 0; i < graph_param_count(g); i++) {
        const struct param *p = graph_param_at(g, i);
        const double decay = p->kind == PARAM_LINEAR ? c.weight_decay : 0;
        for (size_t j = 0; p->kind != PARAM_STATE && j < tensor_len(p->tensor); j++, n++)
            ck_assert_double_eq_tol(w[p->at + j], nesterov(value(7 + n), value(99 + n), decay, 2),
                                    1e-6);
    }
    ck_assert_uint_gt(n, 2 << 16);
    parallel_use(0);
    free(s);
    graph_destroy(g);
}
END_TEST

START_TEST(test_clip)
{
    struct graph *g = optim_graph(400, 401);
    size_t len;
    graph_weights(g, &len);
    float *grad = graph_gradients(g), *copy = mem_new(len, sizeof *copy);
    optim_fill(g, grad, 5);
    memcpy(copy, grad, len * sizeof *copy);
    double sum = 0;
    for (size_t i = 0; i < len; i++) sum += (double)grad[i] * (double)grad[i];
    double norm = sqrt(sum);
    for (int threads = 1; threads <= 3; threads++) {
        parallel_use(threads);
        ck_assert_double_eq_tol(gradients_clip(g, norm * 1.001), norm, norm * 1e-7);
        ck_assert_mem_eq(grad, copy, len * sizeof *copy);
    }
    ck_assert_double_eq_tol(gradients_clip(g, norm * 0.999), norm, norm * 1e-7);
    ck_assert_double_eq_tol(gradients_clip(g, norm), norm * 0.999, norm * 1e-6);
    memcpy(grad, copy, len * sizeof *copy);
    double first = gradients_clip(g, 2);
    for (size_t i = 0; i < len; i++)
        ck_assert_float_eq_tol(grad[i], (float)(copy[i] * 2 / norm), 1e-7f);
    memcpy(grad, copy, len * sizeof *copy);
    parallel_use(1);
    ck_assert_double_eq(gradients_clip(g, 2), first);
    ck_assert_double_eq_tol(gradients_clip(g, 10), 2, 1e-5);
    memcpy(grad, copy, len * sizeof *copy);
    grad[0] = NAN;
    ck_assert(!isfinite(gradients_clip(g, 2)));
    ck_assert_float_eq(grad[1], copy[1]);
    parallel_use(0);
    free(copy);
    graph_destroy(g);
}
END_TEST

struct schedule_case { /* settings as "key=value", factors expected of a training of 100 epochs */
    const char *name, *settings[4];
    struct {
        double epoch, factor;
    } at[8];
};

static const struct schedule_case schedule_cases[] = {
    { "constant", { NULL }, { { 0, 1 }, { 50, 1 }, { 99.9, 1 } } },
    { "constant",
      { "warmup_epochs=4", "warmup_from=0.2" },
      { { 0, 0.2 }, { 1, 0.4 }, { 2.5, 0.7 }, { 4, 1 }, { 80, 1 } } },
    { "constant", { "warmup_epochs=2" }, { { 0, 0.1 }, { 1, 0.55 }, { 2, 1 } } },
    { "step", { NULL }, { { 0, 1 }, { 29.99, 1 }, { 30, 0.1 }, { 60, 0.01 }, { 99, 0.001 } } },
    { "step", { "every=10", "factor=0.5" }, { { 9.9, 1 }, { 10, 0.5 }, { 95, 1.0 / 512 } } },
    { "step",
      { "every=10", "factor=0.5", "warmup_epochs=5", "warmup_from=0" },
      { { 0, 0 }, { 2.5, 0.5 }, { 5, 1 }, { 9.9, 1 }, { 10, 0.5 }, { 19.9, 0.5 }, { 20, 0.25 } } },
    { "step",
      { "milestones=50,75" },
      { { 0, 1 }, { 30, 1 }, { 49.99, 1 }, { 50, 0.1 }, { 74, 0.1 }, { 75, 0.01 }, { 99, 0.01 } } },
    { "step",
      { "milestones=2,75", "warmup_epochs=4", "warmup_from=0" },
      { { 0, 0 }, { 1, 0.25 }, { 2, 0.05 }, { 4, 0.1 }, { 75, 0.01 } } },
    { "cosine",
      { NULL },
      { { 0, 1 }, { 25, 0.853553390593 }, { 50, 0.5 }, { 75, 0.146446609407 }, { 100, 0 } } },
    { "cosine",
      { "warmup_epochs=20", "final=0.1" },
      { { 0, 0.1 }, { 10, 0.55 }, { 20, 1 }, { 60, 0.55 }, { 100, 0.1 }, { 120, 0.1 } } },
    { "onecycle",
      { NULL },
      { { 0, 0.04 },
        { 7.5, 0.180588745030 },
        { 15, 0.52 },
        { 30, 1 },
        { 47.5, 0.853553976378 },
        { 65, 0.500002 },
        { 100, 4e-6 } } },
    { "onecycle",
      { "rise=0.5", "start=0.1", "final=0.01", "warmup_epochs=20" },
      { { 0, 0.01 }, { 10, 0.055 }, { 20, 0.1 }, { 40, 0.55 }, { 60, 1 }, { 80, 0.505 } } },
    { "onecycle", { "rise=0", "final=0.5" }, { { 0, 1 }, { 50, 0.75 }, { 100, 0.5 } } },
};

/* Sets "key=value"; a value with commas is a list. */
static void schedule_set(const struct schedule *s, void *settings, const char *assignment)
{
    char *text = mem_text(assignment), *v = strchr(text, '=');
    *v++ = 0;
    if (!strchr(v, ',')) {
        setting(s->fields, settings, text, v);
    } else {
        struct value items[8] = { 0 }, list = { .kind = VALUE_LIST, .first = items };
        struct err e;
        int n = 0;
        for (char *word = strtok(v, ","); word; word = strtok(NULL, ","), n++) {
            items[n] = (struct value){ .kind = VALUE_SCALAR, .text = word };
            if (n) items[n - 1].next = &items[n];
        }
        ck_assert_msg(field_read(field_named(s->fields, text), settings, &list, NULL, &e), "%s",
                      e.text);
    }
    free(text);
}

static void *schedule_settings(const struct schedule *s, const char *const *assignments)
{
    void *settings = mem_new(1, s->settings_size);
    fields_default(s->fields, settings);
    for (; *assignments; assignments++) schedule_set(s, settings, *assignments);
    return settings;
}

START_TEST(test_schedules)
{
    for (size_t i = 0; i < sizeof schedule_cases / sizeof *schedule_cases; i++) {
        const struct schedule_case *c = &schedule_cases[i];
        const struct schedule *s = schedule_named(c->name);
        void *settings = schedule_settings(s, c->settings);
        for (int j = 0; j < 8 && (j == 0 || c->at[j].epoch > 0); j++) {
            double factor = s->factor(settings, c->at[j].epoch, 100);
            ck_assert_msg(fabs(factor - c->at[j].factor) < 1e-9, "%s, case %zu, epoch %g: %.12g",
                          c->name, i, c->at[j].epoch, factor);
        }
        free(settings);
    }
}
END_TEST

/* Every schedule has a table point above, begins with the warm-up rows, and never leaves [0, 1]. */
START_TEST(test_schedule_list)
{
    for (const struct schedule *const *s = schedules; *s; s++) {
        size_t cases = 0;
        for (size_t i = 0; i < sizeof schedule_cases / sizeof *schedule_cases; i++)
            cases += strcmp(schedule_cases[i].name, (*s)->name) == 0;
        ck_assert_uint_ge(cases, 1);
        ck_assert(schedule_named((*s)->name) == *s);
        ck_assert_str_eq((*s)->fields[0].key, "warmup_epochs");
        ck_assert_str_eq((*s)->fields[1].key, "warmup_from");
        void *settings = schedule_settings(*s, (const char *const[]){ "warmup_epochs=3", NULL });
        for (double epoch = 0; epoch <= 10; epoch += 0.01) {
            double factor = (*s)->factor(settings, epoch, 10);
            ck_assert(factor >= 0 && factor <= 1);
        }
        free(settings);
    }
    ck_assert(schedule_named("linear") == NULL && optimizer_named("adam") == NULL);
    ck_assert(optimizer_named("sgd") == &optimizer_sgd);
}
END_TEST

START_TEST(test_schedule_check)
{
    struct err e;
    void *s = schedule_settings(&schedule_cosine, (const char *const[]){ "warmup_epochs=5", NULL });
    ck_assert(schedule_check(&schedule_cosine, s, 5, &e));
    ck_assert(!schedule_check(&schedule_cosine, s, 4, &e));
    ck_assert_str_eq(e.text,
                     "train.schedule.warmup_epochs: 5 is longer than the whole training of 4 "
                     "epochs (schedule cosine); lower it or raise train.epochs");
    free(s);
}
END_TEST

/* Milestones have a form of their own: what they take, what they refuse, how they are echoed. */
START_TEST(test_milestones)
{
    struct err e;
    struct text t = { 0 };
    const struct field *f = schedule_step.fields;
    void *s =
        schedule_settings(&schedule_step, (const char *const[]){ "milestones=100.5,150", NULL });
    fields_write(f, s, &t); /* warmup_from and every do not apply */
    ck_assert_str_eq(t.s, "\"warmup_epochs\":0,\"milestones\":[100.5,150],\"factor\":0.1");
    ck_assert(!setting_try(f, s, "milestones", "100", &e));
    ck_assert_str_eq(e.text, "must be a list of epochs, such as [100, 150]");
    static const char *const bad[][2] = { { "3", "3" },   { "5", "4" },   { "0", "1" },
                                          { "-1", "1" },  { "x", "2" },   { "1e", "2" },
                                          { "nan", "2" }, { "1", "inf" }, { "0x1", "2" },
                                          { "", "1" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct value items[2] = { { .kind = VALUE_SCALAR, .text = bad[i][0], .next = &items[1] },
                                  { .kind = VALUE_SCALAR, .text = bad[i][1] } };
        struct value list = { .kind = VALUE_LIST, .first = items };
        ck_assert_msg(!field_read(field_named(f, "milestones"), s, &list, NULL, &e), "%s, %s",
                      bad[i][0], bad[i][1]);
        ck_assert(e.at == &items[0] || e.at == &items[1]);
    }
    struct value none = { .kind = VALUE_LIST };
    ck_assert(field_read(field_named(f, "milestones"), s, &none, NULL, &e));
    ck_assert_double_eq(schedule_step.factor(s, 30, 100), 0.1);
    text_clear(&t);
    free(s);
}
END_TEST

/* The training loop reads a learning rate by its place alone. */
START_TEST(test_settings_begin_with_lr)
{
    for (const struct optimizer *const *o = optimizers; *o; o++) {
        const struct field *lr = field_named((*o)->fields, "lr");
        ck_assert_msg(lr && lr->at == 0 && lr->type == FIELD_REAL, "%s", (*o)->name);
    }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("optim");
    unit_case(s, "sgd", 20,
              UNIT_TESTS(test_sgd_golden, test_sgd_threads, test_settings_begin_with_lr));
    unit_case(s, "clip", 20, UNIT_TESTS(test_clip));
    unit_case(s, "schedules", 20,
              UNIT_TESTS(test_schedules, test_schedule_list, test_schedule_check, test_milestones));
    return s;
}
