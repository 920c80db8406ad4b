/* Rewrites the list of calls so that a step makes few memory passes (core/ops/fused.h says what the
 * new ops do). Three patterns, wherever a graph has them:
 *
 *   norm     batch_norm [-> relu] becomes fused_batch_norm, which takes its sums from the conv2d
 * that makes its input, if one does. Its output is deferred where all readers are convolutions or
 * maximum pools (with the ReLU), or where it is an arm of the next pattern. sum      add [-> add]
 * [-> relu] becomes fused_sum, if it has a ReLU or an arm that spares a pass: a deferred norm
 * without a ReLU, or scale_channels of a norm or of any tensor. squeeze  the global pool of a
 * deferred norm, and the global average pool of what a fused_batch_norm or a fused_sum writes.
 *
 * What fits none stays as it was built. */
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

struct arm {
    size_t from;        /* the node that makes it */
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
    size_t reader;  /* of a norm that is an arm: the sum */
    size_t squeeze; /* of a norm or a sum: the global pool of its output; NOBODY */
    bool relu;      /* of a sum */
    size_t adds[2]; /* of a sum: its adds, the inner one or NOBODY */
    int n_arms;
    struct arm arms[ARMS]; /* deferred and gated ones first */
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

/* The node that makes input `slot` of node i. */
static size_t fuser_source(const struct fuser *u, size_t i, int slot)
{
    return fuser_input(u, i, slot)->index;
}

static bool fuser_is_pool(const struct fuser *u, size_t i)
{
    return fuser_is(u, i, &op_global_avg_pool) || fuser_is(u, i, &op_global_max_pool);
}

/* Fused calls take matrices of one type. */
static bool fuser_alike(const struct fuser *u, size_t i, size_t k)
{
    return u->r->nodes[i]->out.bf16 == u->r->nodes[k]->out.bf16;
}

/* The arm that input `slot` of an add is, seen through a scale_channels with a number for each
 * image and channel that nobody else reads. */
static struct arm fuser_arm(const struct fuser *u, size_t add, int slot)
{
    struct arm arm = { fuser_source(u, add, slot), NOBODY, NOBODY, false };
    const size_t scale = arm.from;
    if (fuser_only(u, scale, &op_add) == NOBODY || !fuser_is(u, scale, &op_scale_channels))
        return arm;
    const struct node *gate = fuser_input(u, scale, 1);
    if (gate->out.h != 1 || gate->out.w != 1 || !fuser_alike(u, scale, fuser_source(u, scale, 0)))
        return arm;
    return (struct arm){ fuser_source(u, scale, 0), scale, gate->index, false };
}

/* Whether the arm is a batch_norm that only the sum reads, or also the squeeze before its gate. */
static bool fuser_defers(const struct fuser *u, struct arm arm)
{
    const size_t norm = arm.from, readers = fuser_readers(u, norm);
    if (!fuser_is(u, norm, &op_batch_norm) || u->kept[norm]) return false;
    if (!fuser_alike(u, norm, fuser_source(u, norm, 0))) return false;
    if (arm.gate == NOBODY) return readers == 1;
    bool pool = false;
    for (size_t k = u->first[norm]; k < u->first[norm + 1]; k++)
        pool |= fuser_is_pool(u, u->readings[k].node);
    return readers == 2 && pool;
}

/* The add that makes an input of `add` and that nobody else reads, or NOBODY: its arms are the
 * outer one's. */
static size_t fuser_inner(const struct fuser *u, size_t add)
{
    for (int slot = 0; slot < 2; slot++) {
        const size_t from = fuser_source(u, add, slot);
        if (fuser_is(u, from, &op_add) && fuser_only(u, from, &op_add) != NOBODY) return from;
    }
    return NOBODY;
}

static void fuser_arms(const struct fuser *u, size_t add, size_t inner, struct role *sum)
{
    for (int slot = 0; slot < 2; slot++)
        if (fuser_source(u, add, slot) != inner) sum->arms[sum->n_arms++] = fuser_arm(u, add, slot);
    for (int slot = 0; slot < 2 && inner != NOBODY; slot++)
        sum->arms[sum->n_arms++] = fuser_arm(u, inner, slot);
    for (int i = 0; i < sum->n_arms; i++) {
        struct arm arm = sum->arms[i];
        arm.deferred = fuser_defers(u, arm);
        int at = i;
        for (; at > 0 && (arm.deferred || arm.gate != NOBODY); at--) {
            const struct arm *before = &sum->arms[at - 1];
            if (before->deferred || before->gate != NOBODY) break;
            sum->arms[at] = *before;
        }
        sum->arms[at] = arm;
    }
}

/* add [-> relu], with the add inside it: the last node becomes the sum. */
static void fuser_find_sum(struct fuser *u, size_t add)
{
    const size_t relu = fuser_only(u, add, &op_relu), top = relu != NOBODY ? relu : add;
    const size_t inner = fuser_inner(u, add);
    struct role sum = u->roles[top];
    if (u->roles[add].gone) return;
    fuser_arms(u, add, inner, &sum);
    bool saves = relu != NOBODY;
    for (int i = 0; i < sum.n_arms; i++) {
        if (!fuser_alike(u, top, sum.arms[i].from)) return;
        saves |= sum.arms[i].deferred || sum.arms[i].gate != NOBODY;
    }
    if (!saves) return;
    sum.sum = true;
    sum.relu = relu != NOBODY;
    sum.adds[0] = add, sum.adds[1] = inner;
    u->roles[top] = sum;
    if (inner != NOBODY) u->roles[inner].gone = true;
    if (relu != NOBODY) u->roles[add].gone = true;
    for (int i = 0; i < sum.n_arms; i++) {
        struct role *from = &u->roles[sum.arms[i].from];
        if (sum.arms[i].scale != NOBODY) u->roles[sum.arms[i].scale].gone = true;
        if (!sum.arms[i].deferred) continue;
        from->norm = from->deferred = true;
        from->reader = top;
    }
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

/* A batch_norm that is no arm. */
static void fuser_find_norm(struct fuser *u, size_t norm)
{
    struct role *role = &u->roles[norm];
    if (role->norm || !fuser_alike(u, norm, fuser_source(u, norm, 0))) return;
    role->norm = true;
    const size_t relu = fuser_only(u, norm, &op_relu);
    if (relu == NOBODY || u->roles[relu].sum || !fuser_alike(u, norm, relu)) return;
    role->top = relu;
    u->roles[relu].gone = true;
    u->roles[relu].maker = norm;
    role->deferred = fuser_readers_norm(u, relu);
}

/* A global pool whose input is the output of a norm or a sum, the first such pool. */
static void fuser_find_squeeze(struct fuser *u, size_t pool)
{
    struct role *maker = &u->roles[u->roles[fuser_source(u, pool, 0)].maker];
    if (!(maker->norm || maker->sum) || maker->squeeze != NOBODY) return;
    if (maker->deferred || fuser_is(u, pool, &op_global_avg_pool)) maker->squeeze = pool;
}

static void fuser_find(struct fuser *u)
{
    const size_t n = u->r->n_nodes;
    u->roles = mem_new(n, sizeof *u->roles);
    for (size_t i = 0; i < n; i++)
        u->roles[i] = (struct role){ .top = i, .maker = i, .reader = NOBODY, .squeeze = NOBODY };
    for (size_t i = n; i-- > 0;) /* outer adds before those inside them */
        if (fuser_is(u, i, &op_add)) fuser_find_sum(u, i);
    for (size_t i = 0; i < n; i++)
        if (fuser_is(u, i, &op_batch_norm)) fuser_find_norm(u, i);
    for (size_t i = 0; i < n; i++)
        if (fuser_is_pool(u, i)) fuser_find_squeeze(u, i);
}

/* A copy of node i at the end of the run order, its inputs those that make its inputs' contents. */
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
        copy->call.in[j] = from ? &from->out : NULL; /* one that is gone: fuser_sum names others */
    }
    f->nodes[f->n_nodes++] = copy;
    return f->rewritten[i] = copy;
}

/* The convolution that leaves its sums for a norm: one that no other node reads. */
static struct node *fuser_conv(const struct fuser *u, size_t norm)
{
    const size_t conv = fuser_source(u, norm, 0);
    if (!fuser_is(u, conv, &op_conv2d) || fuser_only(u, conv, &op_batch_norm) == NOBODY)
        return NULL;
    return u->f->rewritten[conv];
}

static void fuser_norm(struct fuser *u, size_t i)
{
    const struct role *role = &u->roles[i];
    struct node *copy = fuser_copy(u, i), *conv = fuser_conv(u, i);
    struct fused_norm_attr *attr = pool_new(&u->f->pool, 1, sizeof *attr);
    const struct batch_norm_attr *plain = copy->call.attr;
    attr->momentum = batch_norm_momentum(plain);
    attr->epsilon = batch_norm_epsilon(plain);
    attr->relu = role->top != i;
    if (role->squeeze != NOBODY) {
        copy->call.links.squeezed = fused_norm_squeezed;
        attr->squeeze = fuser_is(u, role->squeeze, &op_global_avg_pool) ? SQUEEZE_AVG : SQUEEZE_MAX;
    }
    copy->op = &op_fused_batch_norm;
    copy->call.attr = attr;
    copy->out.producer = &copy->call;
    copy->out.deferred = role->deferred;
    if (conv) {
        copy->saved_writer = conv;
        copy->call.links.conv = &conv->call;
        conv->call.links.norm = &copy->call;
    }
    if (role->reader == NOBODY) copy->grad_alias = 1;
    u->f->rewritten[role->top] = copy;
}

/* May a plain arm have its gradient where the sum's is? The sum must be the first to reach it, and
 * nothing else may, its maker's backward included, before the norms of deferred arms have run. */
static bool fuser_shares(const struct fuser *u, size_t top, int arm)
{
    const struct role *sum = &u->roles[top];
    const struct arm *own = &sum->arms[arm];
    size_t before = top; /* what runs first of the sum and of those norms */
    if (own->deferred || own->gate != NOBODY || !u->r->nodes[own->from]->op) return false;
    for (int i = 0; i < sum->n_arms; i++) {
        const struct arm *other = &sum->arms[i];
        if (i != arm && other->from == own->from) return false;
        if (other->deferred && other->from < before) before = other->from;
    }
    if (own->from > before) return false;
    for (size_t k = u->first[own->from]; k < u->first[own->from + 1]; k++) {
        const size_t reader = u->readings[k].node;
        if (reader != sum->adds[0] && reader != sum->adds[1] && reader > before) return false;
    }
    return true;
}

static void fuser_sum(struct fuser *u, size_t top)
{
    const struct role *role = &u->roles[top];
    struct node *copy = fuser_copy(u, top);
    struct fused_sum_attr *attr = pool_new(&u->f->pool, 1, sizeof *attr);
    attr->relu = role->relu;
    copy->op = &op_fused_sum;
    copy->call.attr = attr;
    copy->out.producer = &copy->call;
    if (role->squeeze != NOBODY) copy->call.links.squeezed = fused_sum_squeezed;
    for (int j = 0; j < OP_INPUTS; j++) copy->call.in[j] = NULL;
    for (int arm = 0; arm < role->n_arms; arm++) {
        const struct arm *own = &role->arms[arm];
        struct node *source = u->f->rewritten[own->from];
        copy->call.in[ARM0 + arm] = &source->out;
        if (own->gate != NOBODY) copy->call.in[GATE0 + arm] = &u->f->rewritten[own->gate]->out;
        if (!copy->grad_alias && fuser_shares(u, top, arm)) copy->grad_alias = 1 + arm;
        if (!own->deferred) continue;
        source->call.links.sum = &copy->call;
        source->grad_source = copy;
    }
}

static void fuser_squeeze(struct fuser *u, size_t i)
{
    const struct role *maker = &u->roles[u->roles[fuser_source(u, i, 0)].maker];
    struct node *copy = fuser_copy(u, i);
    if (maker->squeeze != i) return;
    copy->op =
        fuser_is(u, i, &op_global_avg_pool) ? &op_fused_global_avg_pool : &op_fused_global_max_pool;
}

static void fuser_emit(struct fuser *u, size_t i)
{
    const struct role *role = &u->roles[i];
    if (role->gone) return;
    if (role->norm)
        fuser_norm(u, i);
    else if (role->sum)
        fuser_sum(u, i);
    else if (fuser_is_pool(u, i))
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
