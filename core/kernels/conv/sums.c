/* The sums of a forward pass's output over the pixels of each image, from its row blocks' sums. */
#include "core/kernels/conv/sums.h"
#include "core/base/parallel.h"
#include <string.h>

struct sums {
    const struct conv_shape *s;
    const struct conv_call *call;
    const float *partial;
    int row_blocks;
};

static void sums_image(void *ctx, size_t image)
{
    const struct sums *a = ctx;
    const size_t k = (size_t)a->s->k;
    const float *p = a->partial + image * (size_t)a->row_blocks * 2 * k;
    float *sums = a->call->sums + image * k, *squares = a->call->squares + image * k;
    memcpy(sums, p, k * sizeof *sums);
    memcpy(squares, p + k, k * sizeof *squares);
    for (int b = 1; b < a->row_blocks; b++) {
        p += 2 * k;
        for (size_t i = 0; i < k; i++) sums[i] += p[i], squares[i] += p[k + i];
    }
}

void direct_add_sums(const struct conv_shape *s, const struct conv_call *c, const float *partial,
                     int row_blocks)
{
    parallel_for((size_t)s->n, sums_image, &(struct sums){ s, c, partial, row_blocks });
}
