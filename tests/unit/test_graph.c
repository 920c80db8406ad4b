/* Plans of random graphs, watched from inside: ops that remember what they wrote and look, whenever
 * they may read it, whether it is still there. Values are small whole numbers, so that sums of
 * gradients are exact. */
#include "core/base/digest.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/graph/graph.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SPIES = 256, FANS = 3 };

/* What a spy knows of its node. */
struct spy {
    const struct tensor *out;
    uint64_t data, saved; /* digests of what forward wrote */
    bool ran_back;
};

static struct spy spies[MAX_SPIES];
static int n_spies;
static float *high; /* end of the highest memory that was handed out */
static float stamp; /* differs in every call */

struct spy_attr {
    int id, saved, work;
    int channels; /* of the output */
    int weight;   /* backward adds this to each gradient */
};

static const struct spy_attr *attr_of(const struct op_call *c) { return c->attr; }

static uint64_t tensor_digest(const struct tensor *t)
{
    return digest_of(t->data, tensor_len(t) * sizeof(float));
}

static void spy_fill(float *at, size_t len)
{
    for (size_t i = 0; i < len; i++) at[i] = stamp += 1;
    if (at + len > high) high = at + len;
}

static struct spy *spy_of(const struct tensor *t)
{
    for (int i = 0; i < n_spies; i++)
        if (spies[i].out == t) return &spies[i];
    ck_abort_msg("a tensor that nobody watches");
    return NULL;
}

static void spy_look(const struct tensor *t, const char *when)
{
    ck_assert_msg(tensor_digest(t) == spy_of(t)->data, "data overwritten before %s", when);
}

static bool spy_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[0];
    if (x->c > 1000) return err_set(e, "%d channels are too many", x->c);
    *c->out = (struct tensor){ .n = x->n, .h = 1, .w = 1, .c = attr_of(c)->channels };
    return true;
}

static size_t spy_saved(const struct op_call *c) { return (size_t)attr_of(c)->saved; }
static size_t spy_work(const struct op_call *c) { return (size_t)attr_of(c)->work; }

static void spy_forward(const struct op_call *c)
{
    const struct spy_attr *a = attr_of(c);
    struct spy *s = &spies[a->id];
    for (int i = 0; i < FANS; i++)
        if (c->in[i]) spy_look(c->in[i], "forward");
    spy_fill(c->work, (size_t)a->work);
    spy_fill(c->saved, (size_t)a->saved);
    spy_fill(c->out->data, tensor_len(c->out));
    s->data = tensor_digest(c->out);
    s->saved = digest_of(c->saved, (size_t)a->saved * sizeof(float));
}

/* The gradient that must have arrived: from each reader that ran, its weight. */
static float gradient_due(const struct graph *g, const struct node *n)
{
    float due = n->index + 1 == graph_node_count(g) ? 1 : 0;
    for (size_t i = n->index + 1; i < graph_node_count(g); i++) {
        const struct node *r = graph_node(g, i);
        if (!r->op || !spies[i].ran_back) continue;
        for (int j = 0; j < FANS; j++)
            if (r->call.in[j] == &n->out) due += (float)attr_of(&r->call)->weight;
    }
    return due;
}

static const struct graph *watched;

static void gradient_check(const struct node *n)
{
    float due = gradient_due(watched, n);
    for (size_t i = 0; i < tensor_len(&n->out); i++) ck_assert(n->out.grad[i] == due);
    float *end = n->out.grad + tensor_len(&n->out);
    if (end > high) high = end;
}

static void spy_backward(const struct op_call *c)
{
    const struct spy_attr *a = attr_of(c);
    const struct node *n = graph_node(watched, (size_t)a->id);
    for (int i = 0; i < FANS; i++)
        if (c->in[i] && n->op->backward_reads & READS_IN(i)) spy_look(c->in[i], "backward");
    if (n->op->backward_reads & READS_OUT) spy_look(c->out, "its own backward");
    ck_assert(digest_of(c->saved, (size_t)a->saved * sizeof(float)) == spies[a->id].saved);
    gradient_check(n);
    spy_fill(c->work, (size_t)a->work);
    spies[a->id].ran_back = true;
    for (int i = 0; i < FANS; i++) {
        if (!c->in[i] || !c->in[i]->grad) continue;
        for (size_t k = 0; k < tensor_len(c->in[i]); k++) c->in[i]->grad[k] += (float)a->weight;
    }
}

static void spy_describe(const struct op_call *c, struct text *t)
{
    text_addf(t, "weight %d", attr_of(c)->weight);
}

#define SPY(label, reads, back)                                                                 \
    {                                                                                           \
        .name = label, .n_in = 1, .n_optional = FANS - 1, .attr_size = sizeof(struct spy_attr), \
        .backward_reads = reads, .infer = spy_infer, .saved = spy_saved, .work = spy_work,      \
        .forward = spy_forward, .backward = back, .describe = spy_describe                      \
    }
static const struct op spy_ops[] = {
    SPY("blind", 0, spy_backward),
    SPY("reads_in", READS_IN(0) | READS_IN(1) | READS_IN(2), spy_backward),
    SPY("reads_second", READS_IN(1), spy_backward),
    SPY("reads_out", READS_OUT, spy_backward),
    SPY("reads_all", READS_IN(0) | READS_IN(1) | READS_IN(2) | READS_OUT, spy_backward),
    SPY("constant", 0, NULL),
};
enum { SPY_OPS = sizeof spy_ops / sizeof *spy_ops };

static struct tensor *watch(struct tensor *t)
{
    ck_assert_ptr_nonnull(t);
    spies[n_spies++] = (struct spy){ .out = t };
    return t;
}

static struct tensor *add_param(struct graph *g, enum param_kind kind, int len)
{
    char name[32];
    snprintf(name, sizeof name, "p%d", n_spies);
    struct param p = { .name = name, .kind = kind, .init = INIT_ONE };
    return watch(graph_param(g, &p, 1, 1, 1, len));
}

static struct tensor *add_spy(struct graph *g, const struct op *op,
                              struct tensor *const in[OP_INPUTS], struct spy_attr a)
{
    struct err e;
    a.id = n_spies;
    return watch(graph_apply(g, op, &a, in, NULL, &e));
}

/* Inputs are mostly recent, sometimes far back, sometimes the same twice. */
static void add_random(struct graph *g, struct rng *r)
{
    const struct op *op = &spy_ops[rng_below(r, 8) % SPY_OPS];
    struct tensor *in[OP_INPUTS] = { NULL };
    int fans = 1 + (int)rng_below(r, FANS);
    for (int i = 0; i < fans; i++) {
        uint32_t n = (uint32_t)n_spies,
                 back = rng_below(r, 4) ? rng_below(r, n < 5 ? n : 5) : rng_below(r, n);
        in[i] = graph_node(g, n - 1 - back)->call.out;
    }
    struct spy_attr a = { .channels = 1 + (int)rng_below(r, 150),
                          .weight = 1 + (int)rng_below(r, 3) };
    if (rng_below(r, 2)) a.saved = (int)rng_below(r, 40);
    if (rng_below(r, 2)) a.work = (int)rng_below(r, 400);
    add_spy(g, op, in, a);
}

static struct graph *random_graph(uint32_t number, int nodes)
{
    struct rng r = rng_stream(1, RNG_TEST, number, 0);
    struct graph *g = graph_create();
    graph_fuse(g, false); /* spies know the tensors as they were built */
    n_spies = 0;
    high = NULL;
    stamp = 0;
    watched = g;
    watch(graph_input(g, "images", 4, 1, 1, 13));
    add_param(g, PARAM_CONV, 21);
    while (n_spies < nodes) {
        uint32_t what = rng_below(&r, 10);
        if (what < 2)
            add_param(g, what ? PARAM_CONV : PARAM_STATE, 1 + (int)rng_below(&r, 50));
        else
            add_random(g, &r);
    }
    /* The last one wants a gradient for sure, and hands it on to all that can take it. */
    size_t n = (size_t)n_spies;
    struct tensor *in[OP_INPUTS] = { graph_node(g, n - 1)->call.out, graph_node(g, n - 2)->call.out,
                                     graph_node(g, 1)->call.out };
    add_spy(g, &spy_ops[1], in, (struct spy_attr){ .channels = 64, .weight = 1 });
    return g;
}

static void fill_ends(struct graph *g)
{
    for (int i = 0; i < n_spies; i++) {
        const struct node *n = graph_node(g, (size_t)i);
        if (n->op) continue;
        spy_fill(n->out.data, tensor_len(&n->out));
        spies[i].data = tensor_digest(&n->out);
    }
}

/* What must still be there when the step is over. */
static void check_kept(struct graph *g, struct tensor *const *keep)
{
    for (; *keep; keep++) spy_look(*keep, "the end of the step");
    for (int i = 0; i < n_spies; i++)
        if (!graph_node(g, (size_t)i)->op) spy_look(spies[i].out, "the end of the step");
}

static void check_params(struct graph *g)
{
    for (size_t i = 0; i < graph_param_count(g); i++) {
        const struct param *p = graph_param_at(g, i);
        ck_assert_uint_eq((uintptr_t)p->tensor->data % 64, 0);
        if (p->kind == PARAM_STATE) {
            ck_assert_ptr_eq(p->tensor->data, graph_states(g, NULL) + p->at);
            ck_assert_ptr_null(p->tensor->grad);
            continue;
        }
        ck_assert_ptr_eq(p->tensor->data, graph_weights(g, NULL) + p->at);
        ck_assert_ptr_eq(p->tensor->grad, graph_gradients(g) + p->at);
    }
}

/* One past the last of the bytes that graph_bytes promised. */
static void check_bytes(struct graph *g, size_t bytes)
{
    size_t used = (size_t)((char *)high - (char *)graph_weights(g, NULL));
    ck_assert_uint_eq((used + 63) / 64 * 64, bytes);
}

START_TEST(training_keeps_what_is_read)
{
    for (uint32_t k = 0; k < 150; k++) {
        struct graph *g = random_graph(k, 20 + (int)k);
        struct tensor *keep[] = { graph_node(g, (size_t)n_spies / 2)->call.out, NULL };
        if (!graph_node(g, (size_t)n_spies / 2)->op) keep[0] = NULL;
        size_t bytes = graph_bytes(g, true, keep);
        struct err e;
        ck_assert(graph_plan(g, true, keep, &e));
        fill_ends(g);
        for (uint64_t step = 0; step < 2; step++) {
            for (int i = 0; i < n_spies; i++) spies[i].ran_back = false;
            graph_forward(g, &(struct step){ .training = true, .index = step });
            graph_backward(g);
            check_kept(g, keep);
            for (int i = 0; i < n_spies; i++)
                if (graph_node(g, (size_t)i)->param && spies[i].out->grad)
                    gradient_check(graph_node(g, (size_t)i));
        }
        check_params(g);
        check_bytes(g, bytes);
        graph_destroy(g);
    }
}
END_TEST

START_TEST(evaluation_keeps_what_is_read)
{
    for (uint32_t k = 0; k < 150; k++) {
        struct graph *g = random_graph(k, 20 + (int)k);
        struct tensor *keep[] = { graph_node(g, (size_t)n_spies - 1)->call.out, NULL };
        size_t bytes = graph_bytes(g, false, keep);
        struct err e;
        ck_assert(graph_plan(g, false, keep, &e));
        ck_assert_ptr_null(graph_gradients(g));
        fill_ends(g);
        graph_forward(g, &(struct step){ .training = false });
        check_kept(g, keep);
        check_bytes(g, bytes);
        graph_destroy(g);
    }
}
END_TEST

/* Activations that a chain of `length` equal ones takes at a time. */
static size_t chain_activations(const struct op *op, int length, bool training)
{
    struct graph *g = graph_create();
    graph_fuse(g, false); /* spies know the tensors as they were built */
    n_spies = 0;
    struct tensor *x = add_param(g, PARAM_CONV, 16);
    for (int i = 0; i < length; i++)
        x = add_spy(g, op, (struct tensor *[OP_INPUTS]){ x },
                    (struct spy_attr){ .channels = 64, .weight = 1 });
    size_t parameters = training ? 32 : 16;
    size_t floats = graph_bytes(g, training, NULL) / sizeof(float) - parameters;
    graph_destroy(g);
    return (floats + 63) / 64;
}

/* Two data or two gradients at a time where nothing is read again; the last data stay, and so does
 * all that backward reads. */
START_TEST(memory_is_used_again)
{
    ck_assert_uint_eq(chain_activations(&spy_ops[0], 200, false), 2);
    ck_assert_uint_eq(chain_activations(&spy_ops[0], 200, true), 3);
    ck_assert_uint_eq(chain_activations(&spy_ops[1], 200, true), 202);
}
END_TEST

START_TEST(refusals)
{
    struct err e;
    struct graph *g = graph_create();
    graph_fuse(g, false); /* spies know the tensors as they were built */
    struct tensor *x = graph_input(g, "x", 1, 1, 1, 2000);
    struct spy_attr a = { .channels = 1 };
    ck_assert_ptr_null(
        graph_apply(g, &spy_ops[0], &a, (struct tensor *[OP_INPUTS]){ x }, NULL, &e));
    ck_assert_str_eq(e.text, "2000 channels are too many");
    ck_assert_uint_eq(graph_node_count(g), 1);
    graph_input(g, "huge", 1 << 15, 1 << 15, 1 << 15, 1 << 15);
    ck_assert(!graph_plan(g, true, NULL, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "no memory"));
    graph_destroy(g);
}
END_TEST

/* images -> op -> op; what varies is given. */
static uint64_t digest_with(const struct op *op, int batch, int weight, const char *param)
{
    struct err e;
    struct graph *g = graph_create();
    graph_fuse(g, false); /* spies know the tensors as they were built */
    struct tensor *x = graph_input(g, "images", batch, 1, 1, 8);
    struct param p = { .name = param, .kind = PARAM_CONV, .init = INIT_ONE };
    struct tensor *w = graph_param(g, &p, 1, 1, 1, 8);
    struct spy_attr a = { .channels = 8, .weight = weight };
    x = graph_apply(g, op, &a, (struct tensor *[OP_INPUTS]){ x, w }, NULL, &e);
    ck_assert_ptr_nonnull(graph_apply(g, op, &a, (struct tensor *[OP_INPUTS]){ x }, NULL, &e));
    uint64_t digest = graph_digest(g);
    graph_destroy(g);
    return digest;
}

START_TEST(digests)
{
    uint64_t d = digest_with(&spy_ops[0], 4, 1, "w");
    ck_assert(d == digest_with(&spy_ops[0], 4, 1, "w"));
    ck_assert(d == digest_with(&spy_ops[0], 64, 1, "w"));
    ck_assert(d != digest_with(&spy_ops[1], 4, 1, "w"));
    ck_assert(d != digest_with(&spy_ops[0], 4, 2, "w"));
    ck_assert(d != digest_with(&spy_ops[0], 4, 1, "v"));
}
END_TEST

START_TEST(names_do_not_shift)
{
    struct err e;
    struct graph *g = graph_create();
    graph_fuse(g, false); /* spies know the tensors as they were built */
    n_spies = 0;
    struct spy_attr a = { .channels = 1 };
    struct tensor *x[OP_INPUTS] = { graph_input(g, "x", 1, 1, 1, 1) };
    graph_apply(g, &spy_ops[0], &a, x, NULL, &e);
    graph_apply(g, &spy_ops[1], &a, x, NULL, &e);
    graph_apply(g, &spy_ops[0], &a, x, NULL, &e);
    ck_assert_str_eq(graph_node(g, 1)->name, "blind0");
    ck_assert_str_eq(graph_node(g, 2)->name, "reads_in0");
    ck_assert_str_eq(graph_node(g, 3)->name, "blind1");
    graph_destroy(g);
}
END_TEST

/* Parameters of one shape and one kind of beginning have nothing in common but these. */
START_TEST(each_parameter_begins_on_its_own)
{
    enum { LEN = 4 * 8 };
    struct err e;
    struct graph *g = graph_create();
    static const char *const names[] = { "conv1.weight", "conv2.weight", "conv12.weight" };
    struct tensor *w[3];
    for (int i = 0; i < 3; i++) {
        struct param p = { .name = names[i], .kind = PARAM_CONV, .init = INIT_HE_FAN_OUT };
        w[i] = graph_param(g, &p, 1, 1, 4, 8);
    }
    ck_assert_msg(graph_plan(g, true, NULL, &e), "%s", e.text);
    graph_init(g, 1);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < i; k++)
            for (int j = 0; j < LEN; j++) ck_assert_float_ne(w[i]->data[j], w[k]->data[j]);
    graph_destroy(g);
}
END_TEST

/* Both would begin alike. */
START_TEST(a_name_is_one_parameters)
{
    struct graph *g = graph_create();
    graph_param(g, &(struct param){ .name = "w", .kind = PARAM_CONV }, 1, 1, 1, 8);
    graph_param(g, &(struct param){ .name = "v", .kind = PARAM_CONV }, 1, 1, 1, 8);
    graph_param(g, &(struct param){ .name = "w", .kind = PARAM_STATE }, 1, 1, 1, 4);
}
END_TEST

/* The fan-out is that of all output channels, whatever share of the inputs a group has. */
START_TEST(a_fan_out_is_of_all_output_channels)
{
    struct err e;
    struct graph *g = graph_create();
    struct param p = { .name = "conv.weight", .kind = PARAM_CONV, .init = INIT_HE_FAN_OUT };
    const struct tensor *w = graph_param(g, &p, 3, 3, 8, 64);
    ck_assert_msg(graph_plan(g, true, NULL, &e), "%s", e.text);
    graph_init(g, 1);
    const double n = (double)tensor_len(w), sd = sqrt(2.0 / (3 * 3 * 64));
    double square = 0;
    for (size_t i = 0; i < tensor_len(w); i++) square += (double)w->data[i] * (double)w->data[i];
    ck_assert_double_eq_tol(sqrt(square / n), sd, 5 * sd / sqrt(2 * n));
    graph_destroy(g);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("graph");
    unit_case(s, "plans", 60,
              UNIT_TESTS(training_keeps_what_is_read, evaluation_keeps_what_is_read,
                         memory_is_used_again));
    unit_case(s, "building", 10,
              UNIT_TESTS(refusals, digests, names_do_not_shift, each_parameter_begins_on_its_own,
                         a_fan_out_is_of_all_output_channels));
    TCase *names = tcase_create("names");
    tcase_add_test_raise_signal(names, a_name_is_one_parameters, SIGABRT);
    suite_add_tcase(s, names);
    return s;
}
