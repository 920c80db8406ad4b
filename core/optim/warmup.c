/* The linear warm-up in front of every schedule. */
#include "core/optim/warmup.h"
#include "core/optim/optim.h"

bool warmup_given(const void *settings)
{
    return ((const struct warmup *)settings)->warmup_epochs > 0;
}

double warmup_factor(const struct warmup *w, double epoch)
{
    if (epoch >= w->warmup_epochs) return 1;
    return w->warmup_from + (1 - w->warmup_from) * epoch / w->warmup_epochs;
}

double warmup_rest(const struct warmup *w, double epoch, double epochs)
{
    if (epoch <= w->warmup_epochs) return 0;
    return epoch >= epochs ? 1 : (epoch - w->warmup_epochs) / (epochs - w->warmup_epochs);
}

bool schedule_check(const struct schedule *s, const void *settings, int epochs, struct err *e)
{
    const struct warmup *w = settings;
    if (w->warmup_epochs <= epochs) return true;
    return err_set(
        e,
        "train.schedule.warmup_epochs: %g is longer than the whole training of %d epochs "
        "(schedule %s); lower it or raise train.epochs",
        w->warmup_epochs, epochs, s->name);
}
