#ifndef TESTS_RIG_H
#define TESTS_RIG_H
#include "core/models/model.h"
#include "core/train/train.h"
#include <stdlib.h>
#include <string.h>

/* Everything that one training run needs, set up as the program does it. What is refused here is a
 * mistake of the test, so it ends the program. */
struct rig_request {
    const char *format, *path;       /* path NULL: the format's default */
    const char *format_settings[10]; /* key, value, key, value, ... */
    const char *backbone;
    int size;      /* of the images, 0: natural */
    int reduction; /* of the SE blocks, 0: none */
    int validation, train_limit;
    bool augment; /* crop by 1/8 and flip */
    int epochs, batch, precision;
    double lr, warmup_epochs, weight_decay, label_smoothing, clip_norm;
    uint64_t seed;
};

struct rig {
    struct dataset data;
    struct data_split split;
    struct model_net net;
    struct train_settings train;
    struct augment_settings augment;
    void *format_settings, *options, *optimizer_settings, *schedule_settings;
    struct pool pool;
    struct train_job job;
};

static inline void rig_set(struct rig *r, const struct field *fields, void *into, const char *key,
                           const char *text)
{
    struct err e;
    const struct field *f = field_named(fields, key);
    BUG_IF(!f, "no setting %s", key);
    bool ok =
        field_read(f, into, &(struct value){ .kind = VALUE_SCALAR, .text = text }, &r->pool, &e);
    BUG_IF(!ok, "%s: %s", key, e.text);
}

static inline void rig_set_real(struct rig *r, const struct field *fields, void *into,
                                const char *key, double v)
{
    struct text t = { 0 };
    text_real(&t, v);
    rig_set(r, fields, into, key, t.s);
    text_clear(&t);
}

static inline void *rig_defaults(const struct field *fields, size_t size)
{
    void *s = mem_new(1, size + 1);
    fields_default(fields, s);
    return s;
}

static inline void rig_data(struct rig *r, const struct rig_request *q)
{
    struct err e;
    struct data_settings s;
    const struct data_format *f = format_named(q->format);
    r->format_settings = rig_defaults(f->fields, f->settings_size);
    for (int i = 0; i < 10 && q->format_settings[i]; i += 2)
        rig_set(r, f->fields, r->format_settings, q->format_settings[i], q->format_settings[i + 1]);
    fields_default(data_fields, &s);
    s.validation = q->validation;
    s.train_limit = q->train_limit;
    const char *path = q->path ? q->path : f->default_path;
    BUG_IF(!dataset_open(&r->data,
                         &(struct data_source){ f, path, r->format_settings, q->size, NULL }, &e),
           "%s", e.text);
    BUG_IF(!data_split(&r->split, &r->data, &s, &e), "%s", e.text);
    fields_default(augment_fields, &r->augment);
    r->augment.crop_padding = q->augment ? r->data.size / 8 : 0;
    r->augment.flip = q->augment;
}

static inline void rig_net(struct rig *r, const struct rig_request *q)
{
    struct err e;
    struct se_settings se;
    struct model_settings settings;
    const struct backbone *b = backbone_named(q->backbone);
    fields_default(se_fields, &se);
    se.reduction = (struct se_reduction){ .all = q->reduction };
    fields_default(model_fields, &settings);
    r->options = mem_new(1, b->family->options_size + 1);
    model_options_default(b, r->options);
    struct model_request m = { .backbone = b,
                               .options = r->options,
                               .settings = &settings,
                               .se = &se,
                               .batch = q->batch,
                               .size = r->data.size,
                               .channels = r->data.channels,
                               .classes = r->data.classes,
                               .label_smoothing = q->label_smoothing,
                               .bf16 = q->precision == PRECISION_BF16 };
    BUG_IF(!model_build(&m, &r->net, &e), "%s", e.text);
    struct tensor *keep[] = { r->net.logits, r->net.loss, NULL };
    graph_short(r->net.graph, train_short(&r->train, r->split.train.count));
    BUG_IF(!graph_plan(r->net.graph, true, keep, &e), "%s", e.text);
}

static inline void rig_make(struct rig *r, const struct rig_request *q)
{
    *r = (struct rig){ .train = { .epochs = q->epochs,
                                  .batch_size = q->batch,
                                  .precision = q->precision,
                                  .label_smoothing = q->label_smoothing,
                                  .clip_norm = q->clip_norm } };
    rig_data(r, q);
    rig_net(r, q);
    const struct optimizer *o = optimizer_named("sgd");
    const struct schedule *c = schedule_named("cosine");
    r->optimizer_settings = rig_defaults(o->fields, o->settings_size);
    r->schedule_settings = rig_defaults(c->fields, c->settings_size);
    rig_set_real(r, o->fields, r->optimizer_settings, "lr", q->lr);
    rig_set_real(r, o->fields, r->optimizer_settings, "weight_decay", q->weight_decay);
    rig_set(r, o->fields, r->optimizer_settings, "nesterov", "true");
    rig_set_real(r, c->fields, r->schedule_settings, "warmup_epochs", q->warmup_epochs);
    r->job = (struct train_job){
        .net = { r->net.graph, r->net.images, r->net.labels, r->net.logits, r->net.loss },
        .data = &r->data,
        .split = &r->split,
        .settings = &r->train,
        .augment = &r->augment,
        .optimizer = o,
        .optimizer_settings = r->optimizer_settings,
        .schedule = c,
        .schedule_settings = r->schedule_settings,
        .seed = q->seed,
        .identity = 1,
    };
}

static inline void rig_clear(struct rig *r)
{
    graph_destroy(r->net.graph);
    data_split_clear(&r->split);
    dataset_close(&r->data);
    free(r->format_settings);
    free(r->options);
    free(r->optimizer_settings);
    free(r->schedule_settings);
    pool_clear(&r->pool);
}
#endif
