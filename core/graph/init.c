/* Initial values. A parameter's stream is named by (seed, digest of its name): what else a network
 * has, and in which order, changes nothing. */
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/graph/graph.h"
#include <math.h>

struct init_call {
    struct graph *g;
    uint64_t seed;
};

static void init_fill(struct tensor *t, float value)
{
    for (size_t i = 0; i < tensor_len(t); i++) t->data[i] = value;
}

/* Normal with variance 2 / fan (He et al. 2015): the fan-out, which keeps gradients' variance, or
 * the fan-in, which keeps activations'. The fan-out is kernel x kernel x all output channels, also
 * where there are groups: as torchvision's ResNeXt and MobileNet begin. */
static void init_he(const struct param *p, int channels, struct rng *r)
{
    const struct tensor *t = p->tensor;
    double fan = (double)t->n * t->h * channels, sd = sqrt(2 / fan);
    for (size_t i = 0; i < tensor_len(t); i++) t->data[i] = (float)(sd * rng_normal(r));
}

/* Uniform within 1 / sqrt(fan-in): PyTorch's default for the weights of a linear layer. */
static void init_uniform(const struct param *p, struct rng *r)
{
    const struct tensor *t = p->tensor;
    double bound = 1 / sqrt((double)t->n * t->h * t->w);
    for (size_t i = 0; i < tensor_len(t); i++)
        t->data[i] = (float)(bound * (2 * rng_uniform(r) - 1));
}

static void init_param(void *ctx, size_t i)
{
    const struct init_call *call = ctx;
    const struct param *p = graph_param_at(call->g, i);
    struct rng r = rng_stream(call->seed, RNG_WEIGHTS, p->stream, 0);
    switch (p->init) {
    case INIT_ZERO:
        init_fill(p->tensor, 0);
        return;
    case INIT_ONE:
        init_fill(p->tensor, 1);
        return;
    case INIT_HE_FAN_OUT:
        init_he(p, p->tensor->c, &r);
        return;
    case INIT_HE_FAN_IN:
        init_he(p, p->tensor->w, &r);
        return;
    case INIT_UNIFORM_FAN_IN:
        init_uniform(p, &r);
        return;
    }
    BUG_IF(true, "%s begins in no known way", p->name);
}

void graph_init(struct graph *g, uint64_t seed)
{
    struct init_call call = { g, seed };
    BUG_IF(!graph_weights(g, NULL), "the graph is not planned");
    parallel_for(graph_param_count(g), init_param, &call);
}
