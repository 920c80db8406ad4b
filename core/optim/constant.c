/* The learning rate stays what it is. */
#include "core/optim/optim.h"
#include "core/optim/warmup.h"

static double constant_factor(const void *settings, double epoch, double epochs)
{
    (void)epochs;
    return warmup_factor(settings, epoch);
}

static const struct field constant_fields[] = { WARMUP_ROWS, FIELDS_END };

const struct schedule schedule_constant = {
    .name = "constant",
    .fields = constant_fields,
    .settings_size = sizeof(struct warmup),
    .factor = constant_factor,
};
