#ifndef CLI_EPILOGUE_H
#define CLI_EPILOGUE_H
#include "cli/command.h"
#include <stdbool.h>

/* What `run` says below its table, on standard error: where the results are, what to do next. */
struct epilogue {
    const char *dir, *design; /* results folder, and the design in it */
    bool main;                /* its table is table.md of the folder, too */
    double seconds;           /* that all of it took */
};
void epilogue_print(const struct invocation *v, const struct epilogue *of);
#endif
