/* Whole networks against PyTorch: loss, evaluation loss and the gradient of every parameter, for
 * every placement x squeeze x excitation of se.def and a few more backbones.
 * tests/golden/networks.py says how the golden files are made and what stands in them. Then every
 * combination trains. */
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/models/model.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4, CLASSES = 5, DOTS = 3, WORD = 64 };
static const double smoothing = 0.1;

/* Value i of a name: FNV-1a of the name, then SplitMix64 by index; as in networks.py. */
static uint64_t name_hash(const char *name)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 0x100000001B3u;
    return h;
}

static uint64_t hash_of(uint64_t name, size_t i)
{
    uint64_t z = name + (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static double uniform_of(uint64_t name, size_t i)
{
    return (double)(hash_of(name, i) >> 40) * 0x1p-23 - 1;
}

/* The initial value that networks.py gives this parameter. */
static void param_fill(const struct param *p)
{
    const struct tensor *t = p->tensor;
    bool scale = p->kind == PARAM_NORM && strstr(p->name, ".weight");
    double gain = strstr(p->name, "bn3") ? 0.1 : 1;
    double fan_in = (double)t->n * t->h * t->w;
    uint64_t name = name_hash(p->name);
    for (size_t i = 0; i < tensor_len(t); i++) {
        double u = uniform_of(name, i);
        if (p->kind == PARAM_STATE)
            t->data[i] = p->init == INIT_ONE;
        else if (p->kind == PARAM_CONV || p->kind == PARAM_LINEAR)
            t->data[i] = (float)(u * sqrt((p->gate ? 1.0 : 6.0) / fan_in));
        else
            t->data[i] = (float)(scale ? gain * (1 + 0.5 * u) : 0.2 * u);
    }
}

/* The settings of one network, in the words of the golden file. */
struct words {
    char backbone[WORD], squeeze[WORD], excitation[WORD], placement[WORD], stride_in[WORD],
        shortcut[WORD], reduction[WORD];
    double width;
    int size, bias, seed;
};

static void choose(const struct field *fields, void *into, const char *key, const char *word)
{
    const struct field *f = field_named(fields, key);
    struct value v = { .kind = VALUE_SCALAR, .text = word };
    struct pool p = { NULL };
    struct err e = { .text = "" };
    ck_assert_ptr_nonnull(f);
    ck_assert_msg(field_read(f, into, &v, &p, &e), "%s: %s", key, e.text);
}

/* An option of some families: the others have no such row. */
static void choose_of(const struct field *rows, void *into, const char *key, const char *word)
{
    if (field_named(rows, key)) choose(rows, into, key, word);
}

static struct se_settings se_of(const struct words *w)
{
    struct se_settings se;
    fields_default(se_fields, &se);
    se.reduction = (struct se_reduction){ .all = 0 };
    for (const char *s = w->reduction; *s;) { /* "2:4,3:4" */
        int stage = 0, ratio = 0, len = 0;
        ck_assert_int_eq(sscanf(s, "%d:%d%n", &stage, &ratio, &len), 2);
        se.reduction.stage[stage] = ratio;
        s += len + (s[len] == ',');
    }
    choose(se_fields, &se, "squeeze", w->squeeze);
    choose(se_fields, &se, "excitation", w->excitation);
    choose(se_fields, &se, "placement", w->placement);
    se.bias = w->bias;
    return se;
}

static struct model_net net_of(const struct words *w)
{
    const struct backbone *b = backbone_named(w->backbone);
    ck_assert_ptr_nonnull(b);
    void *options = mem_new(1, b->family->options_size);
    model_options_default(b, options);
    choose_of(b->family->fields, options, "stride_in", w->stride_in);
    choose_of(b->family->fields, options, "shortcut", w->shortcut);
    struct se_settings se = se_of(w);
    struct model_request r = { .backbone = b,
                               .options = options,
                               .settings = &(struct model_settings){ .width = w->width },
                               .se = &se,
                               .batch = BATCH,
                               .size = w->size,
                               .channels = 3,
                               .classes = CLASSES,
                               .label_smoothing = smoothing };
    struct model_net net;
    struct err e = { .text = "" };
    ck_assert_msg(model_build(&r, &net, &e), "%s", e.text);
    ck_assert(graph_plan(net.graph, true, (struct tensor *[]){ net.loss, NULL }, &e));
    free(options);
    return net;
}

static void net_fill(const struct model_net *net, int seed)
{
    char name[WORD];
    snprintf(name, sizeof name, "images%d", seed);
    for (size_t i = 0; i < tensor_len(net->images); i++)
        net->images->data[i] = (float)uniform_of(name_hash(name), i);
    for (size_t i = 0; i < BATCH; i++) net->labels->data[i] = (float)((3 * i + 1) % CLASSES);
    for (size_t i = 0; i < graph_param_count(net->graph); i++)
        param_fill(graph_param_at(net->graph, i));
}

static const struct param *param_named(const struct graph *g, const char *name)
{
    for (size_t i = 0; i < graph_param_count(g); i++)
        if (!strcmp(graph_param_at(g, i)->name, name)) return graph_param_at(g, i);
    ck_abort_msg("no parameter %s", name);
    return NULL;
}

static double gradient_dot(const struct param *p, int k)
{
    char name[2 * WORD];
    snprintf(name, sizeof name, "%s#%d", p->name, k);
    uint64_t hash = name_hash(name);
    double sum = 0;
    for (size_t i = 0; i < tensor_len(p->tensor); i++)
        sum += (double)p->tensor->grad[i] * (hash_of(hash, i) >> 63 ? 1 : -1);
    return sum;
}

static double gradient_norm(const struct param *p)
{
    double sum = 0;
    for (size_t i = 0; i < tensor_len(p->tensor); i++)
        sum += (double)p->tensor->grad[i] * (double)p->tensor->grad[i];
    return sqrt(sum);
}

static double worst; /* of all relative differences between gradients */

/* NAME NORM DOT DOT DOT: the estimate of the relative L2 difference, from dots, stays well below
 * 1e-3, so that an error of 1e-3 is not missed by chance. */
static void check_gradient(const struct graph *g, FILE *f)
{
    char name[WORD];
    double norm, square = 0;
    ck_assert_int_eq(fscanf(f, "%63s %lf", name, &norm), 2);
    const struct param *p = param_named(g, name);
    for (int k = 0; k < DOTS; k++) {
        double dot;
        ck_assert_int_eq(fscanf(f, "%lf", &dot), 1);
        double d = gradient_dot(p, k) - dot;
        square += d * d / DOTS;
    }
    if (norm == 0) ck_assert(gradient_norm(p) == 0); /* behind a ReLU that is closed for all */
    if (norm == 0) return;
    double difference = fmax(sqrt(square), fabs(gradient_norm(p) - norm)) / norm;
    ck_assert_msg(difference < 3e-4, "%s: gradient off by %.1e", name, difference);
    worst = fmax(worst, difference);
}

static void check_near(const char *what, double is, double should)
{
    ck_assert_msg(fabs(is - should) <= 1e-5 * fabs(should), "%s %.9g, not %.9g", what, is, should);
}

/* One network of an open golden file; false at its end. */
static bool check_network(FILE *f)
{
    struct words w = { .reduction = "" };
    double loss, evaluation;
    int got = fscanf(f,
                     " network backbone=%63s width=%lf size=%d squeeze=%63s excitation=%63s "
                     "placement=%63s stride_in=%63s shortcut=%63s bias=%d reduction=%63[0-9:,]",
                     w.backbone, &w.width, &w.size, w.squeeze, w.excitation, w.placement,
                     w.stride_in, w.shortcut, &w.bias, w.reduction);
    if (got == EOF) return false;
    ck_assert_int_ge(got, 9);
    ck_assert_int_eq(fscanf(f, " seed=%d loss %lf %lf", &w.seed, &loss, &evaluation), 3);
    struct model_net net = net_of(&w);
    net_fill(&net, w.seed);
    graph_forward(net.graph, &(struct step){ .training = true });
    check_near("loss", (double)net.loss->data[0], loss);
    graph_backward(net.graph);
    for (size_t i = 0; i < graph_param_count(net.graph); i++)
        if (graph_param_at(net.graph, i)->kind != PARAM_STATE) check_gradient(net.graph, f);
    graph_forward(net.graph, &(struct step){ .training = false });
    check_near("evaluation loss", (double)net.loss->data[0], evaluation);
    graph_destroy(net.graph);
    return true;
}

static int check_file(const char *name)
{
    char path[2 * WORD];
    snprintf(path, sizeof path, "tests/golden/networks/%s.txt", name);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "no golden file %s: see tests/golden/networks.py", path);
    int count = 0;
    worst = 0;
    while (check_network(f)) count++;
    printf("%s: %d networks, gradients within %.1e\n", name, count, worst);
    fclose(f);
    return count;
}

static int choices(const char *key)
{
    int n = 0;
    while (field_named(se_fields, key)->choices[n]) n++;
    return n;
}

START_TEST(placements_as_pytorch)
{
    ck_assert_int_eq(choices("placement"), SE_PLACEMENTS);
    ck_assert_int_eq(check_file(field_named(se_fields, "placement")->choices[_i]),
                     choices("squeeze") * choices("excitation"));
}
END_TEST

START_TEST(others_as_pytorch)
{
    ck_assert_int_ge(check_file("others"), 10);
}
END_TEST

/* Ten steps of plain gradient descent on one batch from initial weights: the loss is finite and
 * falls. */
static void check_learns(struct words w)
{
    struct model_net net = net_of(&w);
    net_fill(&net, 0);
    graph_init(net.graph, 3);
    size_t len;
    float *weights = graph_weights(net.graph, &len), first = 0;
    const float *gradients = graph_gradients(net.graph);
    for (uint64_t i = 0; i < 10; i++) {
        graph_forward(net.graph, &(struct step){ .training = true, .index = i });
        graph_backward(net.graph);
        if (i == 0) first = net.loss->data[0];
        for (size_t k = 0; k < len; k++) weights[k] -= 0.02f * gradients[k];
    }
    float last = net.loss->data[0];
    ck_assert_msg(isfinite(last) && last < first, "%s %s %s: loss from %g to %g", w.placement,
                  w.squeeze, w.excitation, (double)first, (double)last);
    graph_destroy(net.graph);
}

START_TEST(every_combination_learns)
{
    const struct field *squeeze = field_named(se_fields, "squeeze");
    const struct field *excitation = field_named(se_fields, "excitation");
    for (int i = 0; squeeze->choices[i]; i++)
        for (int k = 0; excitation->choices[k]; k++) {
            struct words w = { .backbone = "resnet8",
                               .width = 0.5,
                               .size = 8,
                               .bias = 1,
                               .stride_in = "conv1x1",
                               .shortcut = "projection",
                               .reduction = "2:4,3:4,4:4" };
            strcpy(w.squeeze, squeeze->choices[i]);
            strcpy(w.excitation, excitation->choices[k]);
            strcpy(w.placement, field_named(se_fields, "placement")->choices[_i]);
            check_learns(w);
        }
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("networks");
    parallel_use(1); /* layers this small only wait for a second thread */
    TCase *c = tcase_create("networks");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, placements_as_pytorch, 0, SE_PLACEMENTS);
    tcase_add_test(c, others_as_pytorch);
    tcase_add_loop_test(c, every_combination_learns, 0, SE_PLACEMENTS);
    suite_add_tcase(s, c);
    return s;
}
