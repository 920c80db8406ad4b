/* Whole networks against PyTorch: loss, evaluation loss and the gradient of every parameter, for
 * every placement x squeeze x excitation of se.def, and some of every family at each placement that
 * it has. tests/golden/networks.py says how the golden files are made and what stands in them. Then
 * every combination trains. */
#include "core/base/parallel.h"
#include "tests/unit/small_nets.h"

enum { BATCH = 4, DOTS = 3, WORD = 128, LINE = 512 };

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
static void param_fill(const struct param *p, const char *damped)
{
    const struct tensor *t = p->tensor;
    bool scale = p->kind == PARAM_NORM && p->init == INIT_ONE;
    double gain = damped && strstr(p->name, damped) ? 0.1 : 1;
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

/* One network, in the words of the golden file. */
struct golden {
    struct network network;
    struct se_settings se;
    int seed; /* names the images */
    struct pool pool;
};

static struct se_reduction reduction_of(const char *text) /* "2:4,3:4" */
{
    struct se_reduction r = { .all = 0 };
    while (*text) {
        int stage = 0, ratio = 0, len = 0;
        ck_assert_int_eq(sscanf(text, "%d:%d%n", &stage, &ratio, &len), 2);
        ck_assert(stage > 0 && stage < SE_STAGES);
        r.stage[stage] = ratio;
        text += len + (text[len] == ',');
    }
    return r;
}

static struct golden golden_read(char *line)
{
    struct golden g = { .network.batch = BATCH };
    const char *key, *value;
    fields_default(se_fields, &g.se);
    while (word_next(&line, &key, &value))
        if (strcmp(key, "seed") == 0)
            g.seed = (int)word_number(value);
        else if (strcmp(key, "reduction") == 0)
            g.se.reduction = reduction_of(value);
        else if (field_named(se_fields, key))
            setting(se_fields, &g.se, key, value);
        else
            network_word(&g.network, &g.pool, key, value);
    return g;
}

static struct model_net net_of(const struct golden *g)
{
    struct err e = { .text = "" };
    struct model_net net = build_unplanned(&g->network, &g->se, FUSED);
    ck_assert(graph_plan(net.graph, true, (struct tensor *[]){ net.loss, NULL }, &e));
    return net;
}

static void net_fill(const struct model_net *net, const struct golden *g)
{
    char name[WORD];
    snprintf(name, sizeof name, "images%d", g->seed);
    for (size_t i = 0; i < tensor_len(net->images); i++)
        net->images->data[i] = (float)uniform_of(name_hash(name), i);
    for (size_t i = 0; i < BATCH; i++) net->labels->data[i] = (float)((3 * i + 1) % CLASSES);
    for (size_t i = 0; i < graph_param_count(net->graph); i++)
        param_fill(graph_param_at(net->graph, i), g->network.damped);
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

/* What of a gradient is smaller than this is compared absolutely, within 1e-7: of a gate before a
 * batch norm what all images share cancels, and rounding is left. */
static const double small = 3e-4;

/* NAME NORM DOT DOT DOT: the estimate of the relative L2 difference, from dots, stays well below
 * 1e-3, so that an error of 1e-3 is not missed by chance. */
static void check_gradient(const struct graph *g, FILE *f)
{
    char name[WORD];
    double norm, square = 0;
    ck_assert_int_eq(fscanf(f, "%127s %lf", name, &norm), 2);
    const struct param *p = param_named(g, name);
    for (int k = 0; k < DOTS; k++) {
        double dot;
        ck_assert_int_eq(fscanf(f, "%lf", &dot), 1);
        double d = gradient_dot(p, k) - dot;
        square += d * d / DOTS;
    }
    if (norm == 0) ck_assert(gradient_norm(p) == 0); /* behind a ReLU that is closed for all */
    if (norm == 0) return;
    double difference = fmax(sqrt(square), fabs(gradient_norm(p) - norm)) / (norm + small);
    ck_assert_msg(difference < 3e-4, "%s: gradient off by %.1e", name, difference);
    worst = fmax(worst, difference);
}

static void check_near(const char *what, double is, double should)
{
    ck_assert_msg(fabs(is - should) <= 1e-5 * fabs(should), "%s %.9g, not %.9g", what, is, should);
}

/* What a golden file has. */
struct seen {
    int networks;
    unsigned placements; /* bit p: there is a network with SE blocks at enum se_placement p */
    unsigned possible;   /* bit p: SE blocks could stand there in some of them */
};

static void seen_add(struct seen *s, const struct golden *g, const struct model_net *net)
{
    s->networks++;
    s->possible |= net->se_placements;
    if (se_any(&g->se)) s->placements |= 1u << g->se.placement;
}

/* One network of an open golden file; false at its end. */
static bool check_network(FILE *f, struct seen *s)
{
    static const char first[] = "network ";
    char line[LINE];
    double loss, evaluation;
    if (fscanf(f, " ") == EOF || !fgets(line, sizeof line, f)) return false;
    ck_assert_msg(strncmp(line, first, strlen(first)) == 0, "no network: %s", line);
    struct golden g = golden_read(line + strlen(first));
    ck_assert_int_eq(fscanf(f, "loss %lf %lf", &loss, &evaluation), 2);
    struct model_net net = net_of(&g);
    net_fill(&net, &g);
    seen_add(s, &g, &net);
    graph_forward(net.graph, &(struct step){ .training = true });
    check_near("loss", (double)net.loss->data[0], loss);
    graph_backward(net.graph);
    for (size_t i = 0; i < graph_param_count(net.graph); i++)
        if (graph_param_at(net.graph, i)->kind != PARAM_STATE) check_gradient(net.graph, f);
    graph_forward(net.graph, &(struct step){ .training = false });
    check_near("evaluation loss", (double)net.loss->data[0], evaluation);
    graph_destroy(net.graph);
    pool_clear(&g.pool);
    return true;
}

static struct seen check_file(const char *name)
{
    char path[2 * WORD];
    struct seen s = { 0 };
    snprintf(path, sizeof path, "tests/golden/networks/%s.txt", name);
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "no golden file %s: see tests/golden/networks.py", path);
    worst = 0;
    while (check_network(f, &s)) continue;
    printf("%s: %d networks, gradients within %.1e\n", name, s.networks, worst);
    fclose(f);
    return s;
}

static int choices(const char *key)
{
    int n = 0;
    while (field_named(se_fields, key)->choices[n]) n++;
    return n;
}

START_TEST(placements_as_pytorch)
{
    char name[WORD];
    ck_assert_int_eq(choices("placement"), SE_PLACEMENTS);
    snprintf(name, sizeof name, "se_%s", field_named(se_fields, "placement")->choices[_i]);
    ck_assert_int_eq(check_file(name).networks, choices("squeeze") * choices("excitation"));
}
END_TEST

START_TEST(families_as_pytorch)
{
    const struct seen s = check_file(family_at(_i)->name);
    ck_assert_int_gt(s.networks, 0);
    ck_assert_msg(s.placements == s.possible,
                  "%s: SE blocks stand at placements %#x, and golden networks have %#x",
                  family_at(_i)->name, s.possible, s.placements);
}
END_TEST

/* Ten steps of plain gradient descent on one batch from initial weights: losses are finite and get
 * lower. The last need not be the lowest: steps are long for what is deep. */
static void check_learns(const struct network *w, const struct se_settings *se)
{
    struct model_net net = build(w, se, FUSED | TRAINING);
    feed(&net, 0);
    graph_init(net.graph, 3);
    size_t len;
    float *weights = graph_weights(net.graph, &len), first = 0, least = INFINITY;
    const float *gradients = graph_gradients(net.graph);
    for (uint64_t i = 0; i < 10; i++) {
        graph_forward(net.graph, &(struct step){ .training = true, .index = i });
        graph_backward(net.graph);
        const float loss = net.loss->data[0];
        ck_assert_msg(isfinite(loss), "%s: loss %g", se_name(w, se), (double)loss);
        if (i == 0) first = loss;
        least = fminf(least, loss);
        for (size_t k = 0; k < len; k++) weights[k] -= 0.02f * gradients[k];
    }
    ck_assert_msg(least < first, "%s: loss from %g to %g", se_name(w, se), (double)first,
                  (double)least);
    graph_destroy(net.graph);
}

START_TEST(every_combination_learns)
{
    struct se_settings se = { .reduction.all = 4, .placement = _i, .bias = true, .min_hidden = 1 };
    for (se.squeeze = 0; se.squeeze < SE_SQUEEZES; se.squeeze++)
        for (se.excitation = 0; se.excitation < SE_EXCITATIONS; se.excitation++)
            check_learns(network_of("resnet8"), &se);
}
END_TEST

START_TEST(every_small_network_learns)
{
    const struct network *w = network_at(_i);
    struct se_settings se = { .reduction.all = 4, .bias = true, .min_hidden = 1 };
    for (se.placement = 0; se.placement < SE_PLACEMENTS; se.placement++)
        if (network_has(w, se.placement)) check_learns(w, &se);
    se.reduction.all = 0;
    check_learns(w, &se);
}
END_TEST

static int families_count(void)
{
    int n = 0;
    while (family_at(n)) n++;
    return n;
}

Suite *suite(void)
{
    Suite *s = suite_create("networks");
    parallel_use(1); /* layers this small only wait for a second thread */
    TCase *c = tcase_create("networks");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, placements_as_pytorch, 0, SE_PLACEMENTS);
    tcase_add_loop_test(c, families_as_pytorch, 0, families_count());
    tcase_add_loop_test(c, every_combination_learns, 0, SE_PLACEMENTS);
    tcase_add_loop_test(c, every_small_network_learns, 0, networks_count());
    suite_add_tcase(s, c);
    return s;
}
