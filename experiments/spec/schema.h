#ifndef EXPERIMENTS_SPEC_SCHEMA_H
#define EXPERIMENTS_SPEC_SCHEMA_H
#include "core/base/text.h"

/* The JSON Schema (draft 7) of experiment files, for editors: made of the rows that the program
 * reads them by. It knows which keys there are and what each can be; what settings must agree on,
 * only the program knows. */
void schema_write(struct text *json);
#endif
