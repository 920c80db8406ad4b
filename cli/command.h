#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H
#include "core/base/err.h"
#include <stddef.h>

/* Exit statuses of the program. */
enum { EXIT_DONE = 0, EXIT_SOME_FAILED = 1, EXIT_USAGE = 2, EXIT_DATA = 3, EXIT_INTERRUPTED = 130 };

/* What the command line gave: options that hold everywhere, and the rest in order. */
struct invocation {
    const char *command;
    /* --out, --isa, --format, -o, --design, --rows; NULL: not given */
    const char *out, *isa, *format, *output, *design, *rows;
    int threads, jobs, steps; /* 0: not given */
    bool quiet, json, layers, eval, no_reference, yes, help, version;
    const char *const *words; /* arguments that are no options */
    int n_words;
};

/* One command: cli/cmd_NAME.c, and a line in commands.def. No maths here. */
struct command {
    const char *name;
    const char *arguments;    /* "CONFIG [KEY=VALUE ...]" */
    const char *summary;      /* one line */
    const char *help;         /* what `help NAME` adds: options, examples */
    const char *options;      /* the names of the options it takes: "out threads jobs isa quiet" */
    int min_words, max_words; /* max -1: any number */
    int (*run)(const struct invocation *v);
};

/* Says "senet-exp: ..." on standard error and returns the status. */
int say_error(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define COMMAND(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND
extern const struct command *const commands[]; /* NULL past the last */
const struct command *command_named(const char *name);
const char *command_nearest(const char *name); /* what name is a misspelling of, or NULL */
#endif
