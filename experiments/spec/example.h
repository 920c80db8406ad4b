#ifndef EXPERIMENTS_SPEC_EXAMPLE_H
#define EXPERIMENTS_SPEC_EXAMPLE_H
#include "core/base/text.h"

/* The settings of an experiment file as YAML: every one there is, at its default, with what it
 * means. What other settings rule out, or only another choice brings, is commented out. */
void example_write(struct text *t);
#endif
