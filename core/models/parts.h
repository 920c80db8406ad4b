#ifndef CORE_MODELS_PARTS_H
#define CORE_MODELS_PARTS_H
#include "core/models/model.h"

/* What families are written with, beyond the layers of core/nn. */

/* Channels times the network's width, at least one; and as many groups of whole channels. */
int channels_scaled(int channels, double width);
int channels_grouped(int channels, int groups, double width);

/* conv -> batch norm, under their two names. */
struct tensor *conv_bn(struct net *n, struct tensor *x, const char *conv, const char *bn,
                       struct conv_layer l);

/* Global average pool -> dropout -> a linear layer of this name: stage 0. */
struct tensor *classifier(struct net *n, struct tensor *x, const struct model_shape *s,
                          const char *name);

/* Refuses images that some layer would leave no pixel of. */
bool images_suffice(struct net *n, const struct tensor *images, int least, int halvings);
#endif
