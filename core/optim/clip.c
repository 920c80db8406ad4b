/* Gradient clipping by the joint norm (Pascanu et al. 2013). The sum of squares is cut into chunks
 * of a fixed length whose results are added in order, in double. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/optim/optim.h"
#include <math.h>
#include <stdlib.h>

enum { CLIP_CHUNK = 1 << 16 };

struct clip {
    float *gradients;
    size_t len;
    double *squares; /* of each chunk */
    float factor;
};

static size_t clip_len(const struct clip *c, size_t chunk)
{
    size_t left = c->len - chunk * CLIP_CHUNK;
    return left < CLIP_CHUNK ? left : CLIP_CHUNK;
}

static void clip_measure(void *ctx, size_t chunk)
{
    struct clip *c = ctx;
    c->squares[chunk] = kernels->sum_squares(c->gradients + chunk * CLIP_CHUNK, clip_len(c, chunk));
}

static void clip_scale(void *ctx, size_t chunk)
{
    struct clip *c = ctx;
    float *g = c->gradients + chunk * CLIP_CHUNK;
    for (size_t i = 0, n = clip_len(c, chunk); i < n; i++) g[i] *= c->factor;
}

double gradients_clip(struct graph *g, double max_norm)
{
    struct clip c = { .gradients = graph_gradients(g) };
    graph_weights(g, &c.len);
    size_t chunks = (c.len + CLIP_CHUNK - 1) / CLIP_CHUNK;
    c.squares = mem_new(chunks, sizeof *c.squares);
    parallel_for(chunks, clip_measure, &c);
    double sum = 0;
    for (size_t i = 0; i < chunks; i++) sum += c.squares[i];
    free(c.squares);
    double norm = sqrt(sum);
    if (isfinite(norm) && norm > max_norm) {
        c.factor = (float)(max_norm / norm);
        parallel_for(chunks, clip_scale, &c);
    }
    return norm;
}
