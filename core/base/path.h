#ifndef CORE_BASE_PATH_H
#define CORE_BASE_PATH_H
#include "core/base/mem.h"

/* A path that is written in a file, as seen from the folder of that file: "../data" in
 * configs/small/a.yaml is "configs/data". Absolute paths, and those of a file in the current
 * directory, are as they stand. "../" is taken out only where no symbolic link is in its way. */
const char *path_beside(struct pool *p, const char *file, const char *path);
#endif
