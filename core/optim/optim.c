/* The lists of optimisers and schedules. */
#include "core/optim/optim.h"
#include <string.h>

const struct optimizer *const optimizers[] = {
#define OPTIMIZER(name) &optimizer_##name,
#include "core/optim/optimizers.def"
#undef OPTIMIZER
    NULL
};

const struct schedule *const schedules[] = {
#define SCHEDULE(name) &schedule_##name,
#include "core/optim/schedules.def"
#undef SCHEDULE
    NULL
};

const struct optimizer *optimizer_named(const char *name)
{
    for (const struct optimizer *const *o = optimizers; *o; o++)
        if (strcmp((*o)->name, name) == 0) return *o;
    return NULL;
}

const struct schedule *schedule_named(const char *name)
{
    for (const struct schedule *const *s = schedules; *s; s++)
        if (strcmp((*s)->name, name) == 0) return *s;
    return NULL;
}
