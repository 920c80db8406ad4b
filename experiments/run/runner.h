#ifndef EXPERIMENTS_RUN_RUNNER_H
#define EXPERIMENTS_RUN_RUNNER_H
#include "core/base/digest.h"
#include "experiments/design/design.h"

struct run_options {
    const char *dir; /* results folder */
    int threads;     /* of all runs together; 0: as many as this process may use */
    int jobs;        /* runs at a time, as processes that share the threads; 0: 1 */
    bool quiet;
    bool as_written; /* the design is the experiment file's, without settings of the command line */
};

/* Statuses of a sweep: what the program exits with. */
enum runner_status {
    RUNNER_DONE = 0,
    RUNNER_SOME_FAILED = 1,
    RUNNER_NO_DATA = 3,
    RUNNER_INTERRUPTED = 130
};

/* Enters the design in the results folder, where `entered` names it from then on, and trains what
 * is not done, one record written at once after each run. RUNNER_NO_DATA fills e. */
enum runner_status runner_run(const struct design *d, const struct run_options *o,
                              char entered[DIGEST_TEXT], struct err *e);
#endif
