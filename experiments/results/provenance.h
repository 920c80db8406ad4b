#ifndef EXPERIMENTS_RESULTS_PROVENANCE_H
#define EXPERIMENTS_RESULTS_PROVENANCE_H
#include <cjson/cJSON.h>

/* What a result was made with. Nothing of the environment, no host or user names, no times. */
cJSON *machine_describe(cJSON *into, int threads); /* "machine": cpu, isa, threads; returned */
void program_describe(cJSON *into);                /* "program": revision, numerics; "libraries" */
const char *program_revision(void);                /* of the sources; "unknown" outside git */
#endif
