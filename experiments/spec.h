#ifndef EXPERIMENTS_SPEC_H
#define EXPERIMENTS_SPEC_H
#include "core/models/model.h"
#include "core/train/train.h"
#include "experiments/diag.h"

/* One training run, fully resolved but for its seed. Settings that a chosen thing brings (a data
 * format, a backbone's family, an optimiser, a schedule) live in structs of its own. */
struct run_spec {
    const struct data_format *format;
    void *format_settings;
    struct data_settings data;
    struct augment_settings augment;
    const struct backbone *backbone;
    void *family_options;
    struct model_settings model;
    struct se_settings se;
    struct train_settings train;
    const struct optimizer *optimizer;
    void *optimizer_settings;
    const struct schedule *schedule;
    void *schedule_settings;
};

/* A section is a table of rows at a prefix: "model.se" + se_fields + &spec->se. Walking the
 * sections walks every setting there is. */
struct section {
    const char *prefix;
    const struct field *fields;
    void *into;
};
enum { SPEC_SECTIONS = 10 };
int spec_sections(struct run_spec *s, struct section out[SPEC_SECTIONS]);

/* One assignment, KEY = value: "model.se.squeeze" and what was written for it. */
struct setting {
    const char *key;
    const struct value *value;
};

/* Defaults, then the settings in order: names first (dataset.name, model.backbone,
 * train.optimizer.name, train.schedule.name), since they decide which other keys exist. */
bool spec_resolve(struct run_spec *s, const struct setting *list, int n, struct pool *p,
                  struct diags *d);

/* The complete resolved settings as one canonical JSON object; nothing that does not apply. */
void spec_write(const struct run_spec *s, struct text *json);

/* The network of a spec for data of this shape. */
bool spec_build(const struct run_spec *s, int batch, const struct data_shape *shape,
                struct model_net *out, struct err *e);
bool spec_shape(const struct run_spec *s, struct data_shape *out, struct err *e);
#endif
