#ifndef CORE_KERNELS_VECTOR_MAPS_H
#define CORE_KERNELS_VECTOR_MAPS_H
#include <stdbool.h>
#include <stddef.h>

/* Passes over maps that are float or, in kernels->maps_bf16, bf16 (void *); part of struct kernels,
 * under the same rules. Whatever is added up is float, and rounded once. A target may be one of the
 * sources. With add a pass adds to its target, otherwise it writes it. */

/* y = a x + b z, n elements. */
struct mix_map {
    void *y;
    const void *x, *z;
    float a, b;
    size_t n;
};

/* dx = factor dy, n elements. */
struct pass_map {
    void *dx;
    const void *dy;
    float factor;
    size_t n;
    bool add;
};

/* y = min(max(x, 0), cap), n elements; and dx = dy where 0 < y < cap, 0 elsewhere. */
struct relu_map {
    void *y;
    const void *x;
    float cap; /* 0: none */
    size_t n;
};
struct relu_grad_map {
    void *dx;
    const void *dy, *y;
    float cap;
    size_t n;
    bool add;
};

/* y = max(x, z), n elements; and dx = dy where x > z, half of it where they are equal. */
struct max_map {
    void *y;
    const void *x, *z;
    size_t n;
};
struct max_grad_map {
    void *dx;
    const void *dy, *x, *z;
    size_t n;
    bool add;
};

/* y = gate x for rows of n elements that share one gate [n]; dx = gate dy is the same pass; and
 * dgate += dy x, row by row. */
struct gate_map {
    void *y;
    const void *x;
    const float *gate;
    size_t rows, n;
    bool add;
};
struct gate_grad_map {
    float *dgate;
    const void *dy, *x;
    size_t rows, n;
};

/* A rectangle of rows x columns pixels of c channels. */
struct window_map {
    const void *x; /* its first pixel */
    size_t rows, columns, c;
    size_t pitch; /* elements from a row of pixels to the next */
};

/* y [c] = the sum over the rectangle of share [rows][columns] times a pixel. */
struct window_sum {
    struct window_map w;
    void *y;
    const float *share;
    bool add;
};

/* y [c] = the maximum over the rectangle, NaN before all, and at [c] the number of the first pixel
 * that has it: first + width row + column. */
struct window_max {
    struct window_map w;
    void *y;
    float *at;
    size_t first, width;
};

/* dx [c] = the sum over the rectangle, of gradients of maxima, of those whose `at`, in float and in
 * the same places, is `number`. */
struct window_max_grad {
    struct window_map w;
    void *dx;
    const float *at; /* of the first pixel */
    size_t number;
    bool add;
};

struct map_kernels {
    void (*mix)(const struct mix_map *m);
    void (*pass)(const struct pass_map *m);
    void (*relu)(const struct relu_map *m);
    void (*relu_grad)(const struct relu_grad_map *m);
    void (*max)(const struct max_map *m);
    void (*max_grad)(const struct max_grad_map *m);
    void (*gate)(const struct gate_map *m);
    void (*gate_grad)(const struct gate_grad_map *m);
    void (*window_sum)(const struct window_sum *m);
    void (*window_max)(const struct window_max *m);
    void (*window_max_grad)(const struct window_max_grad *m);
};
#endif
