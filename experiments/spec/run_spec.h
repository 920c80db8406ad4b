#ifndef EXPERIMENTS_SPEC_RUN_SPEC_H
#define EXPERIMENTS_SPEC_RUN_SPEC_H
#include "core/models/model.h"
#include "core/train/train.h"

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
#endif
