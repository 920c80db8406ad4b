/* The arithmetic of a step: multiply-adds of what has weights, as they are usually counted, and as
 * they are carried out. */
#include "core/graph/graph.h"

static bool node_multiplies(const struct node *n)
{
    if (!n->op || !n->op->macs || !n->call.in[1]) return false;
    const struct param *w = node_of(n->call.in[1])->param;
    return w && (w->kind == PARAM_CONV || w->kind == PARAM_LINEAR);
}

static uint64_t node_count(const struct node *n, bool backward, bool executed)
{
    if (!node_multiplies(n)) return 0;
    uint64_t once =
        executed && n->op->macs_executed ? n->op->macs_executed(&n->call) : n->op->macs(&n->call);
    return backward && node_of(n->call.in[0])->wants_grad ? 2 * once : once;
}

uint64_t node_macs(const struct node *n, bool backward) { return node_count(n, backward, false); }

static uint64_t graph_count(const struct graph *g, bool training, bool executed)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < graph_node_count(g); i++) {
        const struct node *n = graph_node(g, i);
        sum += node_count(n, false, executed) + (training ? node_count(n, true, executed) : 0);
    }
    return sum;
}

uint64_t graph_macs(const struct graph *g, bool training)
{
    return graph_count(g, training, false);
}

uint64_t graph_macs_executed(const struct graph *g, bool training)
{
    return graph_count(g, training, true);
}
