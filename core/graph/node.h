#ifndef CORE_GRAPH_NODE_H
#define CORE_GRAPH_NODE_H
#include "core/ops/op.h"

/* What a graph is a list of: nodes, one for each input, parameter and call. */

/* How a parameter begins and what it is. */
enum param_init { INIT_ZERO, INIT_ONE, INIT_HE_FAN_OUT, INIT_HE_FAN_IN, INIT_UNIFORM_FAN_IN };
enum param_kind {
    PARAM_CONV,   /* (kh, kw, in / groups, out) */
    PARAM_LINEAR, /* (1, 1, in, out); (h, w, in, out) of a flattened map */
    PARAM_BIAS,
    PARAM_NORM, /* scale or shift of a batch norm */
    PARAM_STATE /* running statistics: not trained */
};

struct param {
    const char *name; /* as torchvision or timm where the family exists there: conv1.weight */
    enum param_kind kind;
    enum param_init init;
    /* These are set by graph_param: */
    uint64_t stream; /* digest of the name: where its initial values are drawn */
    bool gate;       /* belongs to an SE block (graph_mark) */
    struct tensor *tensor;
    size_t at; /* offset in graph_weights (trained) or graph_states (PARAM_STATE) */
};

struct node { /* read it freely; only graph.c writes it */
    const char *name;
    size_t index;              /* its place in the list */
    const struct op *op;       /* NULL: an input or a parameter */
    const struct param *param; /* NULL: an input or an operation */
    struct op_call call;
    struct tensor out;
    bool wants_grad;
    bool gate; /* part of an SE block */
    int stage; /* the paper's stage: conv k_x is k, the stem 1, the head 0 */
    /* Of a fused step (fuse.c): */
    const struct node *part_of; /* the concat in whose output, and gradient, this one's are */
    int part_at;                /* from this channel on */
    int grad_alias; /* input `grad_alias - 1` has its gradient where the output has it; 0: none */
    const struct node *saved_writer; /* it fills part of this one's `saved` before this one runs */
    const struct node *grad_source;  /* its output's gradient is what this one's backward reads;
                                      * the own output has none */
};

/* The node that t is the output of. */
struct node *node_of(const struct tensor *t);

/* Shows nodes whose outputs have an item for each of `from` images that there are `to`. */
void nodes_show(struct node *const *nodes, size_t n_nodes, int from, int to);
#endif
