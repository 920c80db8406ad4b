#include "core/graph/node.h"

struct node *node_of(const struct tensor *t)
{
    return (struct node *)(const void *)((const char *)t - offsetof(struct node, out));
}

void nodes_show(struct node *const *nodes, size_t n_nodes, int from, int to)
{
    for (size_t i = 0; i < n_nodes; i++)
        if (!nodes[i]->param && nodes[i]->out.n == from) nodes[i]->out.n = to;
}
