/* Small networks for tests of a whole step, and how far apart two results are. */
#ifndef TESTS_UNIT_SMALL_NETS_H
#define TESTS_UNIT_SMALL_NETS_H
#include "core/base/rng.h"
#include "core/models/model.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct network {
    const char *backbone;
    double width;
    int size, batch;
    const char *option, *value; /* of the family, or NULL */
};
static const struct network networks[] = {
    { "resnet8", 0.5, 8, 4, NULL, NULL },
    { "resnet14", 0.4, 9, 3, "shortcut", "identity" }, /* 6, 13, 26 channels */
    { "resnet18", 0.25, 64, 4, NULL, NULL },
    { "resnet50", 0.125, 64, 4, NULL, NULL },
    { "resnet50", 0.125, 64, 4, "stride_in", "conv3x3" },
};
enum { NETWORKS = sizeof networks / sizeof *networks, CLASSES = 5 };

enum { FUSED = 1, TRAINING = 2, BF16 = 4 };

/* Not planned yet. */
static inline struct model_net build_unplanned(const struct network *w,
                                               const struct se_settings *se, unsigned how)
{
    const struct backbone *b = backbone_named(w->backbone);
    void *options = calloc(1, b->family->options_size);
    struct pool pool = { NULL };
    struct err e = { "", NULL };
    model_options_default(b, options);
    if (w->option) {
        struct value v = { .kind = VALUE_SCALAR, .text = w->value };
        ck_assert(field_read(field_named(b->family->fields, w->option), options, &v, &pool, &e));
    }
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
    pool_clear(&pool);
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
        if (!strstr(p->name, "bn3.weight"))
            continue; /* deep branches of full size amplify rounding */
        for (size_t j = 0; j < tensor_len(p->tensor); j++) w[p->at + j] *= 0.1f;
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
