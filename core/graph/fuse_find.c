#include "core/graph/fuse_find.h"
#include "core/ops/ops.h"
#include <stdlib.h>

static const struct node *fuser_input(const struct fuser *u, size_t i, int slot)
{
    const struct tensor *t = u->r->nodes[i]->call.in[slot];
    return t ? node_of(t) : NULL;
}

bool fuser_is(const struct fuser *u, size_t i, const struct op *op)
{
    return u->r->nodes[i]->op == op;
}

static size_t fuser_readers(const struct fuser *u, size_t i)
{
    return u->first[i + 1] - u->first[i];
}

size_t fuser_only(const struct fuser *u, size_t i, const struct op *op)
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

size_t fuser_source(const struct fuser *u, size_t i, int slot)
{
    return fuser_input(u, i, slot)->index;
}

bool fuser_is_pool(const struct fuser *u, size_t i)
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
    const double factor = add_scale(u->r->nodes[add]->call.attr, slot);
    struct arm arm = { fuser_source(u, add, slot), factor, NOBODY, NOBODY, false };
    const size_t scale = arm.from;
    if (fuser_only(u, scale, &op_add) == NOBODY || !fuser_is(u, scale, &op_scale_channels))
        return arm;
    const struct node *gate = fuser_input(u, scale, 1);
    if (gate->out.h != 1 || gate->out.w != 1 || !fuser_alike(u, scale, fuser_source(u, scale, 0)))
        return arm;
    return (struct arm){ fuser_source(u, scale, 0), factor, scale, gate->index, false };
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
    double outer = 1; /* the factor of the inner sum */
    for (int slot = 0; slot < 2; slot++) {
        const struct arm arm = fuser_arm(u, add, slot);
        if (fuser_source(u, add, slot) == inner)
            outer = arm.factor;
        else
            sum->arms[sum->n_arms++] = arm;
    }
    for (int slot = 0; slot < 2 && inner != NOBODY; slot++) {
        sum->arms[sum->n_arms] = fuser_arm(u, inner, slot);
        sum->arms[sum->n_arms++].factor *= outer;
    }
    for (int i = 0; i < sum->n_arms; i++) {
        struct arm arm = sum->arms[i];
        arm.deferred = fuser_defers(u, arm);
        int at = i;
        for (; at > 0 && fuser_scaled(&arm) && !fuser_scaled(&sum->arms[at - 1]); at--)
            sum->arms[at] = sum->arms[at - 1];
        sum->arms[at] = arm;
    }
}

/* Node i runs as part of the sum that `top` becomes. */
static void fuser_join(struct fuser *u, size_t i, size_t top)
{
    u->roles[i].gone = true;
    u->roles[i].runs_at = top;
}

/* add [-> relu], with the add inside it: the last node becomes the sum. */
static void fuser_find_sum(struct fuser *u, size_t add)
{
    const size_t relu = fuser_only(u, add, &op_relu), top = relu != NOBODY ? relu : add;
    const size_t inner = fuser_inner(u, add);
    struct role sum = u->roles[top];
    if (u->roles[add].gone) return;
    fuser_arms(u, add, inner, &sum);
    for (int i = 0; i < sum.n_arms; i++)
        if (!fuser_alike(u, top, sum.arms[i].from)) return;
    sum.sum = true;
    sum.relu = relu != NOBODY;
    u->roles[top] = sum;
    if (inner != NOBODY) fuser_join(u, inner, top);
    if (relu != NOBODY) fuser_join(u, add, top);
    for (int i = 0; i < sum.n_arms; i++) {
        struct role *from = &u->roles[sum.arms[i].from];
        if (sum.arms[i].scale != NOBODY) fuser_join(u, sum.arms[i].scale, top);
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
    size_t relu = fuser_only(u, norm, &op_relu);
    if (relu == NOBODY) relu = fuser_only(u, norm, &op_relu6);
    if (relu == NOBODY || u->roles[relu].sum || !fuser_alike(u, norm, relu)) return;
    role->top = relu;
    u->roles[relu].gone = true;
    u->roles[relu].maker = norm;
    role->deferred = fuser_readers_norm(u, relu);
}

/* The inputs of a concat that are norms nobody else reads are written where they belong. */
static void fuser_find_parts(struct fuser *u, size_t concat)
{
    for (int slot = 0; slot < OP_INPUTS && fuser_input(u, concat, slot); slot++) {
        const size_t from = fuser_source(u, concat, slot);
        struct role *maker = &u->roles[u->roles[from].maker];
        if (!maker->norm || maker->deferred || fuser_only(u, from, &op_concat) == NOBODY) continue;
        if (fuser_alike(u, concat, from)) maker->concat = concat;
    }
}

/* Whether a concat's squeeze can be that of its parts: all of them sum what they write. Something
 * else must read the concat, or it would have no gradient of its own. */
static bool fuser_sums_parts(const struct fuser *u, size_t concat)
{
    bool all = fuser_is(u, concat, &op_concat) && fuser_readers(u, concat) > 1;
    for (int slot = 0; all && slot < OP_INPUTS && fuser_input(u, concat, slot); slot++) {
        const struct role *maker = &u->roles[u->roles[fuser_source(u, concat, slot)].maker];
        all = maker->concat == concat && maker->squeeze == NOBODY;
    }
    return all;
}

/* A global pool whose input is the output of a norm or a sum, the first such pool. */
static void fuser_find_squeeze(struct fuser *u, size_t pool)
{
    const size_t from = fuser_source(u, pool, 0);
    struct role *maker = &u->roles[u->roles[from].maker];
    if (fuser_is(u, pool, &op_global_avg_pool) && fuser_sums_parts(u, from)) {
        maker->squeeze = pool;
        for (int slot = 0; slot < OP_INPUTS && fuser_input(u, from, slot); slot++)
            u->roles[u->roles[fuser_source(u, from, slot)].maker].squeeze = pool;
    }
    if (!(maker->norm || maker->sum) || maker->squeeze != NOBODY) return;
    if (maker->deferred || fuser_is(u, pool, &op_global_avg_pool)) maker->squeeze = pool;
}

void fuser_find(struct fuser *u)
{
    fuser_read(u);
    const size_t n = u->r->n_nodes;
    u->roles = mem_new(n, sizeof *u->roles);
    for (size_t i = 0; i < n; i++)
        u->roles[i] = (struct role){ .top = i,
                                     .maker = i,
                                     .runs_at = i,
                                     .reader = NOBODY,
                                     .concat = NOBODY,
                                     .squeeze = NOBODY };
    for (size_t i = n; i-- > 0;) /* outer adds before those inside them */
        if (fuser_is(u, i, &op_add)) fuser_find_sum(u, i);
    for (size_t i = 0; i < n; i++)
        if (fuser_is(u, i, &op_batch_norm)) fuser_find_norm(u, i);
    for (size_t i = 0; i < n; i++)
        if (fuser_is(u, i, &op_concat)) fuser_find_parts(u, i);
    for (size_t i = 0; i < n; i++)
        if (fuser_is_pool(u, i)) fuser_find_squeeze(u, i);
}

void fuser_clear(struct fuser *u)
{
    free(u->first);
    free(u->kept);
    free(u->readings);
    free(u->roles);
}
