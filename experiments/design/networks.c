/* What points share, found out once: data sets, and networks, which points that differ in training
 * alone have in common. */
#include "core/base/digest.h"
#include "experiments/design/builder.h"
#include <stdlib.h>
#include <string.h>

/* A digest of all that spec_shape and spec_images_count read. */
static uint64_t data_key(const struct run_spec *s)
{
    struct text t = { NULL, 0, 0 };
    text_addf(&t, "%s %d %d ", s->format->name, s->model.input_size, s->backbone->input_size);
    text_json(&t, s->data.path ? s->data.path : "");
    fields_write(s->format->fields, s->format_settings, &t);
    const uint64_t key = digest_of(t.s, t.len);
    text_clear(&t);
    return key;
}

const struct data_facts *facts_data(struct facts *f, const struct run_spec *s)
{
    const uint64_t key = data_key(s);
    const int known = lookup_find(&f->data_at, key);
    if (known >= 0) return &f->data[known];
    if (f->data_at.n == f->data_room) {
        f->data_room = 2 * f->data_room + 16;
        f->data = mem_grow(f->data, (size_t)f->data_room, sizeof *f->data);
    }
    struct data_facts *new = &f->data[f->data_at.n];
    struct err e;
    *new = (struct data_facts){ .counted = false };
    if (!spec_shape(s, &new->shape, &e))
        new->why = mem_text(e.text);
    else if (!f->network)
        new->counted = spec_images_count(s, new->count);
    lookup_add(&f->data_at, key, f->data_at.n);
    return new;
}

/* A digest of all that spec_build and spec_net_needs read. */
static uint64_t net_key(const struct run_spec *s, const struct data_facts *d, int short_images)
{
    struct text t = { NULL, 0, 0 };
    spec_write_network(s, &t);
    text_addf(&t, " %d %d %d %d %d %d ", s->train.batch_size, short_images, s->train.precision,
              d->shape.size, d->shape.channels, d->shape.classes);
    text_real(&t, s->train.label_smoothing);
    const uint64_t key = digest_of(t.s, t.len);
    text_clear(&t);
    return key;
}

static void net_build(struct net_facts *f, const struct run_spec *s, const struct data_shape *shape,
                      int short_images)
{
    struct model_net net;
    struct err e;
    f->built = spec_build(s, s->train.batch_size, shape, &net, &e);
    if (!f->built) {
        f->why = mem_text(e.text);
        return;
    }
    f->calls = graph_node_count(net.graph);
    model_count(net.graph, &f->counts);
    f->structure = graph_digest(net.graph);
    f->needs = spec_net_needs(&net, short_images);
    f->unfused = spec_net_unfused(&net);
    graph_destroy(net.graph);
}

uint32_t facts_train_images(const struct data_facts *d, const struct run_spec *s)
{
    return d->counted ? (uint32_t)data_train_images(&s->data, d->count[DATA_TRAIN]) : 0;
}

const struct net_facts *facts_net(struct facts *f, const struct run_spec *s)
{
    const struct data_facts *d = facts_data(f, s);
    const int short_images = train_short(&s->train, facts_train_images(d, s));
    const uint64_t key = net_key(s, d, short_images);
    const int known = lookup_find(&f->net_at, key);
    if (known >= 0) return &f->nets[known];
    if (f->net_at.n == f->nets_room) {
        f->nets_room = 2 * f->nets_room + 16;
        f->nets = mem_grow(f->nets, (size_t)f->nets_room, sizeof *f->nets);
    }
    struct net_facts *new = &f->nets[f->net_at.n];
    *new = (struct net_facts){ .built = false };
    if (f->calls < CALLS_MAX)
        net_build(new, s, &d->shape, short_images);
    else
        new->beyond = true;
    f->calls += new->calls;
    lookup_add(&f->net_at, key, f->net_at.n);
    return new;
}

void facts_clear(struct facts *f)
{
    for (int i = 0; i < f->data_at.n; i++) free(f->data[i].why);
    for (int i = 0; i < f->net_at.n; i++) free(f->nets[i].why);
    free(f->data);
    free(f->nets);
    lookup_clear(&f->data_at);
    lookup_clear(&f->net_at);
    *f = (struct facts){ .data_room = 0 };
}
