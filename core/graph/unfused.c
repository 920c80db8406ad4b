/* How much of a step runs in memory passes of its own. */
#include "core/graph/fuse.h"
#include "core/graph/graph.h"
#include "core/ops/ops.h"
#include <stdlib.h>

/* What core/ops/fused.h's ops take in, where a network lets them. */
static bool op_is_fusible(const struct op *op)
{
    static const struct op *const fusible[] = {
        &op_add,  &op_batch_norm, &op_global_avg_pool, &op_global_max_pool,
        &op_relu, &op_relu6,      &op_scale_channels
    };
    for (size_t i = 0; i < sizeof fusible / sizeof *fusible; i++)
        if (op == fusible[i]) return true;
    return false;
}

size_t graph_unfused(const struct graph *g, struct tensor *const *keep)
{
    struct fusion run;
    size_t n = graph_node_count(g), passes = 0;
    struct node **nodes = mem_new(n, sizeof *nodes);
    for (size_t i = 0; i < n; i++) nodes[i] = (struct node *)(uintptr_t)graph_node(g, i);
    fuse_make(&run, &(struct fuse_request){ .nodes = nodes, .n_nodes = n, .keep = keep });
    for (size_t i = 0; i < run.n_nodes; i++) {
        const struct node *call = run.nodes[i];
        if (!call->op || !op_is_fusible(call->op)) continue;
        const struct tensor *x = call->call.in[0];
        passes += x->h * x->w > 1;
    }
    fuse_clear(&run);
    free(nodes);
    return passes;
}
