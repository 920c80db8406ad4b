/* Small networks for tests of a whole step, those of tests/families, and how far apart two results
 * are. */
#ifndef TESTS_UNIT_SMALL_NETS_H
#define TESTS_UNIT_SMALL_NETS_H
#include "core/base/rng.h"
#include "tests/unit/families.h"
#include <math.h>

enum { NETWORKS_ROOM = 64, CLASSES = 5 };

struct network {
    const char *backbone;
    double width;
    int size, batch;
    const char *options;  /* of the family: "shortcut=identity"; or NULL */
    const char *damped;   /* part of the names of norms that begin ten times smaller, or NULL */
    double bf16;          /* least cosine between gradients in bf16 and in floats; -1: any */
    double bf16_standard; /* the same of standard SE blocks */
    double bf16_loss;     /* most relative difference of the loss in bf16 */
    bool pinned;          /* at every placement of its SE blocks (test_numerics.c) */
};

static struct {
    struct network list[NETWORKS_ROOM];
    int n;
    struct pool pool;
} networks; /* those of all families, in the order of models.def */

/* What a word says of a network; the pool keeps it. */
static inline void network_word(struct network *w, struct pool *p, const char *key,
                                const char *value)
{
    if (strcmp(key, "backbone") == 0)
        w->backbone = pool_text(p, value);
    else if (strcmp(key, "width") == 0)
        w->width = word_number(value);
    else if (strcmp(key, "size") == 0)
        w->size = (int)word_number(value);
    else if (strcmp(key, "batch") == 0)
        w->batch = (int)word_number(value);
    else if (strcmp(key, "damped") == 0)
        w->damped = pool_text(p, value);
    else if (strcmp(key, "bf16") == 0)
        w->bf16 = word_number(value);
    else if (strcmp(key, "pin") == 0 && strcmp(value, "placements") == 0)
        w->pinned = true;
    else if (strcmp(key, "bf16_standard") == 0)
        w->bf16_standard = word_number(value);
    else if (strcmp(key, "bf16_loss") == 0)
        w->bf16_loss = word_number(value);
    else
        w->options = options_add(p, w->options, key, value);
}

static inline void network_line(void *ctx, char *line)
{
    (void)ctx;
    const char *key, *value;
    BUG_IF(networks.n == NETWORKS_ROOM, "more than %d small networks", NETWORKS_ROOM);
    struct network *w = &networks.list[networks.n++];
    *w = (struct network){ .bf16 = -1, .bf16_standard = 0.93, .bf16_loss = 0.02 };
    while (word_next(&line, &key, &value)) network_word(w, &networks.pool, key, value);
}

static inline int networks_count(void)
{
    const struct model_family *f;
    static bool all;
    for (int i = 0; !all && (f = family_at(i)); i++) {
        int pinned = 0, before = networks.n;
        family_lines(f, "small", network_line, NULL);
        for (int k = before; k < networks.n; k++) pinned += networks.list[k].pinned;
        BUG_IF(!pinned, "tests/families/%s.txt has no small network with pin=placements", f->name);
    }
    all = true;
    return networks.n;
}

static inline const struct network *network_at(int i)
{
    ck_assert_int_lt(i, networks_count());
    return &networks.list[i];
}

/* The first small network of that name. */
static inline const struct network *network_of(const char *backbone)
{
    for (int i = 0; i < networks_count(); i++)
        if (strcmp(network_at(i)->backbone, backbone) == 0) return network_at(i);
    ck_abort_msg("no small %s", backbone);
    return NULL;
}

enum { FUSED = 1, TRAINING = 2, BF16 = 4 };

/* Not planned yet. */
static inline struct model_net build_unplanned(const struct network *w,
                                               const struct se_settings *se, unsigned how)
{
    const struct backbone *b = backbone_named(w->backbone);
    void *options = calloc(1, b->family->options_size);
    struct err e = { "", NULL };
    model_options_default(b, options);
    options_set(b, options, w->options);
    struct model_settings settings = { .width = w->width };
    struct model_net net;
    ck_assert_msg(model_build(&(struct model_request){ .backbone = b,
                                                       .options = options,
                                                       .settings = &settings,
                                                       .se = se,
                                                       .batch = w->batch,
                                                       .size = w->size,
                                                       .channels = 3,
                                                       .classes = CLASSES,
                                                       .label_smoothing = 0.1,
                                                       .bf16 = how & BF16 },
                              &net, &e),
                  "%s", e.text);
    graph_fuse(net.graph, how & FUSED);
    free(options);
    return net;
}

static inline struct model_net build(const struct network *w, const struct se_settings *se,
                                     unsigned how)
{
    struct model_net net = build_unplanned(w, se, how);
    struct tensor *keep[] = { net.logits, net.loss, NULL };
    struct err e;
    ck_assert_msg(graph_plan(net.graph, how & TRAINING, keep, &e), "%s", e.text);
    graph_init(net.graph, 7);
    return net;
}

/* Whether SE blocks can stand there. */
static inline bool network_has(const struct network *w, int placement)
{
    const struct se_settings none = { .min_hidden = 1 };
    struct model_net net = build_unplanned(w, &none, 0);
    graph_destroy(net.graph);
    return net.se_placements >> placement & 1;
}

static inline void feed(struct model_net *n, uint64_t seed)
{
    struct rng r = rng_stream(seed, RNG_TEST, 0, 0);
    for (size_t i = 0; i < tensor_len(n->images); i++) n->images->data[i] = (float)rng_normal(&r);
    for (int i = 0; i < n->images->n; i++) n->labels->data[i] = (float)(i % CLASSES);
    size_t len;
    float *w = graph_weights(n->graph, &len); /* scales and shifts that are not 1 and 0 */
    for (size_t i = 0; i < graph_param_count(n->graph); i++) {
        const struct param *p = graph_param_at(n->graph, i);
        if (p->kind != PARAM_NORM) continue;
        for (size_t j = 0; j < tensor_len(p->tensor); j++)
            w[p->at + j] += 0.3f * (float)rng_normal(&r);
    }
}

/* Scales as network w has them: deep branches of full size amplify rounding. */
static inline void feed_network(const struct network *w, struct model_net *n, uint64_t seed)
{
    feed(n, seed);
    float *weights = graph_weights(n->graph, NULL);
    for (size_t i = 0; w->damped && i < graph_param_count(n->graph); i++) {
        const struct param *p = graph_param_at(n->graph, i);
        if (p->kind != PARAM_NORM || p->init != INIT_ONE || !strstr(p->name, w->damped)) continue;
        for (size_t j = 0; j < tensor_len(p->tensor); j++) weights[p->at + j] *= 0.1f;
    }
}

/* The relative difference in the L2 norm. */
static inline double apart(const float *a, const float *b, size_t len)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < len; i++) {
        double d = (double)a[i] - (double)b[i];
        difference += d * d;
        size += (double)b[i] * (double)b[i];
    }
    return sqrt(difference / (size + 1e-20));
}

static inline const char *se_name(const struct network *w, const struct se_settings *se)
{
    static char name[128];
    struct text t = { NULL, 0, 0 };
    fields_write(se_fields, se, &t);
    snprintf(name, sizeof name, "%s %s", w->backbone, t.s);
    text_clear(&t);
    return name;
}

#endif
