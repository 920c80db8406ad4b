#ifndef CORE_GRAPH_PLAN_H
#define CORE_GRAPH_PLAN_H
#include "core/graph/slices.h"

/* Where everything of a step lies, found from shapes alone. Offsets are in floats from the start of
 * the step's memory, multiples of 16 (64 bytes). Whatever rewrites nodes does so before this. */
#define PLACE_NONE SIZE_MAX /* not needed */
enum { PLACE_FORWARD, PLACE_BACKWARD };

struct placement { /* of one node */
    size_t data, grad, saved;
    size_t work[2];  /* for forward, for backward */
    size_t prepared; /* of an evaluation (op.prepared): where a step has what evaluations do not
                      * use, as gradients */
    bool backward;   /* the last node's gradient reaches it */
    /* Where the output is forgotten after its last reader of the forward pass: where it lies from
     * the backward of node `recompute_before` on, before which its forward runs again; PLACE_NONE:
     * it is kept. */
    size_t recompute_at, recompute_before;
    /* Bit i: its backward is the first to reach the gradient of input i, which the graph zeroes
     * before, or which it overwrites (op.overwrites). */
    unsigned zero, fresh;
};

struct plan {
    struct placement *placements;      /* one a node */
    size_t weights, gradients, states; /* offsets of the flat arrays; gradients may be PLACE_NONE */
    size_t len;                        /* floats in all */
    size_t scratch;                    /* floats of parallel_scratch that a thread needs at most */
};

struct plan_request {
    struct node *const *nodes; /* in run order; nodes[i]->index == i */
    size_t n_nodes;
    size_t weights_len, states_len; /* of the flat arrays */
    bool training;
    int images, short_images;    /* in the batch; in a training step that has fewer, 0: none has */
    const struct slices *slices; /* how an evaluation goes through the batch */
    struct tensor *const *keep;  /* NULL-terminated, or NULL */
};

void plan_make(struct plan *p, const struct plan_request *r);
void plan_clear(struct plan *p);
#endif
