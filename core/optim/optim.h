#ifndef CORE_OPTIM_OPTIM_H
#define CORE_OPTIM_OPTIM_H
#include "core/base/fields.h"
#include "core/graph/graph.h"

/* An optimiser moves the weights along their gradients. It brings its own settings; every one has
 * `lr` as its first member (double), which the schedule's factor is multiplied with. */
struct optimizer {
    const char *name;
    const struct field *fields;
    size_t settings_size; /* SIZE_LED_BY(..., double, lr) */
    int state_per_weight; /* floats kept per weight between steps, zero at the start */
    void (*step)(const void *settings, struct graph *g, float *state, double lr);
};

#define OPTIMIZER(name) extern const struct optimizer optimizer_##name;
#include "core/optim/optimizers.def"
#undef OPTIMIZER
extern const struct optimizer *const optimizers[]; /* NULL past the last */
const struct optimizer *optimizer_named(const char *name);

/* A learning-rate schedule: a factor on the optimiser's lr. */
struct schedule {
    const char *name;
    const struct field *fields; /* warmup_epochs and warmup_from first (warmup.h), then its own */
    size_t settings_size;       /* SIZE_LED_BY(..., struct warmup, warmup) */
    double (*factor)(const void *settings, double epoch,
                     double epochs); /* epoch: steps done / steps per epoch */
};

#define SCHEDULE(name) extern const struct schedule schedule_##name;
#include "core/optim/schedules.def"
#undef SCHEDULE
extern const struct schedule *const schedules[]; /* NULL past the last */
const struct schedule *schedule_named(const char *name);

/* Refuses a schedule whose warm-up is longer than the training of so many epochs. */
bool schedule_check(const struct schedule *s, const void *settings, int epochs, struct err *e);

/* Scales all gradients so that their joint L2 norm is at most max_norm; returns the norm before.
 * Where that is not finite nothing is scaled. */
double gradients_clip(struct graph *g, double max_norm);
#endif
