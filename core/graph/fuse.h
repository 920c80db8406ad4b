#ifndef CORE_GRAPH_FUSE_H
#define CORE_GRAPH_FUSE_H
#include "core/base/mem.h"
#include "core/graph/node.h"

/* The calls as they will run: rewritten of the nodes, some in the place of several. Nothing else of
 * the graph changes: digest, counts and parameters are those of the nodes as they were built. */
struct fusion {
    struct node **nodes; /* in run order; nodes[i]->index == i */
    size_t n_nodes;
    struct node *
        *rewritten; /* rewritten[i] makes the output of node i; NULL: that output is not made */
    struct pool pool;
};

struct fuse_request {
    struct node *const *nodes;
    size_t n_nodes;
    struct tensor *const *keep; /* outputs that must be made; NULL-terminated, or NULL */
    bool plain;                 /* the nodes themselves, nothing fused */
};

void fuse_make(struct fusion *f, const struct fuse_request *r);
void fuse_clear(struct fusion *f);
#endif
