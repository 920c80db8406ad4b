#include "core/kernels/vector/gemm.h"
#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#define LIBRARY "libopenblas.so.0"

static struct {
    __typeof__(cblas_sgemm) *sgemm;
    __typeof__(openblas_get_config) *config;
    struct err missing;
} openblas;

/* POSIX lets a function's address pass through a pointer to data. */
static void symbol_find(void *library, const char *name, void *into)
{
    *(void **)into = dlsym(library, name);
}

/* Its threads would start as it is loaded, and wait for ever where memory for them is not had. */
static void gemm_begin(void)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        err_set(&openblas.missing, "the reference path multiplies with OpenBLAS: %s", dlerror());
        return;
    }
    symbol_find(library, "openblas_get_config", &openblas.config);
    symbol_find(library, "cblas_sgemm", &openblas.sgemm);
    if (!openblas.sgemm || !openblas.config)
        err_set(&openblas.missing, "%s: holds no cblas_sgemm or openblas_get_config", LIBRARY);
}

bool gemm_open(struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, gemm_begin);
    return (openblas.sgemm && openblas.config) || err_set(e, "%s", openblas.missing.text);
}

const char *gemm_library(void) { return openblas.config ? openblas.config() : NULL; }

void gemm(const struct gemm *g)
{
    struct err e;
    BUG_IF(!gemm_open(&e), "%s", e.text);
    openblas.sgemm(CblasRowMajor, g->a_t ? CblasTrans : CblasNoTrans,
                   g->b_t ? CblasTrans : CblasNoTrans, g->m, g->n, g->k, 1.0f, g->a, g->lda, g->b,
                   g->ldb, g->add ? 1.0f : 0.0f, g->c, g->ldc);
}
