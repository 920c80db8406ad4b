/* The arithmetic of a step, as it is usually counted: multiply-adds of what has weights. */
#include "core/graph/graph.h"
#include "core/graph/plan.h"

static bool node_multiplies(const struct node *n)
{
    if (!n->op || !n->op->macs || !n->call.in[1]) return false;
    const struct param *w = node_of(n->call.in[1])->param;
    return w && (w->kind == PARAM_CONV || w->kind == PARAM_LINEAR);
}

uint64_t node_products(const struct node *n, bool backward)
{
    if (!node_multiplies(n)) return 0;
    uint64_t once = n->op->macs(&n->call);
    return backward && node_of(n->call.in[0])->wants_grad ? 2 * once : once;
}

uint64_t graph_products(const struct graph *g, bool training)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < graph_node_count(g); i++) {
        const struct node *n = graph_node(g, i);
        sum += node_products(n, false) + (training ? node_products(n, true) : 0);
    }
    return sum;
}
