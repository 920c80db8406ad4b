/* The learning rate stays what it is. */
#include "core/optim/optim.h"
#include "core/optim/warmup.h"

struct constant_settings {
    struct warmup warmup;
};

static double constant_factor(const void *settings, double epoch, double epochs)
{
    (void)epochs;
    const struct constant_settings *s = settings;
    return warmup_factor(&s->warmup, epoch);
}

static const struct field constant_fields[] = { WARMUP_ROWS, FIELDS_END };

const struct schedule schedule_constant = {
    .name = "constant",
    .fields = constant_fields,
    .settings_size = SIZE_LED_BY(constant_settings, struct warmup, warmup),
    .factor = constant_factor,
};
