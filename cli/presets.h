#ifndef CLI_PRESETS_H
#define CLI_PRESETS_H
#include "cli/listing.h"
#include "core/base/err.h"

/* Adds two cells for each experiment file under the configs folder: its path, and the question
 * its first line asks. The folder is ./configs, or the one that stands beside the program. */
bool presets_walk(struct listing *l, struct err *e);
#endif
