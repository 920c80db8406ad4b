/* The one-cycle policy (Smith & Topin 2018) in the form of fastai and PyTorch: half a cosine wave
 * up from `start` to 1, half a wave down to `final`. A warm-up comes before the cycle and leads to
 * `start`. PyTorch ends one step earlier: its last step has the final rate. */
#include "core/base/elementary.h"
#include "core/optim/optim.h"
#include "core/optim/warmup.h"

struct onecycle_settings {
    struct warmup warmup;
    double rise, start, final;
};

/* Half a cosine wave from a (t = 0) to b (t = 1). */
static double onecycle_wave(double a, double b, double t)
{
    return b + (a - b) * (1 + elementary_cos_turns(t / 2)) / 2;
}

static double onecycle_factor(const void *settings, double epoch, double epochs)
{
    const struct onecycle_settings *s = settings;
    double t = warmup_rest(&s->warmup, epoch, epochs);
    double own = t < s->rise ? onecycle_wave(s->start, 1, t / s->rise)
                             : onecycle_wave(1, s->final, (t - s->rise) / (1 - s->rise));
    return warmup_factor(&s->warmup, epoch) * own;
}

/* The defaults are PyTorch's: max_lr / 25 at the start, a 10,000th of that at the end. */
static const struct field onecycle_fields[] = {
    WARMUP_ROWS,
    REAL(onecycle_settings, rise, 0.3, 0, 0.99, "share of the cycle in which lr is approached"),
    REAL(onecycle_settings, start, 0.04, 0, 1, "where the cycle begins, as a share of lr"),
    REAL(onecycle_settings, final, 4e-6, 0, 1, "where the cycle ends, as a share of lr"),
    FIELDS_END,
};

const struct schedule schedule_onecycle = {
    .name = "onecycle",
    .fields = onecycle_fields,
    .settings_size = SIZE_LED_BY(onecycle_settings, struct warmup, warmup),
    .factor = onecycle_factor,
};
