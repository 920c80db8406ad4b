#ifndef CLI_POINT_H
#define CLI_POINT_H
#include "experiments/design/design.h"

/* Every count of a point's network: on standard output, or as members of a JSON object, without
 * its braces. The JSON keys are stable. */
void point_print(const struct design_point *p);
void point_json(const struct design_point *p, struct text *t);

/* "reduction=4: se-resnet20 (r = 4)": the point and what was built. */
void point_title(const struct design_point *p, struct text *t);
#endif
