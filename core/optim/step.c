/* The learning rate is multiplied by `factor` at milestones, or every so many epochs. Epochs count
 * from the start of the training, the warm-up included. */
#include "core/base/elementary.h"
#include "core/optim/optim.h"
#include "core/optim/warmup.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_MILESTONES = 32 };

struct step_milestones {
    int count;
    double at[STEP_MILESTONES]; /* epochs, ascending */
};

struct step_settings {
    struct warmup warmup;
    struct step_milestones milestones;
    double every, factor;
};

static bool milestone_read(double *at, const struct value *v, double before, struct err *e)
{
    const char *s = v->text ? v->text : "";
    bool decimal = *s && strspn(s, "+-.0123456789eE") == strlen(s);
    char *end;
    *at = strtod(s, &end);
    if (!decimal || *end || !isfinite(*at) || *at <= 0)
        return err_at(e, v, "a milestone is a number of epochs greater than 0");
    if (*at <= before) return err_at(e, v, "milestones must rise: %g follows %g", *at, before);
    return true;
}

static bool milestones_read(void *at, const struct value *v, struct pool *p, struct err *e)
{
    (void)p;
    struct step_milestones m = { 0 };
    if (v->kind != VALUE_LIST) return err_at(e, v, "must be a list of epochs, such as [100, 150]");
    for (const struct value *i = v->first; i; i = i->next) {
        if (m.count == STEP_MILESTONES)
            return err_at(e, i, "at most %d milestones are possible", STEP_MILESTONES);
        if (!milestone_read(&m.at[m.count], i, m.count ? m.at[m.count - 1] : 0, e)) return false;
        m.count++;
    }
    *(struct step_milestones *)at = m;
    return true;
}

static void milestones_write(const void *at, struct text *json)
{
    const struct step_milestones *m = at;
    text_add(json, "[");
    for (int i = 0; i < m->count; i++) {
        if (i) text_add(json, ",");
        text_real(json, m->at[i]);
    }
    text_add(json, "]");
}

static void milestones_reset(void *at)
{
    *(struct step_milestones *)at = (struct step_milestones){ 0 };
}

static const struct field_own milestones_form = {
    .form = "a list of rising epochs, such as [100, 150]; [] for none",
    .schema = "{\"type\":\"array\",\"maxItems\":32,"
              "\"items\":{\"type\":\"number\",\"exclusiveMinimum\":0}}",
    .def = "[]",
    .read = milestones_read,
    .write = milestones_write,
    .reset = milestones_reset,
};

static double step_factor(const void *settings, double epoch, double epochs)
{
    (void)epochs;
    const struct step_settings *s = settings;
    const struct step_milestones *m = &s->milestones;
    unsigned drops = 0;
    for (int i = 0; i < m->count; i++) drops += epoch >= m->at[i];
    if (m->count == 0) drops = (unsigned)(epoch / s->every);
    return warmup_factor(&s->warmup, epoch) * elementary_power(s->factor, drops);
}

static bool step_has_no_milestones(const void *settings)
{
    return ((const struct step_settings *)settings)->milestones.count == 0;
}

/* The defaults are the paper's recipe (section 4): a tenth every 30 epochs. */
static const struct field step_fields[] = {
    WARMUP_ROWS,
    OWN(step_settings, milestones, &milestones_form, "epochs at which lr is multiplied by factor"),
    REAL(step_settings, every, 30, 0.001, 100000, "without milestones: every so many epochs",
         .applies = step_has_no_milestones),
    REAL(step_settings, factor, 0.1, 0, 1, "what lr is multiplied by"),
    FIELDS_END,
};

const struct schedule schedule_step = {
    .name = "step",
    .fields = step_fields,
    .settings_size = SIZE_LED_BY(step_settings, struct warmup, warmup),
    .factor = step_factor,
};
