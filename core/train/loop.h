#ifndef CORE_TRAIN_LOOP_H
#define CORE_TRAIN_LOOP_H
#include "core/base/parallel.h"
#include "core/train/train.h"

/* What training and evaluation share. */

/* Copies a batch into the inputs of the network. */
void batch_load(const struct train_net *net, const struct batch *b);

struct loader *loader_for(const struct train_job *job, const struct data_view *view,
                          const struct augment_settings *augment);
#endif
