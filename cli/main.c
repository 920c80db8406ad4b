/* senet-exp: finds the command, checks its options and words, runs it. */
#include "cli/options.h"
#include "core/base/escape.h"
#include "core/base/mem.h"
#include "experiments/results/provenance.h"
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1.0"

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
    NULL
};
enum { COMMANDS = sizeof commands / sizeof *commands - 1 };

int say_error(int status, const char *fmt, ...)
{
    struct text t = { 0 };
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(&t, fmt, ap);
    va_end(ap);
    text_escape(&t);
    fprintf(stderr, "senet-exp: %s\n", text_shorten(t.s));
    text_clear(&t);
    return status;
}

const struct command *command_named(const char *name)
{
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0) return *c;
    }
    return NULL;
}

const char *command_nearest(const char *name)
{
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) names[i] = commands[i]->name;
    return text_nearest(name, names, COMMANDS);
}

static int command_unknown(const char *name)
{
    const char *near = command_nearest(name);
    if (near) return say_error(EXIT_USAGE, "unknown command \"%s\"; did you mean %s?", name, near);
    return say_error(EXIT_USAGE, "unknown command \"%s\"; `senet-exp help` lists them", name);
}

/* help NAME, for NAME --help; help alone where there is no NAME. */
static int command_help_on(const char *name)
{
    struct invocation v = { .command = "help", .words = &name, .n_words = name ? 1 : 0 };
    return command_help.run(&v);
}

/* "senet-exp 0.1.0 (0123456789ab)": the revision is that of records. */
static int version_print(void)
{
    printf("senet-exp %s (%s)\n", VERSION, program_revision());
    return EXIT_DONE;
}

static int dispatch(const struct invocation *v)
{
    if (v->version) return version_print();
    if (!v->command && v->help) return command_help_on(NULL);
    if (!v->command) return say_error(EXIT_USAGE, "no command; `senet-exp help` lists them");
    const struct command *c = command_named(v->command);
    if (!c) return command_unknown(v->command);
    if (v->help) return command_help_on(c == &command_help ? NULL : c->name);
    struct err e;
    if (!options_check(v, c, &e)) return say_error(EXIT_USAGE, "%s", e.text);
    if (v->n_words < c->min_words || (c->max_words >= 0 && v->n_words > c->max_words)) {
        return say_error(EXIT_USAGE, "usage: senet-exp %s %s", c->name, c->arguments);
    }
    return c->run(v);
}

int main(int argc, char **argv)
{
    struct invocation v = { 0 };
    struct err e;
    signal(SIGXFSZ, SIG_IGN); /* a limit of file size is an error of the write, which is named */
    setlocale(LC_CTYPE, "C.UTF-8"); /* whatever the environment says: for text_width */
    const char **room = mem_new((size_t)argc + 1, sizeof *room);
    for (const struct command *const *c = commands; *c; c++) options_exist(*c);
    int status = options_parse(&v, argc, argv, room, &e) ? dispatch(&v)
                                                         : say_error(EXIT_USAGE, "%s", e.text);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        status = say_error(EXIT_DATA, "standard output could not be written");
    }
    free(room);
    return status;
}
