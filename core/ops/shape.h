#ifndef CORE_OPS_SHAPE_H
#define CORE_OPS_SHAPE_H
#include "core/ops/op.h"

/* Shapes, for the infer functions: set one, compare two, and name one in a message. */
static inline void shape_set(struct tensor *t, int n, int h, int w, int c)
{
    t->n = n, t->h = h, t->w = w, t->c = c;
}

static inline void shape_copy(struct tensor *t, const struct tensor *from)
{
    shape_set(t, from->n, from->h, from->w, from->c);
}

static inline bool shape_is(const struct tensor *t, int n, int h, int w, int c)
{
    return t->n == n && t->h == h && t->w == w && t->c == c;
}

static inline bool shape_same(const struct tensor *a, const struct tensor *b)
{
    return shape_is(a, b->n, b->h, b->w, b->c);
}

#define SHAPE "%dx%dx%dx%d"
#define SHAPE_OF(t) (t)->n, (t)->h, (t)->w, (t)->c
#endif
