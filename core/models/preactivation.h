#ifndef CORE_MODELS_PREACTIVATION_H
#define CORE_MODELS_PREACTIVATION_H
#include "core/models/parts.h"

/* The residual unit with batch norm and ReLU before each convolution and nothing after the sum (He
 * et al. 2016, arXiv 1603.05027), as pre-activation and wide ResNets have it. SE blocks: standard
 * and conv3x3 are within the branch, behind its last convolution and before it; identity gates what
 * the shortcut gives, post the sum. Pre gates x for the branch, before bn1; a shortcut that is x
 * itself passes it by, and a projection reads what it always reads, relu(bn1(...)), now of the
 * gated x: one norm cannot follow two inputs. */
struct preactivation_unit {
    const char *name; /* layer1.0: parameters are layer1.0.bn1.weight, layer1.0.conv1.weight, ... */
    bool bottleneck;  /* 1x1, 3x3, 1x1; otherwise two 3x3 */
    int inner, out;   /* channels of the layers before the last; of the unit */
    int stride;
    int stride_in, shortcut; /* as in residual.h; the last one's projection reads relu(bn1(x)) */
    double dropout;          /* before the last convolution */
};
struct tensor *preactivation_unit(struct net *n, struct tensor *x,
                                  const struct preactivation_unit *u);

/* Stage 1 for CIFAR: conv1 alone. And what follows the last unit: norm, ReLU, the classifier. */
struct tensor *preactivation_stem(struct net *n, struct tensor *images, int channels);
struct tensor *preactivation_head(struct net *n, struct tensor *x, const struct model_shape *s);
#endif
