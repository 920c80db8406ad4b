#ifndef CORE_OPS_DRAW_H
#define CORE_OPS_DRAW_H
#include "core/base/rng.h"
#include "core/ops/op.h"

/* What an op draws for one image of a training step follows from the run's seed, the step and the
 * node's name, whatever else is drawn and by which thread. */
struct rng draw_stream(const struct op_call *c, enum rng_purpose purpose, uint64_t image);
#endif
