/* Networks of an experiment, each built once: points that differ in training alone share it. */
#include "core/base/digest.h"
#include "experiments/design/builder.h"
#include <stdlib.h>
#include <string.h>

/* A digest of all that spec_build reads. */
static uint64_t net_key(const struct run_spec *s, const struct data_shape *shape, struct text *t)
{
    spec_write_network(s, t);
    text_addf(t, " %d %d %d %d %d ", s->train.batch_size, s->train.precision, shape->size,
              shape->channels, shape->classes);
    text_real(t, s->train.label_smoothing);
    return digest_of(t->s, t->len);
}

static void net_build(struct net_facts *f, const struct run_spec *s, const struct data_shape *shape)
{
    struct model_net net;
    struct err e;
    f->built = spec_build(s, s->train.batch_size, shape, &net, &e);
    if (!f->built) {
        f->why = mem_text(e.text);
        return;
    }
    model_count(net.graph, &f->counts);
    f->structure = graph_digest(net.graph);
    f->bytes = spec_net_bytes(&net);
    f->unfused = spec_net_unfused(&net);
    graph_destroy(net.graph);
}

const struct net_facts *nets_facts(struct nets *n, const struct run_spec *s,
                                   const struct data_shape *shape)
{
    struct text t = { NULL, 0, 0 };
    uint64_t key = net_key(s, shape, &t);
    text_clear(&t);
    for (int i = 0; i < n->n; i++)
        if (n->list[i].key == key) return &n->list[i];
    if (n->n == n->room) {
        n->room = 2 * n->room + 16;
        n->list = mem_grow(n->list, (size_t)n->room, sizeof *n->list);
    }
    struct net_facts *f = &n->list[n->n++];
    *f = (struct net_facts){ .key = key };
    net_build(f, s, shape);
    return f;
}

void nets_clear(struct nets *n)
{
    for (int i = 0; i < n->n; i++) free(n->list[i].why);
    free(n->list);
    *n = (struct nets){ NULL, 0, 0 };
}
