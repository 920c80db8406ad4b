#ifndef CLI_EXPERIMENT_H
#define CLI_EXPERIMENT_H
#include "cli/command.h"
#include "experiments/design/design.h"

/* What the commands that take CONFIG [KEY=VALUE ...] share. */

/* What is made of an experiment: runs or a plan of them, runs with axes from the command line, or
 * a look at its networks, where the name of a backbone may stand for a file. */
enum experiment_use { USE_RUNS, USE_SWEEP, USE_NETWORKS };

/* Reads the experiment file or preset that the first word names, with the other words as
 * assignments. False after everything that is wrong with it was said on standard error. */
bool experiment_read(struct design *d, const struct invocation *v, enum experiment_use use);

/* The same where the first word names a backbone: an experiment of one point, that network at its
 * natural input, on made-up images. batch: its batch size unless the other words say otherwise; 0:
 * the default of all experiments. */
bool backbone_read(struct design *d, const struct backbone *b, const struct invocation *v,
                   int batch);

/* --out, or results/<experiment>. */
const char *experiment_dir(const struct invocation *v, struct design *d);

/* Chooses the kernels that --isa names. False after saying which there are. */
bool isa_choose(const struct invocation *v);

/* run and sweep: trains, then prints the table and writes table.md and table.csv. */
int experiment_run(const struct invocation *v, enum experiment_use use);
#endif
