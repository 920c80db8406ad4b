#ifndef CORE_GRAPH_FUSE_FIND_H
#define CORE_GRAPH_FUSE_FIND_H
#include "core/graph/fuse.h"
#include "core/ops/fused.h"

/* Finding what can be fused (fuse.c says what): a role for each node as it was built. */
#define NOBODY SIZE_MAX

struct reading { /* node reads something as its input `slot` */
    size_t node;
    int slot;
};

struct arm {
    size_t from;        /* the node that makes it */
    double factor;      /* a constant that the sum scales it by */
    size_t scale, gate; /* the scale_channels that the sum takes over and the node that makes its
                         * gate; NOBODY */
    bool deferred;      /* from is a batch_norm whose output is not written */
};

struct role {       /* what becomes of a node as it was built */
    bool gone;      /* another node's call makes its output, or nobody does */
    bool norm, sum; /* a batch_norm, or the top of a sum, that becomes a fused call */
    bool deferred;  /* of a norm: its output is not written */
    size_t top;     /* of a norm: the node whose output it makes, itself or its relu */
    size_t maker;   /* of any node: the norm that makes its output, or itself */
    size_t runs_at; /* of any node: the node in whose place it runs, the top of a sum or itself */
    size_t reader;  /* of a norm that is an arm: the sum */
    size_t concat;  /* of a norm that writes into its part of a concat: that concat; NOBODY */
    size_t squeeze; /* of a norm or a sum: the global pool of its output; NOBODY */
    bool relu;      /* of a sum */
    int n_arms;
    struct arm arms[ARMS]; /* scaled ones first (fuser_scaled) */
};

struct fuser {
    const struct fuse_request *r;
    struct fusion *f;
    struct role *roles;
    struct reading *readings; /* of node i: readings[first[i]] ... readings[first[i + 1] - 1] */
    size_t *first;
    bool *kept;
};

/* Whether the sum multiplies what it reads of the arm by something. */
static inline bool fuser_scaled(const struct arm *a)
{
    return a->deferred || a->gate != NOBODY || a->factor != 1;
}

/* Fills roles, readings and kept; the caller frees them with fuser_clear. */
void fuser_find(struct fuser *u);
void fuser_clear(struct fuser *u);

/* The node that makes input `slot` of node i. */
size_t fuser_source(const struct fuser *u, size_t i, int slot);
bool fuser_is(const struct fuser *u, size_t i, const struct op *op);
bool fuser_is_pool(const struct fuser *u, size_t i);
/* The one node that reads i, if there is only one, it does `op`, and nobody else wants i. */
size_t fuser_only(const struct fuser *u, size_t i, const struct op *op);
#endif
