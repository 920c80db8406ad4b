#ifndef CLI_PRESETS_H
#define CLI_PRESETS_H
#include "cli/listing.h"
#include "core/base/err.h"

/* The experiment files that come with the program: the folder configs of the source tree, or
 * PREFIX/share/senet-exp/configs, as seen from the program's own file. The name of a preset is its
 * path in there without .yaml: "quickstart", "cifar10/table10". */

/* Adds three cells for each: its name, its path, and the question its first line asks. */
bool presets_walk(struct listing *l, struct err *e);

/* The path of a preset, or NULL. */
const char *preset_path(const char *name, struct pool *p);

/* The preset that is meant by a name, or by the path of a file that is not there; or NULL. */
const char *preset_nearest(const char *name, struct pool *p);
#endif
