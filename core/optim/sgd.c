/* Stochastic gradient descent with momentum, as PyTorch defines it: weight decay is added to the
 * gradient, and the first velocity is the first gradient. The flat weights are cut into chunks of
 * a fixed length, so the bits do not depend on the number of threads. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/optim/optim.h"

struct sgd_settings {
    double lr, momentum, weight_decay;
    bool nesterov, decay_norm_and_bias;
};

enum {
    SGD_CHUNK = 1 << 16
}; /* weights: three arrays of 256 kB, a few times the cost of a hand-over */

struct sgd_step {
    const struct sgd_settings *settings;
    struct graph *graph;
    float *weights, *velocity;
    const float *gradients;
    size_t len;
    float lr;
};

static float sgd_decay(const struct sgd_settings *s, enum param_kind kind)
{
    bool spared = kind == PARAM_NORM || kind == PARAM_BIAS;
    return spared && !s->decay_norm_and_bias ? 0 : (float)s->weight_decay;
}

/* The part of one parameter that lies in [begin, end) of the flat weights. */
static void sgd_part(const struct sgd_step *t, const struct param *p, size_t begin, size_t end)
{
    size_t from = p->at > begin ? p->at : begin;
    size_t to = p->at + tensor_len(p->tensor);
    if (to > end) to = end;
    if (p->kind == PARAM_STATE || from >= to) return;
    const struct sgd_settings *s = t->settings;
    kernels->sgd(t->weights + from, t->velocity + from, t->gradients + from, to - from, t->lr,
                 (float)s->momentum, sgd_decay(s, p->kind), s->nesterov);
}

static void sgd_chunk(void *ctx, size_t chunk)
{
    const struct sgd_step *t = ctx;
    size_t begin = chunk * SGD_CHUNK, end = begin + SGD_CHUNK;
    size_t n = graph_param_count(t->graph);
    for (size_t i = 0; i < n; i++)
        sgd_part(t, graph_param_at(t->graph, i), begin, end < t->len ? end : t->len);
}

static void sgd_step(const void *settings, struct graph *g, float *state, double lr)
{
    struct sgd_step t = { settings, g, NULL, state, graph_gradients(g), 0, (float)lr };
    t.weights = graph_weights(g, &t.len);
    parallel_for((t.len + SGD_CHUNK - 1) / SGD_CHUNK, sgd_chunk, &t);
}

static bool sgd_has_momentum(const void *settings)
{
    return ((const struct sgd_settings *)settings)->momentum > 0;
}

static bool sgd_has_decay(const void *settings)
{
    return ((const struct sgd_settings *)settings)->weight_decay > 0;
}

static const struct field sgd_fields[] = {
    REAL(sgd_settings, lr, 0.1, 0, 1e6, "learning rate, before the schedule's factor"),
    REAL(sgd_settings, momentum, 0.9, 0, 0.9999, "share of the velocity that is kept"),
    BOOL(sgd_settings, nesterov, 0, "look one step ahead", .applies = sgd_has_momentum),
    REAL(sgd_settings, weight_decay, 1e-4, 0, 10, "added to the gradient, times the weight"),
    BOOL(sgd_settings, decay_norm_and_bias, 1, "weight decay also acts on batch norms and biases",
         .applies = sgd_has_decay),
    FIELDS_END,
};

const struct optimizer optimizer_sgd = {
    .name = "sgd",
    .fields = sgd_fields,
    .settings_size = SIZE_LED_BY(sgd_settings, double, lr),
    .state_per_weight = 1,
    .step = sgd_step,
};
