/* Half a cosine wave (Loshchilov & Hutter 2017, without restarts): from 1 at the end of the warm-up
 * to `final` at the end of the training. */
#include "core/base/elementary.h"
#include "core/optim/optim.h"
#include "core/optim/warmup.h"

struct cosine_settings {
    struct warmup warmup;
    double final;
};

static double cosine_factor(const void *settings, double epoch, double epochs)
{
    const struct cosine_settings *s = settings;
    double wave = (1 + elementary_cos_turns(warmup_rest(&s->warmup, epoch, epochs) / 2)) / 2;
    return warmup_factor(&s->warmup, epoch) * (s->final + (1 - s->final) * wave);
}

static const struct field cosine_fields[] = {
    WARMUP_ROWS,
    REAL(cosine_settings, final, 0, 0, 1, "where the learning rate ends, as a share of lr"),
    FIELDS_END,
};

const struct schedule schedule_cosine = {
    .name = "cosine",
    .fields = cosine_fields,
    .settings_size = SIZE_LED_BY(cosine_settings, struct warmup, warmup),
    .factor = cosine_factor,
};
