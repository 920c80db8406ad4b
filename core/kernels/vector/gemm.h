#ifndef CORE_KERNELS_VECTOR_GEMM_H
#define CORE_KERNELS_VECTOR_GEMM_H
#include <stdbool.h>

/* C (m x n) = A (m x k) B (k x n) + (add ? C : 0), row-major with leading dimensions lda, ldb,
 * ldc; a_t, b_t: the operand is stored transposed. OpenBLAS, always on the calling thread only,
 * so that its own threading can never change a result. */
struct gemm {
    int m, n, k;
    const float *a, *b;
    float *c;
    int lda, ldb, ldc;
    bool a_t, b_t, add;
};
void gemm(const struct gemm *g);
#endif
