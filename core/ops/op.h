#ifndef CORE_OPS_OP_H
#define CORE_OPS_OP_H
#include "core/base/err.h"
#include "core/base/text.h"
#include "core/kernels/vector/bf16.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OP_INPUTS = 8 };

struct op_call;

/* NHWC, float32 or bf16. A vector per image is h = w = 1. Convolution weights (kh, kw, in / groups,
 * out) and linear weights (1, 1, in, out) sit in n, h, w, c. grad is NULL where nobody wants it. */
struct tensor {
    int n, h, w, c;
    float *data, *grad; /* where bf16 is set, of bf16: reach them by tensor_data, tensor_grad */
    bool bf16;          /* stored as bf16 (core/kernels/vector/bf16.h); set by planning a graph */
    /* Of a fused step (core/ops/fused.h): */
    const struct op_call *producer; /* the fused call that makes it, or NULL */
    int pitch;     /* channels from a pixel to the next where contents and gradient are a part of a
                    * wider     tensor's: only fused calls and the concat that it is a part of meet it;
                    * 0: c
                    */
    bool deferred; /* the contents are never written, data is NULL: readers work them out from the
                    * producer's input */
};

static inline size_t tensor_len(const struct tensor *t)
{
    return (size_t)t->n * (size_t)t->h * (size_t)t->w * (size_t)t->c;
}

/* Elements from a pixel to the next. */
static inline size_t tensor_pitch(const struct tensor *t)
{
    return (size_t)(t->pitch ? t->pitch : t->c);
}

static inline size_t tensor_pixels(const struct tensor *t)
{
    return (size_t)t->n * (size_t)t->h * (size_t)t->w;
}

static inline size_t tensor_bytes(const struct tensor *t)
{
    return tensor_len(t) * (t->bf16 ? 2 : sizeof(float));
}

/* Where element i of the contents, of the gradient, is: a float or a bf16. */
static inline void *tensor_data(const struct tensor *t, size_t i)
{
    return (char *)t->data + i * (t->bf16 ? 2 : sizeof(float));
}

static inline void *tensor_grad(const struct tensor *t, size_t i)
{
    return (char *)t->grad + i * (t->bf16 ? 2 : sizeof(float));
}

/* One element of either. */
static inline float tensor_value(const struct tensor *t, size_t i)
{
    return t->bf16 ? bf16_value(((const bf16 *)tensor_data(t, 0))[i]) : t->data[i];
}

static inline void tensor_grad_add(const struct tensor *t, size_t i, float more)
{
    bf16 *narrow = tensor_grad(t, 0);
    if (t->bf16)
        narrow[i] = bf16_of(bf16_value(narrow[i]) + more);
    else
        t->grad[i] += more;
}

/* What all calls of a step share. */
struct step {
    bool training;  /* batch statistics and dropout, or running statistics and none */
    uint64_t seed;  /* of the run */
    uint64_t index; /* of the step in the run: dropout draws by (seed, index) */
    int images;     /* of a training step: those of the batch, or graph_short of them; 0: all */
};

/* Where a squeeze finds the sums over the pixels of what it squeezes, and leaves its gradient. */
struct squeeze_sums {
    float *sum;         /* [n][c], of the tensor or, where a is given, of the u of a u + b */
    const float *a, *b; /* [c] or NULL */
    float *grad;        /* [n][c], for each pixel alike */
};

/* Who works with whom in a fused step beyond what inputs and outputs show; the figure in fused.h.
 * Set by core/graph/fuse.c, all NULL in a plain step. */
struct fusion_links {
    const struct op_call *norm; /* of a conv2d: the fused_batch_norm that reads its output */
    const struct op_call *conv; /* of a fused_batch_norm: the conv2d that makes u, and its sums */
    const struct op_call *sum;  /* of a fused_batch_norm: the fused_sum that reads its deferred y */
    /* of a call whose output a fused squeeze reads: its sums; NULL: no squeeze does */
    struct squeeze_sums (*squeezed)(const struct op_call *c);
};

struct op_call {
    struct tensor *in[OP_INPUTS]; /* NULL where an optional input is not given */
    struct tensor *out;
    const void *attr; /* the op's parameter struct, or NULL */
    float *saved;     /* what forward leaves for backward: op->saved floats */
    float *work;      /* op->work floats, of use within one call only */
    float *prepared;  /* in an evaluation, op->prepared floats that op->prepare filled; or NULL */
    const struct step *step;
    const char *name; /* of the node; keys the dropout stream */
    struct fusion_links links;
    unsigned fresh; /* bit i: the gradient of input i holds nothing yet, and an op that overwrites
                     * writes it instead of adding */
};

/* backward_reads: which contents backward needs. All others may be gone by then. */
#define READS_IN(i) (1u << (i))
#define READS_OUT (1u << OP_INPUTS)

/* All that the graph knows of an operation. Two contracts: backward ADDS into each gradient of an
 * input (but see fresh); a NULL gradient means that nobody wants it. */
struct op {
    const char *name;
    int n_in, n_optional; /* inputs that must be given, and that may follow them */
    size_t attr_size;     /* of the parameter struct, 0 where it takes none */
    unsigned backward_reads;
    unsigned overwrites; /* READS_IN bits: inputs whose fresh gradient backward overwrites; the
                          * graph zeroes all others */
    bool recomputable;   /* forward is one cheap pass over what backward reads anyway, and leaves
                          * nothing but out: a large output may be forgotten and made again */
    unsigned bf16;       /* READS_IN and READS_OUT bits: tensors that the op takes as bf16. Around
                          * one that it does not, op_forward and op_backward go through float */
    bool bf16_alike;     /* those are taken as bf16 only where all of them are */
    bool (*infer)(struct op_call *c, struct err *e); /* sets out's shape, or refuses its inputs */
    size_t (*saved)(const struct op_call *c);        /* NULL: 0 */
    size_t (*work)(const struct op_call *c);         /* NULL: 0 */
    /* floats of parallel_scratch that a thread needs in a call; NULL: a few channels of floats */
    size_t (*scratch)(const struct op_call *c);
    /* What an evaluation works out from parameters once, for all slices of the batch; both or
     * neither. */
    size_t (*prepared)(const struct op_call *c);
    void (*prepare)(const struct op_call *c);
    void (*forward)(const struct op_call *c);  /* writes out->data */
    void (*backward)(const struct op_call *c); /* NULL: has no gradient */
    uint64_t (*macs)(const struct op_call *c); /* multiply-adds for the whole batch; NULL: 0 */
    /* multiply-adds that the kernel in use executes (Winograd: fewer than macs); NULL: all */
    uint64_t (*macs_executed)(const struct op_call *c);
    void (*describe)(const struct op_call *c,
                     struct text *t); /* its parameters, canonical; NULL: none */
};
#endif
