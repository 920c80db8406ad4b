/* Rewrites the list of calls so that a step makes few memory passes (core/ops/fused.h says what the
 * new ops do). Two patterns, wherever a graph has them:
 *
 *   norm   conv2d -> batch_norm [-> relu] becomes conv2d -> norm. Its output stays deferred where
 *          all readers are convolutions or maximum pools (with the ReLU), or where it is an arm of
 *          the next pattern.
 *   end    add -> relu becomes fused_sum. An arm may be a deferred norm without a ReLU, also one
 *          with a gate: norm -> scale_channels, whose squeeze reads the same norm.
 *
 * What fits neither stays as it was built. */
#include "core/graph/fuse.h"
#include "core/graph/plan.h"
#include "core/ops/fused.h"
#include "core/ops/ops.h"
#include <stdlib.h>

#define NOBODY SIZE_MAX

struct reading { /* node reads something as its input `slot` */
    size_t node;
    int slot;
};

struct role {            /* what becomes of a node as it was built */
    bool gone;           /* another node's copy makes its output, or nobody does */
    bool fused;          /* a batch_norm that becomes a norm, a relu that becomes a fused_sum */
    bool deferred;       /* of a norm: its output is not written */
    size_t top;          /* of a norm: the node whose output it makes, itself or its relu */
    size_t end;          /* of a norm that is an arm: the relu that becomes the fused_sum */
    size_t gate;         /* of an arm: its scale_channels, or NOBODY */
    size_t squeeze;      /* of an arm with a gate: the global pool that reads it */
    size_t add, arms[2]; /* of a fused_sum: the add, and the nodes that make its arms */
};

struct fuser {
    const struct fuse_request *r;
    struct fusion *f;
    struct role *roles;
    struct reading *readings; /* of node i: readings[first[i]] ... readings[first[i + 1] - 1] */
    size_t *first;
    bool *kept;
};

static const struct node *fuser_input(const struct fuser *u, size_t i, int slot)
{
    const struct tensor *t = u->r->nodes[i]->call.in[slot];
    return t ? node_of(t) : NULL;
}

static bool fuser_is(const struct fuser *u, size_t i, const struct op *op)
{
    return u->r->nodes[i]->op == op;
}

static size_t fuser_readers(const struct fuser *u, size_t i)
{
    return u->first[i + 1] - u->first[i];
}

/* The one node that reads i, if there is only one, it does `op`, and nobody else wants i. */
static size_t fuser_only(const struct fuser *u, size_t i, const struct op *op)
{
    if (u->kept[i] || fuser_readers(u, i) != 1) return NOBODY;
    size_t reader = u->readings[u->first[i]].node;
    return fuser_is(u, reader, op) ? reader : NOBODY;
}

static void fuser_read(struct fuser *u)
{
    const struct fuse_request *r = u->r;
    size_t n = 0;
    u->first = mem_new(r->n_nodes + 2, sizeof *u->first);
    u->kept = mem_new(r->n_nodes, sizeof *u->kept);
    for (size_t i = 0; i < r->n_nodes; i++)
        for (int j = 0; j < OP_INPUTS; j++)
            if (fuser_input(u, i, j)) u->first[fuser_input(u, i, j)->index + 2]++, n++;
    for (size_t i = 2; i < r->n_nodes + 2; i++) u->first[i] += u->first[i - 1];
    u->readings = mem_new(n, sizeof *u->readings);
    for (size_t i = 0; i < r->n_nodes; i++)
        for (int j = 0; j < OP_INPUTS; j++)
            if (fuser_input(u, i, j))
                u->readings[u->first[fuser_input(u, i, j)->index + 1]++] = (struct reading){ i, j };
    for (struct tensor *const *k = r->keep; k && *k; k++) u->kept[node_of(*k)->index] = true;
}

/* Fused calls take matrices of one type. */
static bool fuser_alike(const struct fuser *u, size_t i, size_t k)
{
    return u->r->nodes[i]->out.bf16 == u->r->nodes[k]->out.bf16;
}

/* add -> relu: the relu becomes the end of a block. */
static void fuser_find_end(struct fuser *u, size_t add)
{
    size_t relu = fuser_only(u, add, &op_relu);
    if (relu == NOBODY) return;
    for (int arm = 0; arm < 2; arm++)
        if (!fuser_alike(u, relu, fuser_input(u, add, arm)->index)) return;
    u->roles[add].gone = true;
    u->roles[relu].fused = true;
    u->roles[relu].add = add;
    for (int arm = 0; arm < 2; arm++) u->roles[relu].arms[arm] = fuser_input(u, add, arm)->index;
}

/* The fused_sum behind an add that reads i and nothing else does. */
static size_t fuser_end_of(const struct fuser *u, size_t i)
{
    size_t add = fuser_only(u, i, &op_add);
    return add != NOBODY && u->roles[add].gone ? fuser_only(u, add, &op_relu) : NOBODY;
}

/* Whether all that reads i can work it out itself. */
static bool fuser_readers_norm(const struct fuser *u, size_t i)
{
    for (size_t k = u->first[i]; k < u->first[i + 1]; k++) {
        const size_t reader = u->readings[k].node;
        if (!fuser_is(u, reader, &op_conv2d) && !fuser_is(u, reader, &op_max_pool)) return false;
        if (u->readings[k].slot != 0) return false;
    }
    return fuser_readers(u, i) > 0 && !u->kept[i];
}

/* norm -> scale_channels -> end, and norm -> squeeze. */
static void fuser_find_gate(struct fuser *u, size_t norm)
{
    struct role *role = &u->roles[norm];
    if (fuser_readers(u, norm) != 2 || u->kept[norm]) return;
    size_t scale = NOBODY, squeeze = NOBODY;
    for (size_t k = u->first[norm]; k < u->first[norm + 1]; k++) {
        size_t reader = u->readings[k].node;
        if (fuser_is(u, reader, &op_scale_channels) && u->readings[k].slot == 0) scale = reader;
        if (fuser_is(u, reader, &op_global_avg_pool) || fuser_is(u, reader, &op_global_max_pool))
            squeeze = reader;
    }
    if (scale == NOBODY || squeeze == NOBODY || fuser_end_of(u, scale) == NOBODY) return;
    const struct tensor *gate = u->r->nodes[scale]->call.in[1];
    if (gate->h != 1 || gate->w != 1) return;
    role->end = fuser_end_of(u, scale);
    role->gate = scale;
    role->squeeze = squeeze;
    u->roles[scale].gone = true;
}

static void fuser_find_norm(struct fuser *u, size_t norm)
{
    struct role *role = &u->roles[norm];
    const struct node *conv = fuser_input(u, norm, 0);
    if (conv->op != &op_conv2d || fuser_only(u, conv->index, &op_batch_norm) == NOBODY) return;
    if (!fuser_alike(u, norm, conv->index)) return;
    role->fused = true;
    size_t relu = fuser_only(u, norm, &op_relu);
    if (relu != NOBODY && fuser_alike(u, norm, relu)) {
        role->top = relu;
        u->roles[relu].gone = true;
        role->deferred = fuser_readers_norm(u, relu);
        return;
    }
    role->end = fuser_end_of(u, norm);
    if (role->end == NOBODY) fuser_find_gate(u, norm);
    role->deferred = role->end != NOBODY;
    for (int arm = 0; role->deferred && arm < 2; arm++) {
        size_t *from = &u->roles[role->end].arms[arm];
        if (*from == (role->gate != NOBODY ? role->gate : norm)) *from = norm;
    }
}

static void fuser_find(struct fuser *u)
{
    size_t n = u->r->n_nodes;
    u->roles = mem_new(n, sizeof *u->roles);
    for (size_t i = 0; i < n; i++) {
        struct role *role = &u->roles[i];
        role->top = i;
        role->end = role->gate = role->squeeze = NOBODY;
    }
    for (size_t i = 0; i < n; i++)
        if (fuser_is(u, i, &op_add)) fuser_find_end(u, i);
    for (size_t i = 0; i < n; i++)
        if (fuser_is(u, i, &op_batch_norm)) fuser_find_norm(u, i);
}

/* A copy of node i at the end of the run order, its inputs those of the rewritten. */
static struct node *fuser_copy(struct fuser *u, size_t i)
{
    struct fusion *f = u->f;
    struct node *copy = pool_new(&f->pool, 1, sizeof *copy);
    *copy = *u->r->nodes[i];
    copy->index = f->n_nodes;
    copy->call.out = &copy->out;
    for (int j = 0; j < OP_INPUTS; j++) {
        struct node *from =
            copy->call.in[j] ? f->rewritten[node_of(copy->call.in[j])->index] : NULL;
        copy->call.in[j] = from ? &from->out : NULL; /* one that is gone: fuser_end names others */
    }
    f->nodes[f->n_nodes++] = copy;
    return f->rewritten[i] = copy;
}

static void fuser_norm(struct fuser *u, size_t i)
{
    const struct role *role = &u->roles[i];
    struct node *copy = fuser_copy(u, i), *conv = node_of(copy->call.in[0]);
    struct fused_norm_attr *attr = pool_new(&u->f->pool, 1, sizeof *attr);
    const struct batch_norm_attr *plain = copy->call.attr;
    attr->momentum = batch_norm_momentum(plain);
    attr->epsilon = batch_norm_epsilon(plain);
    attr->relu = role->top != i;
    if (role->squeeze != NOBODY)
        attr->squeeze = fuser_is(u, role->squeeze, &op_global_avg_pool) ? SQUEEZE_AVG : SQUEEZE_MAX;
    copy->op = &op_fused_batch_norm;
    copy->call.attr = attr;
    copy->saved_writer = conv;
    conv->call.sums_for = &copy->call;
    if (!conv->call.in[2]) attr->folder = &conv->call; /* without a bias of its own */
    if (role->deferred) copy->out.norm = &copy->call;
    if (role->end == NOBODY) copy->grad_alias = 1;
    u->f->rewritten[role->top] = copy;
}

/* May the arm that is a tensor have its gradient where the end's is? The end must be the first to
 * reach it, and nothing else may before the norms of deferred arms have run. */
static bool fuser_shares(const struct fuser *u, const struct role *end, int arm)
{
    size_t from = end->arms[arm], other = end->arms[1 - arm], n = fuser_readers(u, from);
    const struct reading *readings = u->readings + u->first[from];
    if (u->roles[from].deferred || from == other || !u->r->nodes[from]->op) return false;
    if (readings[n - 1].node != end->add) return false;
    return !u->roles[other].deferred || n < 2 || readings[n - 2].node < other;
}

/* The deferred arm comes first. */
static void fuser_end(struct fuser *u, size_t relu)
{
    struct role *role = &u->roles[relu];
    struct node *copy = fuser_copy(u, relu);
    if (!u->roles[role->arms[0]].deferred) {
        size_t arm = role->arms[0];
        role->arms[0] = role->arms[1];
        role->arms[1] = arm;
    }
    copy->op = &op_fused_sum;
    for (int arm = 0; arm < 2 && !copy->grad_alias; arm++)
        if (fuser_shares(u, role, arm)) copy->grad_alias = 1 + arm;
    for (int arm = 0; arm < 2; arm++) {
        const struct role *from = &u->roles[role->arms[arm]];
        struct node *source = u->f->rewritten[role->arms[arm]];
        copy->call.in[ARM0 + arm] = &source->out;
        if (from->end != relu) continue;
        struct fused_norm_attr *attr = (struct fused_norm_attr *)(uintptr_t)source->call.attr;
        attr->end = &copy->call;
        attr->arm = arm;
        source->grad_source = copy;
        if (from->gate == NOBODY) continue;
        const struct tensor *gate = u->r->nodes[from->gate]->call.in[1];
        copy->call.in[GATE0 + arm] = &u->f->rewritten[node_of(gate)->index]->out;
    }
}

static void fuser_squeeze(struct fuser *u, size_t i)
{
    struct node *copy = fuser_copy(u, i);
    if (!copy->call.in[0]->norm) return;
    copy->op =
        fuser_is(u, i, &op_global_avg_pool) ? &op_fused_global_avg_pool : &op_fused_global_max_pool;
}

static void fuser_emit(struct fuser *u, size_t i)
{
    const struct role *role = &u->roles[i];
    if (role->gone) return;
    if (role->fused && fuser_is(u, i, &op_batch_norm))
        fuser_norm(u, i);
    else if (role->fused)
        fuser_end(u, i);
    else if (fuser_is(u, i, &op_global_avg_pool) || fuser_is(u, i, &op_global_max_pool))
        fuser_squeeze(u, i);
    else
        fuser_copy(u, i);
}

void fuse_make(struct fusion *f, const struct fuse_request *r)
{
    struct fuser u = { .r = r, .f = f };
    *f = (struct fusion){ .nodes = mem_new(r->n_nodes, sizeof *f->nodes),
                          .rewritten = mem_new(r->n_nodes, sizeof *f->rewritten) };
    if (r->plain) {
        for (size_t i = 0; i < r->n_nodes; i++) f->nodes[i] = f->rewritten[i] = r->nodes[i];
        f->n_nodes = r->n_nodes;
        return;
    }
    fuser_read(&u);
    fuser_find(&u);
    for (size_t i = 0; i < r->n_nodes; i++) fuser_emit(&u, i);
    free(u.first);
    free(u.kept);
    free(u.readings);
    free(u.roles);
}

void fuse_clear(struct fusion *f)
{
    free(f->nodes);
    free(f->rewritten);
    pool_clear(&f->pool);
    *f = (struct fusion){ .nodes = NULL };
}
