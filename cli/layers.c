#include "cli/layers.h"
#include "cli/listing.h"

static const struct listing_column layer_columns[] = {
    { "name", "layer", false },
    { "op", "op", false },
    { "stage", "stage", true },
    { "output", "output", false },
    { "parameters", "parameters", true },
    { "macs", "multiply-adds", true },
    { "part", "", false },
    { 0 },
};

/* Values of trained parameters that the call reads. */
static size_t node_parameters(const struct graph *g, const struct node *n)
{
    size_t sum = 0;
    for (size_t i = 0; i < graph_param_count(g); i++) {
        const struct param *p = graph_param_at(g, i);
        for (int k = 0; k < OP_INPUTS; k++) {
            if (n->call.in[k] == p->tensor && p->kind != PARAM_STATE) sum += tensor_len(p->tensor);
        }
    }
    return sum;
}

static void layer_row(struct listing *l, const struct graph *g, const struct node *n)
{
    listing_add(l, "%s", n->name);
    listing_add(l, "%s", n->op->name);
    listing_add(l, "%d", n->stage);
    listing_add(l, "%dx%dx%d", n->out.h, n->out.w, n->out.c);
    listing_add(l, "%zu", node_parameters(g, n));
    listing_add(l, "%llu", n->op->macs ? (unsigned long long)n->op->macs(&n->call) : 0ull);
    listing_add(l, "%s", n->gate ? "SE" : "");
}

static bool layers_list(struct listing *l, const struct design_point *p, struct err *e)
{
    struct model_net net = { 0 };
    bool ok = spec_build(&p->spec, 1, &p->shape, &net, e);
    l->columns = layer_columns;
    for (size_t i = 0; ok && i < graph_node_count(net.graph); i++) {
        const struct node *n = graph_node(net.graph, i);
        if (n->op) layer_row(l, net.graph, n);
    }
    if (net.graph) graph_destroy(net.graph);
    return ok;
}

bool layers_print(const struct design_point *p, struct err *e)
{
    struct listing l = { 0 };
    bool ok = layers_list(&l, p, e);
    if (ok) listing_print(&l, stdout);
    listing_clear(&l);
    return ok;
}

bool layers_json(const struct design_point *p, struct text *t, struct err *e)
{
    struct listing l = { 0 };
    bool ok = layers_list(&l, p, e);
    if (ok) listing_json(&l, t);
    listing_clear(&l);
    return ok;
}
