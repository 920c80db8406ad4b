/* Small graphs of one shape of activation, and a check that fused they give the loss, gradients,
 * running statistics and predictions of the plain graph. */
#ifndef TESTS_UNIT_FUSED_NETS_H
#define TESTS_UNIT_FUSED_NETS_H
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "tests/unit/small_nets.h"

enum { CHANNELS = 16, BATCH = 4, SIDE = 8 };

static inline struct tensor *conv_bn(struct net *n, struct tensor *x, const char *name, int kernel)
{
    char bn[32];
    snprintf(bn, sizeof bn, "%s_bn", name);
    x = nn_conv(n, x, name, (struct conv_layer){ .channels = CHANNELS, .kernel = kernel });
    return nn_batch_norm(n, x, bn);
}

static inline struct tensor *conv_bn_relu(struct net *n, struct tensor *x, const char *name,
                                          int kernel)
{
    return nn_relu(n, conv_bn(n, x, name, kernel));
}

static inline struct tensor *bn_relu_conv(struct net *n, struct tensor *x, const char *name)
{
    char bn[32];
    snprintf(bn, sizeof bn, "%s_bn", name);
    x = nn_relu(n, nn_batch_norm(n, x, bn));
    return nn_conv(n, x, name, (struct conv_layer){ .channels = CHANNELS, .kernel = 3 });
}

/* A gate of x's own channels: a linear layer on its squeeze. */
static inline struct tensor *gate_of(struct net *n, struct tensor *x, const char *name)
{
    const struct linear_layer layer = { .out = CHANNELS, .bias = true };
    return nn_sigmoid(n, nn_linear(n, nn_global_avg_pool(n, x), name, layer));
}

static inline struct tensor *gated(struct net *n, struct tensor *x, const char *name)
{
    return nn_scale_channels(n, x, gate_of(n, x, name));
}

struct pattern {
    const char *name;
    struct tensor *(*build)(struct net *n, struct tensor *x);
    const char *spares; /* an op that does not run once the pattern is fused; NULL: any may */
    float norms;        /* the scale that all batch norms begin with; 0: 1 */
    double slack;       /* times the tolerance of a graph that rounds as few ops do; 0: 1 */
};

static inline double pattern_slack(const struct pattern *p) { return p->slack > 0 ? p->slack : 1; }

static inline void pattern_scale(const struct pattern *p, struct graph *g)
{
    float *weights = graph_weights(g, NULL);
    for (size_t i = 0; p->norms > 0 && i < graph_param_count(g); i++) {
        const struct param *norm = graph_param_at(g, i);
        for (size_t k = 0; norm->init == INIT_ONE && k < tensor_len(norm->tensor); k++)
            weights[norm->at + k] = p->norms;
    }
}

/* LARGE: so many pixels that an evaluation takes the batch in slices of its images. */
enum { LARGE = 8 };

/* The pattern behind a first convolution, and before a classifier. */
static inline struct model_net pattern_build(const struct pattern *p, unsigned how)
{
    const int batch = how & LARGE ? 17 : BATCH, side = how & LARGE ? 63 : SIDE;
    static const struct se_settings none = { .min_hidden = 1 };
    struct net n = { .graph = graph_create(), .se = &none };
    struct model_net net = { .graph = n.graph };
    struct err e;
    net.images = graph_input(n.graph, "images", batch, side, side, 3);
    net.labels = graph_input(n.graph, "labels", batch, 1, 1, 1);
    struct tensor *x =
        nn_conv(&n, net.images, "stem", (struct conv_layer){ .channels = CHANNELS, .kernel = 3 });
    x = p->build(&n, x);
    net.logits =
        nn_linear(&n, nn_global_avg_pool(&n, x), "fc", (struct linear_layer){ .out = CLASSES });
    net.loss = nn_softmax_loss(&n, net.logits, net.labels, 0);
    ck_assert_msg(!n.failed, "%s: %s", p->name, n.e.text);
    graph_fuse(net.graph, how & FUSED);
    graph_bf16(net.graph, how & BF16);
    struct tensor *keep[] = { net.logits, net.loss, NULL };
    ck_assert_msg(graph_plan(net.graph, how & TRAINING, keep, &e), "%s", e.text);
    graph_init(net.graph, 7);
    pattern_scale(p, net.graph);
    return net;
}

static inline void pattern_step(struct model_net *n, uint64_t seed)
{
    const struct step step = { .training = true, .seed = 1 };
    feed(n, seed);
    graph_forward(n->graph, &step);
    graph_backward(n->graph);
}

struct distance { /* relative, of what a step leaves */
    double loss, gradients, states;
};

/* How far a fused step in `how` is from the plain one in floats. */
static inline struct distance pattern_distance(const struct pattern *p, unsigned how, uint64_t seed)
{
    struct model_net fused = pattern_build(p, how | FUSED | TRAINING);
    struct model_net plain = pattern_build(p, TRAINING);
    pattern_step(&fused, seed);
    pattern_step(&plain, seed);
    size_t len, states;
    graph_weights(plain.graph, &len);
    const float *want = graph_states(plain.graph, &states);
    const struct distance d = {
        fabs((double)fused.loss->data[0] / (double)plain.loss->data[0] - 1),
        apart(graph_gradients(fused.graph), graph_gradients(plain.graph), len),
        apart(graph_states(fused.graph, NULL), want, states),
    };
    graph_destroy(fused.graph);
    graph_destroy(plain.graph);
    return d;
}

/* Rounding alone can put an input of a ReLU or a maximum on its other side, which moves gradients;
 * other inputs then decide. */
static inline void check_training(const struct pattern *p, unsigned how)
{
    struct distance most =
        how & BF16 ? (struct distance){ 0.03, 0.08, 0.01 } : (struct distance){ 1e-5, 1e-4, 1e-5 };
    most.loss *= pattern_slack(p), most.gradients *= pattern_slack(p);
    most.states *= pattern_slack(p);
    struct distance d = { 1, 1, 1 };
    for (uint64_t seed = 1; seed <= 4 && d.gradients > most.gradients; seed++) {
        d = pattern_distance(p, how, seed);
        ck_assert_msg(d.loss < most.loss, "%s (%s): loss differs by %g", p->name, kernels->isa,
                      d.loss);
        ck_assert_msg(d.states < most.states, "%s (%s): running statistics differ by %g", p->name,
                      kernels->isa, d.states);
    }
    ck_assert_msg(d.gradients < most.gradients, "%s (%s): gradients differ by %g", p->name,
                  kernels->isa, d.gradients);
}

static inline void check_evaluation(const struct pattern *p, unsigned how)
{
    const struct step step = { .training = false };
    struct model_net fused = pattern_build(p, how | FUSED), plain = pattern_build(p, how & LARGE);
    struct model_net *both[] = { &fused, &plain };
    for (int i = 0; i < 2; i++) {
        size_t states; /* variances so small that epsilon counts */
        float *s = graph_states(both[i]->graph, &states);
        for (size_t k = 0; k < states; k++) s[k] = 1e-5f * (float)(1 + k % 37);
        feed(both[i], 1);
        graph_forward(both[i]->graph, &step);
    }
    const double d = apart(fused.logits->data, plain.logits->data, tensor_len(plain.logits));
    ck_assert_msg(d < (how & BF16 ? 0.05 : 1e-5) * pattern_slack(p), "%s (%s): logits differ by %g",
                  p->name, kernels->isa, d);
    graph_destroy(fused.graph);
    graph_destroy(plain.graph);
}

/* The gradients of a step, to the bit, on one thread and on three. */
static inline void check_threads(const struct pattern *p, unsigned how)
{
    parallel_use(1);
    struct model_net one = pattern_build(p, how | FUSED | TRAINING);
    pattern_step(&one, 1);
    parallel_use(3);
    struct model_net three = pattern_build(p, how | FUSED | TRAINING);
    pattern_step(&three, 1);
    parallel_use(0);
    size_t len;
    graph_weights(one.graph, &len);
    ck_assert_msg(
        memcmp(graph_gradients(one.graph), graph_gradients(three.graph), len * sizeof(float)) == 0,
        "%s (%s): three threads have other gradients than one", p->name, kernels->isa);
    graph_destroy(one.graph);
    graph_destroy(three.graph);
}

#endif
