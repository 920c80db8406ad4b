#include "core/kernels/vector/gemm.h"
#include <cblas.h>
#include <pthread.h>

static void gemm_begin(void) { openblas_set_num_threads(1); }

void gemm(const struct gemm *g)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, gemm_begin);
    cblas_sgemm(CblasRowMajor, g->a_t ? CblasTrans : CblasNoTrans,
                g->b_t ? CblasTrans : CblasNoTrans, g->m, g->n, g->k, 1.0f, g->a, g->lda, g->b,
                g->ldb, g->add ? 1.0f : 0.0f, g->c, g->ldc);
}
