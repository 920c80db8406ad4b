#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H
#include "cli/command.h"

/* The options of all commands, as rows; which command takes which stands in its `options`. */
enum option_type { OPTION_TEXT, OPTION_COUNT, OPTION_FLAG };

struct option_row {
    const char *name;     /* "threads", given as --threads */
    const char *letter;   /* "o" where -o stands for it too, or NULL */
    const char *argument; /* "N"; NULL for a flag */
    enum option_type type;
    size_t at; /* offset in struct invocation */
    const char *meaning;
};
extern const struct option_row option_rows[]; /* name NULL past the last */

/* True where `list`, names between spaces, holds name. */
bool option_listed(const char *list, const char *name);

/* Every name in the command's `options` is a row's: a mistake of the program where one is not. */
void options_exist(const struct command *c);

/* Sorts argv[1..] into options and words, in any order; after `--` all are words. room takes the
 * words. False with e filled where an option is unknown or its value is missing or wrong. */
bool options_parse(struct invocation *v, int argc, char **argv, const char **room, struct err *e);

/* False with e filled where an option was given that the command does not take. */
bool options_check(const struct invocation *v, const struct command *c, struct err *e);
#endif
