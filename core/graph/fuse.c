/* Rewrites the list of calls so that a step makes few memory passes (core/ops/fused.h says what the
 * new ops do). Four patterns, wherever a graph has them:
 * - norm: batch_norm [-> relu or relu6] becomes fused_batch_norm, which takes its sums from the
 * conv2d that makes its input, if one does. Its output is deferred where all readers are
 * convolutions or maximum pools (with the ReLU), or where it is an arm of the next pattern.
 * - sum: add [-> add] [-> relu] becomes fused_sum. An arm may be a deferred norm without a ReLU, or
 *   scale_channels of a norm or of any tensor; the adds' constant factors go with it.
 * - part: a fused_batch_norm that only a concat reads writes into its part of the concat's output.
 * - squeeze: the global pool of a deferred norm, and the global average pool of what a
 *   fused_batch_norm, a fused_sum, or the norms in all parts of a concat write.
 * What fits none stays as it was built. */
#include "core/graph/fuse_find.h"
#include "core/ops/ops.h"
#include <stdlib.h>
#include <string.h>

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
    attr->cap = fuser_is(u, role->top, &op_relu6) ? 6 : 0;
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
    if (role->reader == NOBODY && role->concat == NOBODY) copy->grad_alias = 1;
    u->f->rewritten[role->top] = copy;
}

/* May a plain arm have its gradient where the sum's is? The sum must be the first to reach it, and
 * nothing else may, its maker's backward included, before the norms of deferred arms have run. */
static bool fuser_shares(const struct fuser *u, size_t top, int arm)
{
    const struct role *sum = &u->roles[top];
    const struct arm *own = &sum->arms[arm];
    size_t before = top; /* what runs first of the sum and of those norms */
    if (fuser_scaled(own) || !u->r->nodes[own->from]->op) return false;
    for (int i = 0; i < sum->n_arms; i++) {
        const struct arm *other = &sum->arms[i];
        if (i != arm && other->from == own->from) return false;
        if (other->deferred && other->from < before) before = other->from;
    }
    if (own->from > before) return false;
    for (size_t k = u->first[own->from]; k < u->first[own->from + 1]; k++) {
        const size_t reader = u->roles[u->readings[k].node].runs_at;
        if (reader != top && reader > before) return false;
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
        attr->factor[arm] = (float)own->factor;
        copy->call.in[ARM0 + arm] = &source->out;
        if (own->gate != NOBODY) copy->call.in[GATE0 + arm] = &u->f->rewritten[own->gate]->out;
        if (!copy->grad_alias && fuser_shares(u, top, arm)) copy->grad_alias = 1 + arm;
        if (!own->deferred) continue;
        source->call.links.sum = &copy->call;
        source->grad_source = copy;
    }
}

/* A concat tells its parts where they are. */
static void fuser_concat(struct fuser *u, size_t i)
{
    struct node *copy = fuser_copy(u, i);
    int first = 0;
    for (int slot = 0; slot < OP_INPUTS && copy->call.in[slot]; slot++) {
        struct node *from = node_of(copy->call.in[slot]);
        if (u->roles[u->roles[fuser_source(u, i, slot)].maker].concat == i) {
            from->part_of = copy;
            from->part_at = first;
            from->out.pitch = copy->out.c;
        }
        first += from->out.c;
    }
}

static void fuser_squeeze(struct fuser *u, size_t i)
{
    const size_t from = fuser_source(u, i, 0);
    const struct role *maker = &u->roles[u->roles[from].maker];
    struct node *copy = fuser_copy(u, i);
    if (maker->squeeze != i) return;
    if (fuser_is(u, from, &op_concat))
        memcpy(copy->call.in, u->f->rewritten[from]->call.in, sizeof copy->call.in);
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
    else if (fuser_is(u, i, &op_concat))
        fuser_concat(u, i);
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
    fuser_find(&u);
    for (size_t i = 0; i < r->n_nodes; i++) fuser_emit(&u, i);
    fuser_clear(&u);
}

void fuse_clear(struct fusion *f)
{
    free(f->nodes);
    free(f->rewritten);
    pool_clear(&f->pool);
    *f = (struct fusion){ .nodes = NULL };
}
