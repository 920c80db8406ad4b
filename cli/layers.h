#ifndef CLI_LAYERS_H
#define CLI_LAYERS_H
#include "core/base/text.h"
#include "experiments/design/design.h"

/* The network of a point, one line a call, for one image. */
bool layers_print(const struct design_point *p, struct err *e);
bool layers_json(const struct design_point *p, struct text *t, struct err *e);
#endif
