/* The digest of a network's structure: everything that decides how it trains, and nothing of how
 * large its batches are. Names count, since initial weights and dropout are drawn by name. */
#include "core/base/digest.h"
#include "core/base/text.h"
#include "core/graph/graph.h"

static void node_describe(const struct node *n, struct text *t)
{
    const struct tensor *s = &n->out;
    text_addf(t, "%s:%s:", n->name, n->op ? n->op->name : "");
    if (n->param) text_addf(t, "%d,%d,%d:", (int)n->param->kind, (int)n->param->init, s->n);
    if (n->op && n->op->describe) n->op->describe(&n->call, t);
    text_addf(t, ":%d,%d,%d", s->h, s->w, s->c);
    for (int i = 0; i < OP_INPUTS; i++)
        if (n->call.in[i]) text_addf(t, ":%zu", node_of(n->call.in[i])->index);
    text_add(t, "\n");
}

uint64_t graph_digest(const struct graph *g)
{
    struct text t = { NULL, 0, 0 };
    for (size_t i = 0; i < graph_node_count(g); i++) node_describe(graph_node(g, i), &t);
    uint64_t digest = digest_of(t.s, t.len);
    text_clear(&t);
    return digest;
}
