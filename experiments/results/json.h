#ifndef EXPERIMENTS_RESULTS_JSON_H
#define EXPERIMENTS_RESULTS_JSON_H
#include "core/base/text.h"
#include <cjson/cJSON.h>

/* Adds j, laid out for people, and a line end. Whatever its texts hold, names of files that are not
 * UTF-8 too, what is added is UTF-8. */
void json_print(struct text *out, const cJSON *j);
#endif
