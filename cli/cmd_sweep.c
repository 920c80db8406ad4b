/* sweep: axes from the command line. */
#include "cli/experiment.h"

static int sweep_run(const struct invocation *v) { return experiment_run(v, USE_SWEEP); }

const struct command command_sweep = {
    .name = "sweep",
    .arguments = "CONFIG KEY=V1,V2,... [KEY=VALUE ...]",
    .summary = "the same as run, with axes from the command line",
    .help = "`senet-exp sweep configs/quickstart.yaml model.se.reduction=none,4,16` trains three "
            "variants.\n"
            "Several axes make a grid, their product.",
    .options = "out threads jobs isa quiet json",
    .min_words = 2,
    .max_words = -1,
    .run = sweep_run,
};
