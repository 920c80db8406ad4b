#ifndef CORE_GRAPH_SLICES_H
#define CORE_GRAPH_SLICES_H
#include "core/graph/node.h"

/* An evaluation treats every image alone, so it may take the batch a few images at a time: what one
 * call writes is then still in the cache when the next one reads it. A node is sliced where its
 * output has an item for each image of the batch; the others (the loss) run once, at the end, and
 * what they read, like what is kept, is written whole. */
struct slices {
    size_t n_nodes;
    int images, each; /* in the batch, in a slice; 0: everything runs once, as built */
    bool *sliced;     /* by node */
    bool *whole;      /* by node: each slice has its own place in the output */
};

struct slice {
    int first, count; /* images of the batch */
};

void slices_make(struct slices *s, struct node *const *nodes, size_t n_nodes,
                 struct tensor *const *keep);
void slices_clear(struct slices *s);

/* The k-th slice: false past the last. */
bool slices_at(const struct slices *s, int k, struct slice *slice);

/* Shows nodes the images of a slice alone; and the whole batch again. */
void slices_enter(const struct slices *s, struct node *const *nodes, struct slice slice);
void slices_leave(const struct slices *s, struct node *const *nodes, struct slice slice);
#endif
