#include "core/graph/slices.h"
#include "core/base/mem.h"
#include <stdlib.h>

enum {
    SLICE_BYTES = 4 << 20, /* of the largest output in a slice: it and its neighbours then stay in
                            * a third-level cache that is shared with others */
    SLICE_LEAST = 8        /* images: fewer would read the weights too often */
};

static bool slice_is_batch(const struct slices *s, const struct node *n)
{
    return !n->param && n->out.n == s->images && s->images > 1;
}

/* Whether each image of the output follows from the same image of the inputs. */
static bool slice_follows(const struct slices *s, const struct node *n)
{
    bool sliced = n->op && slice_is_batch(s, n);
    for (int j = 0; sliced && j < OP_INPUTS; j++) {
        const struct node *in = n->call.in[j] ? node_of(n->call.in[j]) : NULL;
        if (in && !in->param && !slice_is_batch(s, in)) sliced = false;
        if (in && in->op && !s->sliced[in->index]) sliced = false;
    }
    return sliced;
}

static int slice_images(const struct slices *s, struct node *const *nodes, size_t n_nodes)
{
    size_t largest = 1;
    for (size_t i = 0; i < n_nodes; i++) {
        const size_t image = s->sliced[i] ? tensor_bytes(&nodes[i]->out) / (size_t)s->images : 0;
        if (image > largest) largest = image;
    }
    const size_t fit = SLICE_BYTES / largest;
    const int most = fit < SLICE_LEAST ? SLICE_LEAST : fit > 1 << 20 ? 1 << 20 : (int)fit;
    const int slices = (s->images + most - 1) / most;
    return slices ? (s->images + slices - 1) / slices : 0;
}

/* Whether all sliced nodes run before all others, as lifetimes have it. */
static bool slices_lead(const struct slices *s, struct node *const *nodes)
{
    bool past = false;
    for (size_t i = 0; i < s->n_nodes; i++) {
        if (!nodes[i]->op) continue;
        if (past && s->sliced[i]) return false;
        past |= !s->sliced[i];
    }
    return true;
}

void slices_make(struct slices *s, struct node *const *nodes, size_t n_nodes,
                 struct tensor *const *keep)
{
    *s = (struct slices){ .n_nodes = n_nodes,
                          .sliced = mem_new(n_nodes, sizeof *s->sliced),
                          .whole = mem_new(n_nodes, sizeof *s->whole) };
    bool *read = mem_new(n_nodes, sizeof *read);
    for (size_t i = 0; i < n_nodes && !s->images; i++)
        if (!nodes[i]->op && !nodes[i]->param) s->images = nodes[i]->out.n;
    for (size_t i = 0; i < n_nodes; i++) {
        s->sliced[i] = slice_follows(s, nodes[i]);
        s->whole[i] = !nodes[i]->op && slice_is_batch(s, nodes[i]);
        for (int j = 0; nodes[i]->op && j < OP_INPUTS; j++) {
            if (!nodes[i]->call.in[j]) continue;
            const size_t in = node_of(nodes[i]->call.in[j])->index;
            read[in] = true;
            if (!s->sliced[i]) s->whole[in] |= s->sliced[in];
        }
    }
    for (size_t i = 0; i < n_nodes; i++) s->whole[i] |= s->sliced[i] && !read[i];
    for (struct tensor *const *k = keep; k && *k; k++)
        s->whole[node_of(*k)->index] |= s->sliced[node_of(*k)->index];
    for (size_t i = 0; i < n_nodes; i++) /* a part lies where its concat does */
        if (nodes[i]->part_of)
            s->whole[i] =
                s->whole[nodes[i]->part_of->index] || !s->sliced[nodes[i]->part_of->index];
    s->each = slice_images(s, nodes, n_nodes);
    free(read);
    if (s->each < s->images && slices_lead(s, nodes)) return;
    slices_clear(s);
    *s = (struct slices){ .n_nodes = n_nodes,
                          .sliced = mem_new(n_nodes, sizeof *s->sliced),
                          .whole = mem_new(n_nodes, sizeof *s->whole) };
}

void slices_clear(struct slices *s)
{
    free(s->sliced);
    free(s->whole);
    *s = (struct slices){ 0 };
}

bool slices_at(const struct slices *s, int k, struct slice *slice)
{
    slice->first = k * s->each;
    slice->count = s->images - slice->first < s->each ? s->images - slice->first : s->each;
    return slice->count > 0;
}

static void slice_move(struct tensor *t, int images)
{
    const size_t image = tensor_bytes(t) / (size_t)t->n / (size_t)t->c * tensor_pitch(t);
    if (t->data) t->data = (float *)(void *)((char *)t->data + (ptrdiff_t)image * images);
}

void slices_enter(const struct slices *s, struct node *const *nodes, struct slice slice)
{
    for (size_t i = 0; i < s->n_nodes; i++) {
        if (s->whole[i]) slice_move(&nodes[i]->out, slice.first);
        if (s->whole[i] || s->sliced[i]) nodes[i]->out.n = slice.count;
    }
}

void slices_leave(const struct slices *s, struct node *const *nodes, struct slice slice)
{
    for (size_t i = 0; i < s->n_nodes; i++) {
        if (s->whole[i]) slice_move(&nodes[i]->out, -slice.first);
        if (s->whole[i] || s->sliced[i]) nodes[i]->out.n = s->images;
    }
}
