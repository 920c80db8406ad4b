#ifndef CORE_OPS_ATTRS_H
#define CORE_OPS_ATTRS_H
#include <stdbool.h>

/* The parameter structs. Zero is the usual value of every field unless it says otherwise. */
struct padding {                  /* rows and columns of zeros around an image */
    int top, bottom, left, right; /* bottom, right below 0: pixels there that nothing reads */
};
#define PADDING(all)       \
    {                      \
        all, all, all, all \
    }
struct conv2d_attr {
    int stride; /* 0 reads as 1 */
    struct padding pad;
    int groups; /* 0 reads as 1 */
};
struct batch_norm_attr {      /* momentum and epsilon are PyTorch's defaults: 0.1 and 1e-5 */
    double momentum, epsilon; /* 0 reads as the default */
};
double batch_norm_momentum(const struct batch_norm_attr *a); /* what they read as; a may be NULL */
double batch_norm_epsilon(const struct batch_norm_attr *a);
/* running += momentum (batch - running), one channel's statistic */
void batch_norm_move(float *running, double batch, double momentum);
struct add_attr {
    double scale[2]; /* of the inputs; 0 reads as 1 */
};
double add_scale(const struct add_attr *a, int input); /* what it reads as; a may be NULL */
struct channel_shuffle_attr {
    int groups;
};
struct pool_attr {
    int size, stride; /* of a square window; stride 0 reads as size */
    int pad;          /* max: cells that do not exist; avg: zeros that count, as in PyTorch */
    bool ceil;        /* a last window that is not whole counts, if it begins before the padding at
                       * the end (PyTorch, Caffe); what is past that padding does not exist */
    bool exclude_pad; /* avg: padding does not exist, either: divided by the pixels there are */
};
/* What the gradient's share is (Gastaldi 2017): drawn anew, one half, or the output's. */
enum shake_backward { SHAKE_SHAKE, SHAKE_EVEN, SHAKE_KEEP };
struct shake_attr {
    enum shake_backward backward;
    bool batch; /* one share for all images of a step, not one for each */
};
struct dropout_attr {
    double rate; /* share of activations that become 0; the others are scaled by 1 / (1 - rate) */
};
struct softmax_loss_attr {
    double smoothing; /* label smoothing epsilon (Szegedy et al. 2016): 1 - e + e/K on the label */
};
struct pad_channels_attr { /* the parameter-free shortcut (He et al. 2016, option A): */
    int channels; /* subsample by stride, then zero channels on both sides up to this many */
    int stride;   /* 0 reads as 1 */
};
#endif
