#ifndef CLI_DESIGNS_H
#define CLI_DESIGNS_H
#include "experiments/results/results.h"
#include <stdio.h>

/* Where several designs were run in the folder: what they are, and which of them is shown. */
void designs_print(const struct results *shown, FILE *to);

/* Records of the folder that no design names, if any. */
void strays_print(const char *dir, FILE *to);
#endif
