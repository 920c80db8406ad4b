#ifndef CORE_KERNELS_VECTOR_GEMM_H
#define CORE_KERNELS_VECTOR_GEMM_H
#include "core/base/err.h"
#include <stdbool.h>

/* C (m x n) = A (m x k) B (k x n) + (add ? C : 0), row-major with leading dimensions lda, ldb,
 * ldc; a_t, b_t: the operand is stored transposed.
 *
 * For the reference convolution only. OpenBLAS picks its kernels by the processor it finds, so that
 * the bits of a product depend on more than the instruction set in use; what training multiplies
 * goes through the register tiles (tiles.h, matmul.h). It runs on the calling thread alone, so
 * that its own threads change no result. It is loaded when it is first asked for: no other command
 * pays for it, in memory or threads. */
struct gemm {
    int m, n, k;
    const float *a, *b;
    float *c;
    int lda, ldb, ldc;
    bool a_t, b_t, add;
};
void gemm(const struct gemm *g);

/* Loads OpenBLAS; false with e filled where that cannot be. Before gemm, whose caller has no e. */
bool gemm_open(struct err *e);
const char *gemm_library(void); /* its version and configuration; NULL: not loaded */
#endif
