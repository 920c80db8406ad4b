/* help: the commands, one command with its options, or how an experiment file is written. */
#include "cli/help_config.h"
#include "cli/options.h"
#include <stdio.h>
#include <string.h>

static void help_all(void)
{
    puts("senet-exp runs the ablations of \"Squeeze-and-Excitation Networks\" on this machine's "
         "CPUs.\n\n"
         "usage: senet-exp COMMAND [ARGUMENT ...] [OPTION ...]\n");
    for (const struct command *const *c = commands; *c; c++) {
        printf("  %-9s %s\n", (*c)->name, (*c)->summary);
    }
    puts("\nStart with:  senet-exp run quickstart\n"
         "Options of a command:  senet-exp help COMMAND\n"
         "How to write an experiment file:  senet-exp help config\n"
         "Exit status: 0 done; 1 some runs failed or diverged; 2 usage or configuration;\n"
         "             3 data or file; 130 interrupted, all epochs saved that were complete");
}

static void help_option(const struct option_row *o)
{
    char form[48];
    snprintf(form, sizeof form, "%s%s%s--%s%s%s", o->letter ? "-" : "", o->letter ? o->letter : "",
             o->letter ? ", " : "    ", o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    printf("  %-22s %s\n", form, o->meaning);
}

static void help_one(const struct command *c)
{
    printf("usage: senet-exp %s %s%s\n\n%s\n", c->name, c->arguments,
           *c->options ? " [OPTION ...]" : "", c->summary);
    if (c->help) printf("\n%s\n", c->help);
    if (*c->options) puts("\nOptions, anywhere on the line:");
    for (const struct option_row *o = option_rows; o->name; o++) {
        if (option_listed(c->options, o->name)) help_option(o);
    }
}

static int help_run(const struct invocation *v)
{
    if (v->n_words == 0) {
        help_all();
        return EXIT_DONE;
    }
    if (strcmp(v->words[0], "config") == 0) {
        help_config();
        return EXIT_DONE;
    }
    const struct command *c = command_named(v->words[0]);
    if (c) {
        help_one(c);
        return EXIT_DONE;
    }
    const char *near = command_nearest(v->words[0]);
    return say_error(EXIT_USAGE, "unknown command \"%s\"%s%s", v->words[0],
                     near ? "; did you mean " : "", near ? near : "");
}

const struct command command_help = {
    .name = "help",
    .arguments = "[COMMAND|config]",
    .summary = "this list, what a command does and which options it takes, how a file is written",
    .options = "",
    .max_words = 1,
    .run = help_run,
};
