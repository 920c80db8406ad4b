/* run: every variant x seed of an experiment. */
#include "cli/experiment.h"

static int run_run(const struct invocation *v) { return experiment_run(v, USE_RUNS); }

const struct command command_run = {
    .name = "run",
    .arguments = "CONFIG [KEY=VALUE ...]",
    .summary = "train every variant and seed of CONFIG; keeps what is done, continues what is not",
    .help =
        "KEY=VALUE wins over the file: `senet-exp run configs/quickstart.yaml train.epochs=2`.\n"
        "Stop it at any moment and give the same command again: it goes on, to the same bits.\n"
        "Several processes may share one results folder. The table goes to standard output\n"
        "and into the folder, progress to standard error. table.md and table.csv there are of the\n"
        "file's own design: a trial with other settings leaves them alone, and has its table "
        "beside\n"
        "its design, which `senet-exp status` lists.",
    .options = "out threads jobs isa quiet json",
    .min_words = 1,
    .max_words = -1,
    .run = run_run,
};
