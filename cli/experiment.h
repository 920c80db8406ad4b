#ifndef CLI_EXPERIMENT_H
#define CLI_EXPERIMENT_H
#include "cli/command.h"
#include "experiments/design.h"

/* What the commands that take CONFIG [KEY=VALUE ...] share. */

/* Reads the experiment file that the first word names, with the other words as assignments. False
 * after everything that is wrong with it was said on standard error. */
bool experiment_read(struct design *d, const struct invocation *v, bool sweep);

/* --out, or results/<experiment>. */
const char *experiment_dir(const struct invocation *v, struct design *d);

/* Chooses the kernels that --isa names. False after saying which there are. */
bool isa_choose(const struct invocation *v);

/* run and sweep: trains, then prints the table and writes table.md and table.csv. */
int experiment_run(const struct invocation *v, bool sweep);
#endif
