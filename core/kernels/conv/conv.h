#ifndef CORE_KERNELS_CONV_CONV_H
#define CORE_KERNELS_CONV_CONV_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Convolutions of NHWC tensors of float or bf16 (core/kernels/vector/bf16.h). Weights, their
 * gradients and all sums are float. Weights are (kh, kw, c / groups, k), k fastest. Where x is
 * bf16, weights may be rounded to bf16 before they are multiplied. */
struct conv_shape {
    int n, h, w, c;        /* input: images, rows, columns, channels */
    int k, kh, kw;         /* output channels, kernel rows and columns */
    int stride, groups;    /* stride: the same in both directions */
    int pad_top, pad_left; /* zeros above and left of the input */
    int oh, ow; /* output rows and columns; those that see pixels below or right of the input see
                 * zeros: oh = (h + pad_top + pad_bottom - kh) / stride + 1 */
    bool bf16_x, bf16_y; /* x and dx are bf16; y and dy are */
    bool pairs;          /* bf16 is multiplied as such; conv_bf16_dot sets it for itself */
};

/* The tensors of one call, and what is fused around the convolution. A pass reads the fields it
 * names; every other field, and every optional one, may stay zero: that is the plain case. */
struct conv_call {
    const void *x;  /* [n][h][w][c]                 forward, backward_weights */
    const float *w; /* [kh][kw][c / groups][k]      forward, backward_data */
    const void *dy; /* [n][oh][ow][k]               backward_data, backward_weights */
    void *y;        /* [n][oh][ow][k]    written by forward */
    void *dx;       /* [n][h][w][c]      += by backward_data */
    float *dw;      /* like w            += by backward_weights */
    float *work;    /* conv_work(s) floats, of use within the call only */

    const float *bias;  /* forward: [k], added to y; or NULL */
    bool relu;          /* forward, where conv_folds_batch_norm: y = relu(y) at last, cap at
                         * most; without sums */
    float cap;          /* 0: none */
    const void *packed; /* w as conv_pack laid it out for this pass, or NULL; where it
                         * is given, w may not be read */
    const float *in_scale, *in_shift; /* [c], both or none: x stands for relu(in_scale x +
                                       * in_shift), in_cap at most; padding stays 0. forward,
                                       * backward_weights */
    float in_cap;                     /* 0: none */
    float *sums, *squares;            /* [n][k], both or none: forward writes the sums of y and y^2
                                       * over the pixels of each image */
    bool overwrite;                   /* backward_data: dx = instead of dx += */
};

/* What is told of rows and columns alike. */
enum conv_axis { CONV_ROWS, CONV_COLUMNS };
static inline int conv_kernel(const struct conv_shape *s, enum conv_axis axis)
{
    return axis == CONV_ROWS ? s->kh : s->kw;
}
static inline int conv_pad(const struct conv_shape *s, enum conv_axis axis)
{
    return axis == CONV_ROWS ? s->pad_top : s->pad_left;
}

enum conv_pass { CONV_FORWARD, CONV_BACKWARD_DATA, CONV_BACKWARD_WEIGHTS };

/* Weights to be laid out in the order in which a pass reads them. */
struct conv_packing {
    enum conv_pass pass;
    const float *w;     /* [kh][kw][c / groups][k] */
    const float *scale; /* forward: [k], or NULL: output channel j stands for scale[j] times it */
    void *packed;       /* conv_packed(s, pass) floats */
};

/* One algorithm. Work is cut into chunks by the shape alone and partial sums are added in a fixed
 * order: the bits do not depend on the number of threads. */
struct conv_algorithm {
    const char *name;
    bool (*supports)(const struct conv_shape *s); /* NULL: every shape */
    /* Of those, the ones whose bf16 tensors it reads and writes itself. Around the others conv.c
     * converts. NULL: none. */
    bool (*supports_bf16)(const struct conv_shape *s);
    /* false: not worth it on the instruction set in use; used only when asked for by name. NULL:
     * worth it on all. */
    bool (*preferred)(void);
    size_t (*work)(const struct conv_shape *s); /* floats that any pass needs in work; NULL: 0 */
    /* floats that any pass needs of parallel_scratch, but for what is a few rows of weights; of c,
     * whether there is an in_scale counts. NULL: few */
    size_t (*scratch)(const struct conv_shape *s, const struct conv_call *c);
    /* Weights in the order in which a pass reads them. packed: room, in floats, 0 where the pass
     * takes w as it is. As for work, the count holds while the instruction set in use stays the
     * same. Both NULL: no pass packs. */
    size_t (*packed)(const struct conv_shape *s, enum conv_pass pass);
    void (*pack)(const struct conv_shape *s, const struct conv_packing *p);
    /* Multiply-adds that a pass executes; NULL: as many as the definition has. */
    uint64_t (*macs_executed)(const struct conv_shape *s);
    /* Knows conv_packing.scale and relu; NULL: no. */
    bool (*folds_batch_norm)(const struct conv_shape *s);
    bool fuses_batch_norm; /* knows in_scale, sums, overwrite; false: conv.c does them around it */
    void (*forward)(const struct conv_shape *s, const struct conv_call *c);
    void (*backward_data)(const struct conv_shape *s, const struct conv_call *c);
    void (*backward_weights)(const struct conv_shape *s, const struct conv_call *c);
};

/* The passes, by the best algorithm for the shape. */
size_t conv_work(const struct conv_shape *s);
size_t conv_scratch(const struct conv_shape *s,
                    bool in_scale); /* of a thread, conv_algorithm.scratch
                                     */
void conv_forward(const struct conv_shape *s, const struct conv_call *c);
void conv_backward_data(const struct conv_shape *s, const struct conv_call *c);
void conv_backward_weights(const struct conv_shape *s, const struct conv_call *c);

/* Multiply-adds of a pass: by definition, and as the algorithm in use carries them out. */
uint64_t conv_macs(const struct conv_shape *s);
uint64_t conv_macs_executed(const struct conv_shape *s);

/* For a caller that uses the same weights in several calls: floats of a pass's packed weights, 0
 * where it takes w as it is (give no packed then), and packing them. */
size_t conv_packed(const struct conv_shape *s, enum conv_pass pass);
void conv_pack(const struct conv_shape *s, const struct conv_packing *p);

/* Whether a forward pass takes in what follows it in an evaluation: scales in packed weights, and
 * the ReLU. */
bool conv_folds_batch_norm(const struct conv_shape *s);

/* im2col and OpenBLAS: every shape of float, on every machine. The yardstick of all others. */
extern const struct conv_algorithm conv_reference;

/* 3x3 kernels of stride 1 with a quarter of the products (winograd/transforms.h). Rounds
 * differently. */
extern const struct conv_algorithm conv_winograd;

/* Register tiles straight over rows of pixels, for the instruction set in use (kernels_use). bf16
 * is widened on the way in and narrowed on the way out. */
extern const struct conv_algorithm conv_direct;

/* The same tiles over pairs of bf16, weights rounded to it: twice the products an instruction where
 * the CPU multiplies bf16. The other instruction sets compute the same in more instructions than
 * floats take, so there it serves those who name it. */
extern const struct conv_algorithm conv_bf16_dot;

/* The best for this shape, unless conv_use named one that takes it. */
const struct conv_algorithm *conv_for(const struct conv_shape *s);
bool conv_use(const char *name); /* NULL: the best again; false where there is none of that name */

/* The i-th algorithm, best first; NULL past the end. The last is always conv_reference. */
const struct conv_algorithm *conv_algorithm_at(int i);
#endif
