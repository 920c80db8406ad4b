/* The list of calls: building it, giving it memory, running it. Nodes never move once they are
 * made, so that tensors can be pointed to; a planned graph no longer grows. */
#include "core/graph/graph.h"
#include "core/base/digest.h"
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/graph/fuse.h"
#include "core/graph/plan.h"
#include "core/ops/op_call.h"
#include "core/ops/ops.h"
#include <stdlib.h>
#include <string.h>

enum { OP_KINDS = 64 }; /* different ops in one graph */

struct graph {
    struct pool pool; /* nodes, parameters, names, attributes */
    struct node **nodes;
    struct param **params;
    size_t n_nodes, room, n_params, params_room;
    struct {
        const struct op *op;
        int count;
    } used[OP_KINDS]; /* numbers for the names of nodes */
    int stage;
    bool gate;
    size_t weights_len, states_len;
    bool plain;        /* nothing is fused */
    float *memory;     /* NULL until planned */
    struct fusion run; /* the calls as they run */
    struct plan plan;  /* of run */
    struct slices slices;
    int short_images;  /* of a training step that has fewer; 0: none has */
    int images, shown; /* of the batch as planned, and as the run's nodes have it now */
    bool prepared;     /* what evaluations prepare is that of these weights */
    bool training;     /* planned for it */
    struct step step;  /* the one that ran last */
    struct graph_watch watch;
};

struct graph *graph_create(void) { return mem_new(1, sizeof(struct graph)); }

void graph_destroy(struct graph *g)
{
    if (!g) return;
    mem_unmap(g->memory, g->plan.len * sizeof(float));
    plan_clear(&g->plan);
    slices_clear(&g->slices);
    fuse_clear(&g->run);
    free(g->nodes);
    free(g->params);
    pool_clear(&g->pool);
    free(g);
}

static struct node *node_add(struct graph *g, const char *name)
{
    BUG_IF(g->memory, "a planned graph cannot grow");
    if (g->n_nodes == g->room) {
        g->room = 2 * g->room + 64;
        g->nodes = mem_grow(g->nodes, g->room, sizeof(struct node *));
    }
    struct node *n = pool_new(&g->pool, 1, sizeof *n);
    n->name = pool_text(&g->pool, name);
    n->index = g->n_nodes;
    n->stage = g->stage;
    n->gate = g->gate;
    n->call.out = &n->out;
    n->call.name = n->name;
    g->nodes[g->n_nodes++] = n;
    return n;
}

struct tensor *graph_input(struct graph *g, const char *name, int n, int h, int w, int c)
{
    struct node *node = node_add(g, name);
    node->out = (struct tensor){ .n = n, .h = h, .w = w, .c = c };
    return &node->out;
}

struct pool *graph_pool(struct graph *g) { return &g->pool; }

/* Parameters of one name would begin alike, and a checkpoint would hold one of them. */
static void param_check_name(const struct graph *g, const struct param *p)
{
    for (size_t i = 0; i < g->n_params; i++)
        BUG_IF(g->params[i]->stream == p->stream, "two parameters are called %s", p->name);
}

struct tensor *graph_param(struct graph *g, const struct param *p, int n, int h, int w, int c)
{
    struct tensor *t = graph_input(g, p->name, n, h, w, c);
    struct node *node = node_of(t);
    struct param *own = pool_new(&g->pool, 1, sizeof *own);
    bool state = p->kind == PARAM_STATE;
    size_t *end = state ? &g->states_len : &g->weights_len;
    *own = *p;
    own->name = node->name;
    own->stream = digest_of(own->name, strlen(own->name));
    own->gate = g->gate;
    own->tensor = t;
    own->at = *end;
    *end += mem_floats(tensor_len(t));
    node->param = own;
    node->wants_grad = !state;
    param_check_name(g, own);
    if (g->n_params == g->params_room) {
        g->params_room = 2 * g->params_room + 64;
        g->params = mem_grow(g->params, g->params_room, sizeof(struct param *));
    }
    g->params[g->n_params++] = own;
    return t;
}

/* "relu7": the op and how many of its kind came before. */
static const char *node_auto_name(struct graph *g, const struct op *op)
{
    int i = 0;
    while (i < OP_KINDS && g->used[i].op && g->used[i].op != op) i++;
    BUG_IF(i == OP_KINDS, "more than %d kinds of op in one graph", OP_KINDS);
    g->used[i].op = op;
    return pool_textf(&g->pool, "%s%d", op->name, g->used[i].count++);
}

static void node_attach(struct graph *g, struct node *n, const void *attr,
                        struct tensor *const in[OP_INPUTS])
{
    const struct op *op = n->op;
    if (op->attr_size) {
        BUG_IF(!attr, "%s: %s takes parameters", n->name, op->name);
        n->call.attr = memcpy(pool_new(&g->pool, 1, op->attr_size), attr, op->attr_size);
    }
    for (int i = 0; i < op->n_in + op->n_optional; i++) {
        BUG_IF(i < op->n_in && !in[i], "%s: %s without input %d", n->name, op->name, i);
        n->call.in[i] = in[i];
        if (in[i] && op->backward) n->wants_grad |= node_of(in[i])->wants_grad;
    }
}

struct tensor *graph_apply(struct graph *g, const struct op *op, const void *attr,
                           struct tensor *const in[OP_INPUTS], const char *name, struct err *e)
{
    struct node *n = node_add(g, name ? name : node_auto_name(g, op));
    n->op = op;
    node_attach(g, n, attr, in);
    if (op->infer(&n->call, e)) return &n->out;
    g->n_nodes--;
    return NULL;
}

void graph_mark(struct graph *g, int stage, bool gate)
{
    g->stage = stage;
    g->gate = gate;
}

size_t graph_node_count(const struct graph *g) { return g->n_nodes; }
size_t graph_param_count(const struct graph *g) { return g->n_params; }

const struct node *graph_node(const struct graph *g, size_t i)
{
    BUG_IF(i >= g->n_nodes, "node %zu of %zu", i, g->n_nodes);
    return g->nodes[i];
}

const struct param *graph_param_at(const struct graph *g, size_t i)
{
    BUG_IF(i >= g->n_params, "parameter %zu of %zu", i, g->n_params);
    return g->params[i];
}

void graph_fuse(struct graph *g, bool on)
{
    BUG_IF(g->memory, "the graph is planned already");
    g->plain = !on;
}

void graph_short(struct graph *g, int images)
{
    BUG_IF(g->memory, "the graph is planned already");
    BUG_IF(images && images < 2, "a short step of %d images", images);
    g->short_images = images;
}

/* The images in a batch: those of the first input. */
static int graph_images(const struct graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (!g->nodes[i]->op && !g->nodes[i]->param) return g->nodes[i]->out.n;
    return 0;
}

static bool node_stores_bf16(const struct node *n)
{
    const struct tensor *t = &n->out;
    return n->op && t->h * t->w > 1 && (!n->gate || n->op == &op_scale_channels);
}

void graph_bf16(struct graph *g, bool on)
{
    BUG_IF(g->memory, "the graph is planned already");
    for (size_t i = 0; i < g->n_nodes; i++)
        g->nodes[i]->out.bf16 = on && node_stores_bf16(g->nodes[i]);
}

/* What keep names, as the run's tensors; free() it. */
static struct tensor **graph_kept(const struct fusion *run, struct tensor *const *keep)
{
    size_t n = 0;
    while (keep && keep[n]) n++;
    struct tensor **kept = mem_new(n + 1, sizeof *kept);
    for (size_t i = 0; i < n; i++) kept[i] = &run->rewritten[node_of(keep[i])->index]->out;
    return kept;
}

static void graph_make_plan(const struct graph *g, bool training, struct tensor *const *keep,
                            struct fusion *run, struct slices *slices, struct plan *plan)
{
    fuse_make(run, &(struct fuse_request){
                       .nodes = g->nodes, .n_nodes = g->n_nodes, .keep = keep, .plain = g->plain });
    struct tensor **kept = graph_kept(run, keep);
    slices_make(slices, run->nodes, run->n_nodes, kept);
    plan_make(plan, &(struct plan_request){ .nodes = run->nodes,
                                            .n_nodes = run->n_nodes,
                                            .weights_len = g->weights_len,
                                            .states_len = g->states_len,
                                            .training = training,
                                            .images = graph_images(g),
                                            .short_images = g->short_images,
                                            .slices = slices,
                                            .keep = kept });
    free(kept);
}

size_t graph_bytes(const struct graph *g, bool training, struct tensor *const *keep)
{
    return graph_needs(g, training, keep).bytes;
}

struct graph_needs graph_needs(const struct graph *g, bool training, struct tensor *const *keep)
{
    struct fusion run;
    struct slices slices;
    struct plan plan;
    graph_make_plan(g, training, keep, &run, &slices, &plan);
    slices_clear(&slices);
    plan_clear(&plan);
    fuse_clear(&run);
    return (struct graph_needs){ plan.len * sizeof(float), parallel_scratch_bytes(plan.scratch) };
}

static float *graph_at(const struct graph *g, size_t offset)
{
    return offset == PLACE_NONE ? NULL : g->memory + offset;
}

/* The same for the output of node i of the run, or its gradient: a part begins at its channel. */
static float *graph_output(const struct graph *g, size_t i, size_t offset)
{
    const struct node *n = g->run.nodes[i];
    char *at = (char *)graph_at(g, offset);
    return (float *)(void *)(at ? at + n->part_at * (n->out.bf16 ? 2 : 4) : NULL);
}

/* Gives the calls of the run their memory, and tells the nodes as they were built where theirs is.
 */
static void graph_give(struct graph *g)
{
    for (size_t i = 0; i < g->run.n_nodes; i++) {
        const struct placement *p = &g->plan.placements[i];
        struct node *n = g->run.nodes[i];
        n->out.data = graph_output(g, i, p->data);
        n->out.grad = graph_output(g, i, p->grad);
        n->call.saved = graph_at(g, p->saved);
        n->call.prepared = graph_at(g, p->prepared);
        n->call.fresh = p->fresh;
        n->call.step = &g->step;
    }
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct node *copy = g->run.rewritten[i];
        if (!copy) continue;
        g->nodes[i]->out.data = copy->out.data;
        g->nodes[i]->out.grad = copy->out.grad;
        g->nodes[i]->call.saved = copy->call.saved;
    }
}

bool graph_plan(struct graph *g, bool training, struct tensor *const *keep, struct err *e)
{
    BUG_IF(g->memory, "the graph is planned already");
    BUG_IF(!g->n_nodes, "a graph without nodes");
    graph_make_plan(g, training, keep, &g->run, &g->slices, &g->plan);
    g->training = training;
    g->images = g->shown = graph_images(g);
    g->memory = mem_map(g->plan.len * sizeof(float));
    if (!g->memory) {
        double bytes = (double)g->plan.len * sizeof(float);
        plan_clear(&g->plan);
        slices_clear(&g->slices);
        fuse_clear(&g->run);
        return err_set(e, "no memory for a step of %.1f MB: a smaller batch needs less",
                       bytes / 1e6);
    }
    graph_give(g);
    return true;
}

float *graph_weights(struct graph *g, size_t *len)
{
    BUG_IF(!g->memory, "the graph is not planned");
    if (len) *len = g->weights_len;
    g->prepared = false;
    return g->memory + g->plan.weights;
}

float *graph_gradients(struct graph *g)
{
    BUG_IF(!g->memory, "the graph is not planned");
    return graph_at(g, g->plan.gradients);
}

float *graph_states(struct graph *g, size_t *len)
{
    BUG_IF(!g->memory, "the graph is not planned");
    if (len) *len = g->states_len;
    g->prepared = false;
    return g->memory + g->plan.states;
}

void graph_watch(struct graph *g, const struct graph_watch *w)
{
    g->watch = w ? *w : (struct graph_watch){ NULL, NULL };
}

static void graph_tell(const struct graph *g, const struct node *n, bool backward)
{
    if (g->watch.ran) g->watch.ran(g->watch.ctx, n, backward);
}

static void node_forward(struct graph *g, size_t i)
{
    struct node *n = g->run.nodes[i];
    if (!n->op) return;
    n->call.work = graph_at(g, g->plan.placements[i].work[PLACE_FORWARD]);
    op_forward(n->op, &n->call);
    graph_tell(g, n, false);
}

static void node_prepare(struct graph *g, size_t i)
{
    struct node *n = g->run.nodes[i];
    if (!n->op || !n->call.prepared) return;
    n->call.work = graph_at(g, g->plan.placements[i].work[PLACE_FORWARD]);
    n->op->prepare(&n->call);
    graph_tell(g, n, false);
}

static void graph_evaluate(struct graph *g)
{
    const struct slices *s = &g->slices;
    struct slice slice;
    for (size_t i = 0; i < g->run.n_nodes && !g->prepared; i++) node_prepare(g, i);
    g->prepared = true;
    for (int k = 0; slices_at(s, k, &slice); k++) {
        slices_enter(s, g->run.nodes, slice);
        for (size_t i = 0; i < g->run.n_nodes; i++)
            if (s->sliced[i]) node_forward(g, i);
        slices_leave(s, g->run.nodes, slice);
    }
    for (size_t i = 0; i < g->run.n_nodes; i++)
        if (!s->sliced[i]) node_forward(g, i);
}

/* Gives the run's nodes the images of the step. */
static void graph_show(struct graph *g)
{
    const int images = g->step.training && g->step.images ? g->step.images : g->images;
    BUG_IF(images != g->images && images != g->short_images,
           "a step of %d images in a graph planned for %d and %d", images, g->images,
           g->short_images);
    if (images != g->shown) nodes_show(g->run.nodes, g->run.n_nodes, g->shown, images);
    g->shown = images;
}

void graph_forward(struct graph *g, const struct step *step)
{
    BUG_IF(!g->memory, "the graph is not planned");
    BUG_IF(step->training && !g->training, "a training step on a graph planned for evaluation");
    g->step = *step;
    graph_show(g);
    if (!step->training) {
        graph_evaluate(g);
        return;
    }
    g->prepared = false;
    for (size_t i = 0; i < g->run.n_nodes; i++) node_forward(g, i);
}

/* Makes again, in order, what was forgotten and the backward of node i is the first to need. */
static void graph_recompute(struct graph *g, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        const struct placement *p = &g->plan.placements[k];
        if (p->recompute_before != i) continue;
        g->run.nodes[k]->out.data = graph_at(g, p->recompute_at);
        node_forward(g, k);
    }
}

/* The outputs that were made again are back where the next forward writes them. */
static void graph_restore(struct graph *g)
{
    for (size_t i = 0; i < g->run.n_nodes; i++)
        g->run.nodes[i]->out.data = graph_output(g, i, g->plan.placements[i].data);
}

/* Parameters' gradients are zeroed at once; those of activations just before their first writer,
 * since their memory held something else until then. */
void graph_backward(struct graph *g)
{
    struct tensor *last = &g->run.nodes[g->run.n_nodes - 1]->out;
    BUG_IF(!g->memory || !g->step.training, "backward without a training forward");
    BUG_IF(!g->plan.placements[g->run.n_nodes - 1].backward,
           "nothing in this graph wants a gradient");
    memset(graph_gradients(g), 0, g->weights_len * sizeof(float));
    for (size_t i = 0; i < tensor_len(last); i++) last->grad[i] = 1;
    graph_tell(g, NULL, true);
    for (size_t i = g->run.n_nodes; i-- > 0;) {
        struct node *n = g->run.nodes[i];
        const struct placement *p = &g->plan.placements[i];
        if (!n->op || !p->backward) continue;
        graph_recompute(g, i);
        for (int j = 0; p->zero >> j; j++)
            if (p->zero >> j & 1) memset(n->call.in[j]->grad, 0, tensor_bytes(n->call.in[j]));
        n->call.work = graph_at(g, p->work[PLACE_BACKWARD]);
        op_backward(n->op, &n->call);
        graph_tell(g, n, true);
    }
    graph_restore(g);
}

uint64_t graph_weights_digest(struct graph *g)
{
    struct digest *d = digest_create();
    size_t weights, states;
    const float *w = graph_weights(g, &weights), *s = graph_states(g, &states);
    digest_add(d, w, weights * sizeof(float));
    digest_add(d, s, states * sizeof(float));
    return digest_end(d);
}
