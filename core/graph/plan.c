/* Lifetimes to offsets. A step is a row of ticks: node i of n runs forward at tick i and
 * backward at tick 2n - 1 - i. Everything that is not a parameter is wanted from one tick to
 * another (a lifetime), and two lifetimes that share a tick never share memory. */
#include "core/graph/plan.h"
#include "core/base/mem.h"
#include "core/ops/op_call.h"
#include <stdlib.h>

struct lifetime {
    size_t *at; /* where its offset goes */
    size_t len, birth, death;
    size_t number;
};

struct planner {
    const struct plan_request *r;
    struct plan *plan;
    struct lifetime *lifetimes;
    size_t n_lifetimes;
    size_t *last_read; /* of a node's output; 0: nobody reads it */
    /* The same of the forward pass alone, and the first tick of the backward pass. */
    size_t *last_forward, *first_backward;
    size_t *works, *saves; /* of a node's forward; what it leaves for its backward */
};

enum {
    LIFETIMES_PER_NODE = 6, /* data twice, gradient, saved, work twice */
    RECOMPUTED =
        128 * 1024, /* elements of an image: an output larger than this that can be made again
                     * (op.recomputable) is not kept for the backward pass. Whether depends on the
                     * image alone, so that a larger batch never needs less memory. In a
                     * ResNet-50 at 224 x 224 this forgets the ends of the blocks of conv2_x to
                     * conv4_x: a fifth of the memory, for no time that could be measured. */
};

static size_t tick_backward(const struct planner *p, size_t i) { return 2 * p->r->n_nodes - 1 - i; }
static size_t tick_end(const struct planner *p) { return 2 * p->r->n_nodes; }

static void lifetime_add(struct planner *p, size_t *at, size_t len, size_t birth, size_t death)
{
    if (!len) return;
    p->lifetimes[p->n_lifetimes] =
        (struct lifetime){ at, mem_floats(len), birth, death, p->n_lifetimes };
    p->n_lifetimes++;
}

/* Floats that a tensor's contents take up. */
static size_t tensor_room(const struct tensor *t)
{
    return (tensor_bytes(t) + sizeof(float) - 1) / sizeof(float);
}

/* Which nodes the gradient reaches on its way back from the last one. */
static void plan_flow(struct planner *p)
{
    const struct plan_request *r = p->r;
    struct placement *placements = p->plan->placements;
    if (!r->training || !r->n_nodes) return;
    placements[r->n_nodes - 1].backward = r->nodes[r->n_nodes - 1]->wants_grad;
    for (size_t i = r->n_nodes; i-- > 0;) {
        if (!placements[i].backward) continue;
        for (int j = 0; j < OP_INPUTS; j++) {
            const struct tensor *in = r->nodes[i]->call.in[j];
            if (in && node_of(in)->wants_grad) placements[node_of(in)->index].backward = true;
        }
    }
}

/* Who reads a deferred output reads what it is worked out from, too. */
static void plan_read(struct planner *p, const struct tensor *t, size_t tick)
{
    const size_t i = node_of(t)->index;
    size_t *forward = &p->last_forward[i], *backward = &p->first_backward[i];
    if (p->last_read[i] < tick) p->last_read[i] = tick;
    if (tick < p->r->n_nodes && *forward < tick) *forward = tick;
    if (tick >= p->r->n_nodes && *backward > tick) *backward = tick;
    if (t->deferred) plan_read(p, t->producer->in[0], tick);
}

static void plan_reads(struct planner *p)
{
    const struct plan_request *r = p->r;
    for (size_t i = 0; i < r->n_nodes; i++) {
        const struct node *n = r->nodes[i];
        for (int j = 0; n->op && j < OP_INPUTS; j++) {
            if (!n->call.in[j]) continue;
            plan_read(p, n->call.in[j], i);
            if (p->plan->placements[i].backward && (n->op->backward_reads & READS_IN(j)))
                plan_read(p, n->call.in[j], tick_backward(p, i));
        }
    }
    for (struct tensor *const *k = r->keep; k && *k; k++) plan_read(p, *k, tick_end(p));
}

/* Which outputs are made again, and for which backward: the first that reads them, or that needs
 * them to make another one again. From the last node on, since readers follow what they read. */
static void plan_recompute(struct planner *p)
{
    const struct plan_request *r = p->r;
    for (size_t i = r->n_nodes; i-- > 0;) {
        const struct node *n = r->nodes[i];
        struct placement *place = &p->plan->placements[i];
        size_t tick = p->first_backward[i];
        if (!n->op || !n->op->recomputable || !place->backward || op_work(n->op, &n->call) ||
            tensor_len(&n->out) <= (size_t)RECOMPUTED * (size_t)n->out.n ||
            p->last_read[i] == tick_end(p) || tick >= tick_backward(p, i))
            continue;
        place->recompute_before = tick_backward(p, tick);
        for (int j = 0; j < OP_INPUTS; j++)
            if (n->call.in[j]) plan_read(p, n->call.in[j], tick);
    }
}

/* When the output of node i is first written: by itself, or by the first of its parts. */
static size_t plan_birth(const struct planner *p, size_t i)
{
    size_t birth = i;
    for (int j = 0; j < OP_INPUTS; j++) {
        const struct tensor *in = p->r->nodes[i]->call.in[j];
        if (in && node_of(in)->part_of == p->r->nodes[i] && node_of(in)->index < birth)
            birth = node_of(in)->index;
    }
    return birth;
}

/* Data live until the last call that reads them; inputs, what is kept and what nobody reads live
 * to the end. */
static void plan_data(struct planner *p)
{
    const struct plan_request *r = p->r;
    for (size_t i = 0; i < r->n_nodes; i++) {
        const struct node *n = r->nodes[i];
        size_t death = p->last_read[i];
        if (n->param || n->out.deferred || n->part_of) continue;
        bool own = n->op && p->plan->placements[i].backward && (n->op->backward_reads & READS_OUT);
        if (!n->op || !death)
            death = tick_end(p);
        else if (own && death < tick_backward(p, i))
            death = tick_backward(p, i);
        const bool whole = !n->op || r->slices->whole[i]; /* slices come back to the first node */
        const size_t birth = whole ? 0 : plan_birth(p, i);
        if (p->plan->placements[i].recompute_before != PLACE_NONE) {
            lifetime_add(p, &p->plan->placements[i].recompute_at, tensor_room(&n->out),
                         p->first_backward[i], death);
            death = p->last_forward[i];
        }
        lifetime_add(p, &p->plan->placements[i].data, tensor_room(&n->out), birth, death);
    }
}

/* The gradients of activations. Outputs that share one place have one owner, the first of them to
 * be reached; 0 in span: not reached yet. */
struct gradients {
    size_t *owner, *span; /* by node; span: 1 + index of the owner's span */
};

static void gradient_begin(struct planner *p, struct gradients *g, size_t i, size_t now)
{
    g->owner[i] = i;
    lifetime_add(p, &p->plan->placements[i].grad, tensor_room(&p->r->nodes[i]->out), now,
                 tick_backward(p, i));
    g->span[i] = p->n_lifetimes;
}

static void gradient_extend(struct planner *p, const struct gradients *g, size_t i, size_t death)
{
    struct lifetime *s = &p->lifetimes[g->span[g->owner[i]] - 1];
    if (s->death < death) s->death = death;
}

/* Backward of node i writes into the gradient of its input j. */
static void gradient_reach(struct planner *p, struct gradients *g, size_t i, int j)
{
    const struct node *n = p->r->nodes[i];
    struct placement *place = &p->plan->placements[i];
    if (!n->call.in[j]) return;
    const struct node *in = node_of(n->call.in[j]);
    if (!in->op || !p->plan->placements[in->index].backward || in->grad_source ||
        g->span[in->index])
        return;
    if (in->part_of && in->part_of != n) return; /* a squeeze; the concat brings it */
    if (n->grad_alias == j + 1 || in->part_of) {
        g->owner[in->index] = g->owner[i];
        g->span[in->index] = g->span[g->owner[i]];
        gradient_extend(p, g, in->index, tick_backward(p, in->index));
        return;
    }
    if (n->op->overwrites & READS_IN(j))
        place->fresh |= READS_IN(j);
    else
        place->zero |= READS_IN(j);
    gradient_begin(p, g, in->index, tick_backward(p, i));
}

/* The gradient of an activation lives from the first backward that reaches it to the backward of
 * the node that made it. */
static void plan_gradients(struct planner *p, struct gradients *g)
{
    const struct plan_request *r = p->r;
    for (size_t i = r->n_nodes; i-- > 0;) {
        const struct node *n = r->nodes[i];
        if (!n->op || !p->plan->placements[i].backward) continue;
        if (i == r->n_nodes - 1) gradient_begin(p, g, i, tick_backward(p, i));
        if (n->grad_source) gradient_extend(p, g, n->grad_source->index, tick_backward(p, i));
        for (int j = 0; j < OP_INPUTS; j++) gradient_reach(p, g, i, j);
    }
}

/* Raises what nodes have of work and saved memory to what they need as they are shown. */
static void plan_raise(struct planner *p)
{
    for (size_t i = 0; i < p->r->n_nodes; i++) {
        const struct node *n = p->r->nodes[i];
        const size_t work = n->op ? op_work(n->op, &n->call) : 0;
        const size_t saved = n->op && n->op->saved ? n->op->saved(&n->call) : 0;
        if (p->works[i] < work) p->works[i] = work;
        if (p->saves[i] < saved) p->saves[i] = saved;
        const size_t scratch = n->op && n->op->scratch ? n->op->scratch(&n->call) : 0;
        if (p->plan->scratch < scratch) p->plan->scratch = scratch;
    }
}

/* The same for the work of any slice of the batch. */
static void plan_raise_slices(struct planner *p)
{
    const struct plan_request *r = p->r;
    struct slice slice;
    for (int k = 0; slices_at(r->slices, k, &slice); k++) {
        if (k > 0 && slice.count == r->slices->each) continue; /* all but the last are alike */
        slice.first = 0;
        slices_enter(r->slices, r->nodes, slice);
        for (size_t i = 0; i < r->n_nodes; i++) {
            const struct node *n = r->nodes[i];
            const size_t own = r->slices->sliced[i] ? op_work(n->op, &n->call) : 0;
            if (p->works[i] < own) p->works[i] = own;
        }
        slices_leave(r->slices, r->nodes, slice);
    }
}

/* Fewer images can need more work: they are cut into more parts each. */
static void plan_needs(struct planner *p)
{
    const struct plan_request *r = p->r;
    plan_raise(p);
    plan_raise_slices(p);
    if (!r->training || !r->short_images) return;
    nodes_show(r->nodes, r->n_nodes, r->images, r->short_images);
    plan_raise(p);
    nodes_show(r->nodes, r->n_nodes, r->short_images, r->images);
}

static void plan_scratch(struct planner *p)
{
    plan_needs(p);
    for (size_t i = 0; i < p->r->n_nodes; i++) {
        const struct node *n = p->r->nodes[i];
        struct placement *place = &p->plan->placements[i];
        if (!n->op) continue;
        size_t back = tick_backward(p, i), death = place->backward ? back : i;
        size_t work = p->works[i];
        if ((n->out.deferred || n->call.links.squeezed) && death < p->last_read[i])
            death = p->last_read[i];
        lifetime_add(p, &place->saved, p->saves[i], n->saved_writer ? n->saved_writer->index : i,
                     death);
        lifetime_add(p, &place->work[PLACE_FORWARD], work, i, i);
        if (place->backward) lifetime_add(p, &place->work[PLACE_BACKWARD], work, back, back);
    }
}

/* Parameters, gradients and states: flat, at the start. */
static void plan_flat(struct planner *p)
{
    struct plan *plan = p->plan;
    size_t weights = p->r->weights_len;
    plan->weights = 0;
    plan->gradients = p->r->training ? weights : PLACE_NONE;
    plan->states = p->r->training ? 2 * weights : weights;
    plan->len = plan->states + p->r->states_len;
    for (size_t i = 0; i < p->r->n_nodes; i++) {
        const struct param *param = p->r->nodes[i]->param;
        if (!param) continue;
        bool state = param->kind == PARAM_STATE;
        plan->placements[i].data = (state ? plan->states : plan->weights) + param->at;
        if (!state && p->r->training) plan->placements[i].grad = plan->gradients + param->at;
    }
}

/* The free stretches below `top`, in the order of their offsets, no two of them touching. */
struct gap {
    size_t at, len;
};
struct gaps {
    struct gap *list;
    size_t count, room, top;
};

static void gap_remove(struct gaps *g, size_t i)
{
    for (g->count--; i < g->count; i++) g->list[i] = g->list[i + 1];
}

static void gap_insert(struct gaps *g, size_t i, struct gap gap)
{
    if (g->count == g->room) {
        g->room = 2 * g->room + 16;
        g->list = mem_grow(g->list, g->room, sizeof *g->list);
    }
    for (size_t k = g->count++; k > i; k--) g->list[k] = g->list[k - 1];
    g->list[i] = gap;
}

/* First fit; where nothing fits the top rises, from the start of a gap that touches it. */
static size_t gaps_take(struct gaps *g, size_t len)
{
    for (size_t i = 0; i < g->count; i++) {
        struct gap *gap = &g->list[i];
        bool last = gap->at + gap->len == g->top;
        if (gap->len < len && !last) continue;
        size_t at = gap->at;
        if (gap->len <= len) {
            if (at + len > g->top) g->top = at + len;
            gap_remove(g, i);
        } else {
            gap->at += len;
            gap->len -= len;
        }
        return at;
    }
    g->top += len;
    return g->top - len;
}

static void gaps_give(struct gaps *g, size_t at, size_t len)
{
    size_t i = 0;
    while (i < g->count && g->list[i].at < at) i++;
    bool below = i > 0 && g->list[i - 1].at + g->list[i - 1].len == at;
    bool above = i < g->count && at + len == g->list[i].at;
    if (below && above) {
        g->list[i - 1].len += len + g->list[i].len;
        gap_remove(g, i);
    } else if (below) {
        g->list[i - 1].len += len;
    } else if (above) {
        g->list[i].at = at;
        g->list[i].len += len;
    } else {
        gap_insert(g, i, (struct gap){ at, len });
    }
}

/* By birth, then the larger first: small lifetimes fit what is left over. */
static int lifetime_before(const void *a, const void *b)
{
    const struct lifetime *x = a, *y = b;
    if (x->birth != y->birth) return x->birth < y->birth ? -1 : 1;
    if (x->len != y->len) return x->len > y->len ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static int lifetime_ends_before(const void *a, const void *b)
{
    const struct lifetime *x = *(struct lifetime *const *)a, *y = *(struct lifetime *const *)b;
    if (x->death != y->death) return x->death < y->death ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Walks the ticks once: what has died gives its memory back before anything new takes some. */
static void plan_place(struct planner *p)
{
    struct gaps gaps = { NULL, 0, 0, 0 };
    struct lifetime **dying = mem_new(p->n_lifetimes, sizeof(struct lifetime *));
    qsort(p->lifetimes, p->n_lifetimes, sizeof *p->lifetimes, lifetime_before);
    for (size_t i = 0; i < p->n_lifetimes; i++) dying[i] = &p->lifetimes[i];
    qsort(dying, p->n_lifetimes, sizeof(struct lifetime *), lifetime_ends_before);
    size_t dead = 0, base = p->plan->len;
    for (size_t i = 0; i < p->n_lifetimes; i++) {
        struct lifetime *s = &p->lifetimes[i];
        for (; dying[dead]->death < s->birth; dead++)
            gaps_give(&gaps, *dying[dead]->at - base, dying[dead]->len);
        *s->at = base + gaps_take(&gaps, s->len);
    }
    p->plan->len = base + gaps.top;
    free(dying);
    free(gaps.list);
}

/* Memory that an evaluation uses. */
struct used {
    size_t at, len;
};

static int used_before(const void *a, const void *b)
{
    const struct used *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* Adds what node i uses to `list`, and returns how many there are then. */
static size_t used_by(const struct planner *p, size_t i, struct used *list, size_t n)
{
    const struct node *node = p->r->nodes[i];
    const struct placement *place = &p->plan->placements[i];
    const struct slices *s = p->r->slices;
    const bool part = s->sliced[i] && !s->whole[i]; /* its slices take turns in the first of them */
    const size_t room = tensor_room(&node->out), images = (size_t)s->images;
    struct used parts[] = {
        { place->data, part ? (room * (size_t)s->each + images - 1) / images : room },
        { place->saved, p->saves[i] },
        { place->work[PLACE_FORWARD], p->works[i] },
    };
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        if (parts[k].at != PLACE_NONE && parts[k].len)
            list[n++] = (struct used){ parts[k].at, mem_floats(parts[k].len) };
    return n;
}

/* What an evaluation leaves free of a step's memory, gradients first of all. */
static struct gaps plan_unused(const struct planner *p)
{
    struct used *list = mem_new(3 * p->r->n_nodes + 1, sizeof *list);
    struct gaps free_then = { NULL, 0, 0, p->plan->len };
    size_t n = 0, end = 0;
    for (size_t i = 0; i < p->r->n_nodes; i++) n = used_by(p, i, list, n);
    qsort(list, n, sizeof *list, used_before);
    list[n] = (struct used){ p->plan->len, 0 };
    for (size_t i = 0; i <= n; i++) {
        if (list[i].at > end)
            gap_insert(&free_then, free_then.count, (struct gap){ end, list[i].at - end });
        if (list[i].at + list[i].len > end) end = list[i].at + list[i].len;
    }
    free(list);
    return free_then;
}

/* What an evaluation prepares lies where it uses nothing else; behind all where that is too small.
 */
static void plan_prepared(struct planner *p)
{
    struct gaps gaps = plan_unused(p);
    for (size_t i = 0; i < p->r->n_nodes; i++) {
        const struct node *n = p->r->nodes[i];
        const size_t len = n->op && n->op->prepared ? n->op->prepared(&n->call) : 0;
        if (len) p->plan->placements[i].prepared = gaps_take(&gaps, mem_floats(len));
    }
    p->plan->len = gaps.top;
    free(gaps.list);
}

void plan_make(struct plan *plan, const struct plan_request *r)
{
    struct planner p = { .r = r, .plan = plan };
    plan->scratch = 0;
    plan->placements = mem_new(r->n_nodes, sizeof *plan->placements);
    for (size_t i = 0; i < r->n_nodes; i++)
        plan->placements[i] = (struct placement){ .data = PLACE_NONE,
                                                  .grad = PLACE_NONE,
                                                  .saved = PLACE_NONE,
                                                  .recompute_at = PLACE_NONE,
                                                  .recompute_before = PLACE_NONE,
                                                  .prepared = PLACE_NONE,
                                                  .work = { PLACE_NONE, PLACE_NONE } };
    p.lifetimes = mem_new(LIFETIMES_PER_NODE * r->n_nodes, sizeof *p.lifetimes);
    p.last_read = mem_new(r->n_nodes, sizeof *p.last_read);
    p.works = mem_new(r->n_nodes, sizeof *p.works);
    p.saves = mem_new(r->n_nodes, sizeof *p.saves);
    p.last_forward = mem_new(r->n_nodes, sizeof *p.last_forward);
    p.first_backward = mem_new(r->n_nodes, sizeof *p.first_backward);
    for (size_t i = 0; i < r->n_nodes; i++) p.first_backward[i] = tick_end(&p);
    struct gradients g = { mem_new(r->n_nodes, sizeof *g.owner),
                           mem_new(r->n_nodes, sizeof *g.span) };
    plan_flat(&p);
    plan_flow(&p);
    plan_reads(&p);
    plan_recompute(&p);
    plan_data(&p);
    plan_gradients(&p, &g);
    plan_scratch(&p);
    plan_place(&p);
    plan_prepared(&p);
    for (size_t i = 0; i < r->n_nodes; i++) {
        if (g.span[i]) plan->placements[i].grad = plan->placements[g.owner[i]].grad;
        if (r->nodes[i]->part_of)
            plan->placements[i].data = plan->placements[r->nodes[i]->part_of->index].data;
    }
    free(g.owner);
    free(g.span);
    free(p.last_read);
    free(p.last_forward);
    free(p.first_backward);
    free(p.works);
    free(p.saves);
    free(p.lifetimes);
}

void plan_clear(struct plan *p)
{
    free(p->placements);
    p->placements = NULL;
}
