#ifndef CORE_GRAPH_GRAPH_H
#define CORE_GRAPH_GRAPH_H
#include "core/graph/node.h"

/* A network as a list of calls. An input must exist before its reader is added, so the order of
 * construction is an order in which the calls can run. Three stages:
 *   build (shapes only)  ->  graph_plan (one allocation)  ->  forward, backward (none). */
struct graph;
struct pool;

struct graph *graph_create(void);
void graph_destroy(struct graph *g);

/* Names are copied. Where name is NULL the node is called after its op and its number among the
 * nodes of that op ("dropout0"): give a name where a random stream hangs on it, for a second
 * dropout before the first renames that one. */
struct tensor *graph_input(struct graph *g, const char *name, int n, int h, int w, int c);
struct tensor *graph_param(struct graph *g, const struct param *p, int n, int h, int w, int c);
/* Where names are made: it lives as long as the graph. Those of parameters must differ. */
struct pool *graph_pool(struct graph *g);

/* Returns the output, or NULL with e filled where the op refuses these inputs. Copies attr. */
struct tensor *graph_apply(struct graph *g, const struct op *op, const void *attr,
                           struct tensor *const in[OP_INPUTS], const char *name, struct err *e);

/* Marks the nodes added from now on. */
void graph_mark(struct graph *g, int stage, bool gate);

size_t graph_node_count(const struct graph *g);
const struct node *graph_node(const struct graph *g, size_t i);
size_t graph_param_count(const struct graph *g);
const struct param *graph_param_at(const struct graph *g, size_t i);

/* What the network is, independent of the batch size and of how it is run: ops, attributes,
 * shapes and parameter names. Equal digests train alike. */
uint64_t graph_digest(const struct graph *g);

/* Whether planning may fuse calls into fewer memory passes (fuse.c), which it does unless told
 * otherwise: the results are the same up to rounding. Where it does, outputs between fused calls
 * are never made, and their data stays NULL. Before graph_plan. */
void graph_fuse(struct graph *g, bool on);

/* Whether activations and their gradients are stored as bf16 (core/kernels/vector/bf16.h). What has
 * one pixel an image (squeezes, gates, logits), the inside of an SE block, inputs and parameters
 * stay float. All nodes must exist; before graph_plan. */
void graph_bf16(struct graph *g, bool on);

/* A training step may be of so many images instead, at least 2 (step.images): the first of the
 * batch. It runs in the memory of the whole one. 0: none is. Before graph_plan. */
void graph_short(struct graph *g, int images);

/* Bytes that graph_plan with the same arguments takes, to the byte. */
size_t graph_bytes(const struct graph *g, bool training, struct tensor *const *keep);

/* The same, and what a thread needs beside it while it computes. */
struct graph_needs {
    size_t bytes, scratch;
};
struct graph_needs graph_needs(const struct graph *g, bool training, struct tensor *const *keep);

/* Calls over feature maps (batch norms, ReLUs, sums, gates, global pools) that a fused step of this
 * graph still makes for themselves. Steps that differ in it differ in time by more than what their
 * networks compute. keep: as for graph_plan. */
size_t graph_unfused(const struct graph *g, struct tensor *const *keep);

/* Gives every tensor its place: parameters and their gradients flat, activations by lifetime, so
 * that what is no longer needed makes room. Tensors given in keep (NULL-terminated, may be NULL)
 * stay readable after the whole step, as do inputs and outputs that nothing reads. Refuses where
 * the memory cannot be had. */
bool graph_plan(struct graph *g, bool training, struct tensor *const *keep, struct err *e);

/* All weights (gradients, states) as one array in the order of construction, after graph_plan; len
 * in floats. Parameter p begins at p->at, on 64 bytes; the gaps hold zeros. The call also discards
 * what evaluations have worked out from weights and states: call it before each change, and never
 * keep the pointer across an evaluation. */
float *graph_weights(struct graph *g, size_t *len);
float *graph_gradients(struct graph *g); /* as long; NULL when planned for evaluation. An evaluation
                                          * may use their memory */
float *graph_states(struct graph *g, size_t *len);

/* Initial values, keyed by (seed, parameter name): shared layers of two networks begin alike. */
void graph_init(struct graph *g, uint64_t seed);

/* An evaluation goes through the batch in slices of a few images (slices.h). */
void graph_forward(struct graph *g, const struct step *step);
void graph_backward(struct graph *g); /* after a training forward; the last node's gradient is 1 */

/* Called after each call of a step, in run order, with the node as it runs: the fused one, of
 * several that are fused. n NULL: the gradients of the parameters were zeroed. */
struct graph_watch {
    void *ctx;
    void (*ran)(void *ctx, const struct node *n, bool backward);
};
void graph_watch(struct graph *g, const struct graph_watch *w); /* copied; NULL: nobody */

/* Multiply-adds of convolutions and linear layers for the whole batch (macs.c); other nodes
 * have none here. Backward: for the gradient of the weights, and of the input where that wants one.
 */
uint64_t node_macs(const struct node *n, bool backward);
uint64_t graph_macs(const struct graph *g, bool training); /* of a whole step */
/* The same, as the kernels in use carry them out: Winograd's convolution has fewer. */
uint64_t graph_macs_executed(const struct graph *g, bool training);

/* A digest of weights and states: equal bits, equal digest. */
uint64_t graph_weights_digest(struct graph *g);
#endif
