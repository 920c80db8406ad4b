#ifndef CORE_OPTIM_WARMUP_H
#define CORE_OPTIM_WARMUP_H
#include "core/base/fields.h"

/* The part that all schedules share: over the first warmup_epochs the factor rises linearly from
 * warmup_from times what it would be, to what it is (Goyal et al. 2017, section 2.2). It is the
 * first member of every schedule's settings. */
struct warmup {
    double warmup_epochs, warmup_from;
};

bool warmup_given(const void *settings);

#define WARMUP_ROWS                                                                      \
    REAL(warmup, warmup_epochs, 0, 0, 100000,                                            \
         "epochs over which the learning rate rises, 0: none"),                          \
        REAL(warmup, warmup_from, 0.1, 0, 1, "where that rise begins, as a share of lr", \
             .applies = warmup_given)

/* The rise: warmup_from at epoch 0, 1 from warmup_epochs on. */
double warmup_factor(const struct warmup *w, double epoch);

/* The share, 0 .. 1, of the time after the warm-up that is over. */
double warmup_rest(const struct warmup *w, double epoch, double epochs);
#endif
