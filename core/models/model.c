/* From a request to a graph, and what a graph costs. */
#include "core/models/model.h"
#include "core/ops/ops.h"
#include <string.h>

const struct field model_fields[] = {
    REAL(model_settings, width, 1, 0.01, 16, "multiplier on the channels of every layer"),
    REAL(model_settings, dropout, 0, 0, 0.95, "share of features dropped before the classifier"),
    INT(model_settings, input_size, 0, 1, 1024,
        "rows and columns of the input; auto: as the data, or the backbone's", .zero = "auto"),
    FIELDS_END,
};

void model_options_default(const struct backbone *b, void *options)
{
    memset(options, 0, b->family->options_size);
    ((struct model_options *)options)->backbone = b;
    fields_default(b->family->fields, options);
}

bool model_build(const struct model_request *r, struct model_net *out, struct err *e)
{
    BUG_IF(((const struct model_options *)r->options)->backbone != r->backbone,
           "options of another backbone than %s", r->backbone->name);
    struct graph *g = graph_create();
    struct net n = { .graph = g, .se = r->se };
    struct model_shape shape = { .width = r->settings->width,
                                 .dropout = r->settings->dropout,
                                 .classes = r->classes,
                                 .options = r->options };
    *out = (struct model_net){ .graph = g };
    out->images = graph_input(g, "images", r->batch, r->size, r->size, r->channels);
    out->labels = graph_input(g, "labels", r->batch, 1, 1, 1);
    out->logits = r->backbone->family->build(&n, out->images, &shape);
    out->loss = nn_softmax_loss(&n, out->logits, out->labels, r->label_smoothing);
    if (n.failed) err_set(e, "%s: %s", r->backbone->name, n.e.text);
    out->se_placements = n.se_placements;
    if (!n.failed && se_check(&n, e)) {
        graph_bf16(g, r->bf16);
        return true;
    }
    graph_destroy(g);
    *out = (struct model_net){ .graph = NULL };
    return false;
}

static void count_params(const struct graph *g, struct model_counts *c)
{
    for (size_t i = 0; i < graph_param_count(g); i++) {
        const struct param *p = graph_param_at(g, i);
        size_t len = tensor_len(p->tensor);
        c->with_statistics += len;
        if (p->kind == PARAM_STATE) continue;
        c->trainable += len;
        if (p->gate) c->se += len;
        if (p->gate && p->kind != PARAM_BIAS) c->se_weights += len;
    }
}

/* What a node adds to the figure for a batch. */
static uint64_t *node_figure(const struct node *n, struct model_counts *c)
{
    if (n->op == &op_conv2d || n->op == &op_linear) return n->gate ? &c->se_fc : &c->conv_fc;
    if (n->op == &op_add) return &c->adds;
    if (n->op == &op_scale_channels) return &c->scaling;
    if (n->op == &op_global_avg_pool || n->op == &op_global_max_pool) return &c->pooling;
    return NULL;
}

static uint64_t figure_macs(const struct node *n, const struct model_counts *c,
                            const uint64_t *figure)
{
    if (figure == &c->se_fc || figure == &c->conv_fc) return n->op->macs(&n->call);
    return figure == &c->pooling ? tensor_len(n->call.in[0]) : tensor_len(&n->out);
}

void model_count(const struct graph *g, struct model_counts *c)
{
    *c = (struct model_counts){ 0 };
    count_params(g, c);
    bool inside = false; /* past the first layer of a gate, whose output is the hidden width */
    for (size_t i = 0; i < graph_node_count(g); i++) {
        const struct node *n = graph_node(g, i);
        uint64_t *figure = node_figure(n, c);
        if (figure) *figure += figure_macs(n, c, figure) / (uint64_t)n->out.n;
        if (figure == &c->se_fc && !inside) c->hidden[n->stage] = n->out.c;
        if (figure == &c->se_fc || figure == &c->scaling) inside = figure == &c->se_fc;
    }
}
