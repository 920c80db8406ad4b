#ifndef TESTS_GOLDEN_CURVE_H
#define TESTS_GOLDEN_CURVE_H
#include "core/base/digest.h"
#include "tests/rig.h"

/* The short run, six steps an epoch, the last of 10 images, whose loss curve is compared with PyTorch's in tests/unit/test_curve.c. */
static const struct rig_request curve_small = {
    .format = "synthetic",
    .format_settings = { "size", "16", "classes", "6", "train", "90", "test", "16", "noise",
                         "0.3" },
    .backbone = "resnet8",
    .reduction = 4,
    .augment = true,
    .epochs = 4,
    .batch = 16,
    .lr = 0.05,
    .warmup_epochs = 1,
    .weight_decay = 5e-4,
    .label_smoothing = 0.1,
    .seed = 2,
};

/* What a step is told and what came of it; one for each batch of a run. */
struct curve {
    const struct rig *rig;
    struct digest *inputs; /* running digest of all batches */
    float *losses;
    int count;
};

/* The inputs and the loss stay readable after the step: watch.batch may look at them. */
static inline void curve_add(struct curve *c)
{
    const struct model_net *n = &c->rig->net;
    digest_add(c->inputs, n->images->data, tensor_len(n->images) * sizeof(float));
    digest_add(c->inputs, n->labels->data, tensor_len(n->labels) * sizeof(float));
    c->losses[c->count++] = n->loss->data[0];
}
#endif
