/* Option parsing by table. An option that is not in the table, or that the command does not take,
 * is refused: none is ever ignored. */
#include "cli/options.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "experiments/spec/components.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct invocation, member)
const struct option_row option_rows[] = {
    { "out", NULL, "DIR", OPTION_TEXT, AT(out), "results folder (default: results/<experiment>)" },
    { "threads", NULL, "N", OPTION_COUNT, AT(threads),
      "threads in all (default: all CPUs this process may use)" },
    { "jobs", NULL, "N|auto", OPTION_COUNT, AT(jobs),
      "runs at a time, as processes that share the threads (default: 1)" },
    { "isa", NULL, "NAME", OPTION_TEXT, AT(isa),
      "instruction set of the kernels (default: the best of this CPU)" },
    { "format", NULL, "FORMAT", OPTION_TEXT, AT(format),
      "md, csv, json (default: md, or by the suffix of -o)" },
    { "output", "o", "FILE", OPTION_TEXT, AT(output), "write to FILE instead of standard output" },
    { "design", NULL, "DIGEST", OPTION_TEXT, AT(design),
      "of several designs that were run in the folder: the first letters of its digest, or main, "
      "the one of table.md (default: newest, the one that was run last)" },
    { "rows", NULL, "KIND", OPTION_TEXT, AT(rows),
      "points (the table), runs or epochs: what a row tells of (default: points)" },
    { "quiet", "q", NULL, OPTION_FLAG, AT(quiet), "no progress; errors and results only" },
    { "json", NULL, NULL, OPTION_FLAG, AT(json), "print JSON" },
    { "eval", NULL, NULL, OPTION_FLAG, AT(eval), "evaluation instead of training" },
    { "steps", NULL, "N", OPTION_COUNT, AT(steps),
      "timed steps (default: as many as fit into a few seconds)" },
    { "no-reference", NULL, NULL, OPTION_FLAG, AT(no_reference),
      "leave out the reference path, which is slow" },
    { "layers", NULL, NULL, OPTION_FLAG, AT(layers), "one line a layer" },
    { "yes", "y", NULL, OPTION_FLAG, AT(yes), "remove what is listed" },
    { "help", "h", NULL, OPTION_FLAG, AT(help), "help on the command" },
    { "version", NULL, NULL, OPTION_FLAG, AT(version), "the program's version" },
    { .name = NULL },
};
enum { OPTIONS = sizeof option_rows / sizeof *option_rows - 1 };

static const struct option_row *option_named(const char *arg, size_t len)
{
    for (const struct option_row *o = option_rows; o->name; o++) {
        if (strncmp(arg, "--", 2) == 0) {
            if (strlen(o->name) == len - 2 && memcmp(arg + 2, o->name, len - 2) == 0) return o;
        } else if (o->letter && len == 2 && arg[1] == o->letter[0]) {
            return o;
        }
    }
    return NULL;
}

/* Who writes --batch-size means the setting train.batch_size. */
static const char *setting_meant(const char *word, bool near, struct pool *p)
{
    char *key = pool_text(p, word);
    for (char *c = key; *c; c++)
        if (*c == '-') *c = '_';
    return key_is_top(key) ? key : key_ending(last_part(key), near, p);
}

/* next: the argument that follows, or NULL. */
static bool option_unknown(const char *arg, const char *next, struct err *e)
{
    const char *names[OPTIONS], *equals = strchr(arg, '=');
    int len = equals ? (int)(equals - arg) : (int)strlen(arg);
    struct pool p = { NULL };
    const char *word = arg[1] == '-' ? pool_textf(&p, "%.*s", len - 2, arg + 2) : "";
    for (int i = 0; i < OPTIONS; i++) names[i] = option_rows[i].name;
    const char *near = text_nearest(word, names, OPTIONS);
    const char *setting = setting_meant(word, !near, &p);
    bool value = next && *next != '-' && !strchr(next, '=') && strlen(next) < 32;
    if (setting)
        err_set(e, "unknown option %.*s; settings are written KEY=VALUE: %s=%s", len, arg, setting,
                equals  ? equals + 1
                : value ? next
                        : "VALUE");
    else if (near)
        err_set(e, "unknown option %.*s; did you mean --%s?", len, arg, near);
    else
        err_set(e, "unknown option %.*s; `senet-exp help` lists the commands", len, arg);
    pool_clear(&p);
    return false;
}

static bool option_count(int *into, const struct option_row *o, const char *value, struct err *e)
{
    char *end;
    errno = 0;
    long n = strtol(value, &end, 10);
    bool may_be_auto = strstr(o->argument, "auto") != NULL;
    if (may_be_auto && strcmp(value, "auto") == 0) {
        n = parallel_allowed();
    } else if (end == value || *end || errno || n < 1 || n > 4096) {
        return err_set(e, "--%s: \"%s\" is not an integer 1..4096%s", o->name, value,
                       may_be_auto ? " or auto" : "");
    }
    *into = (int)n;
    return true;
}

static bool option_store(struct invocation *v, const struct option_row *o, const char *value,
                         struct err *e)
{
    void *into = (char *)v + o->at;
    switch (o->type) {
    case OPTION_FLAG:
        *(bool *)into = true;
        return true;
    case OPTION_COUNT:
        return option_count(into, o, value, e);
    case OPTION_TEXT:
        if (!*value) return err_set(e, "--%s needs a value that is not empty", o->name);
        *(const char **)into = value;
        return true;
    }
    BUG_IF(true, "option --%s has no type", o->name);
}

/* Reads the option at argv[*i], and its value where that is the next argument. */
static bool option_read(struct invocation *v, char **argv, int *i, struct err *e)
{
    const char *arg = argv[*i], *equals = strchr(arg, '=');
    size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
    const struct option_row *o = option_named(arg, len);
    if (!o) return option_unknown(arg, argv[*i + 1], e);
    const char *value = equals ? equals + 1 : NULL;
    if (o->type == OPTION_FLAG && value) return err_set(e, "--%s takes no value", o->name);
    if (o->type != OPTION_FLAG && !value) {
        if (!argv[*i + 1])
            return err_set(e, "--%s needs a value: --%s %s", o->name, o->name, o->argument);
        value = argv[++*i];
    }
    return option_store(v, o, value, e);
}

bool options_parse(struct invocation *v, int argc, char **argv, const char **room, struct err *e)
{
    int n = 0;
    bool open = true; /* no `--` yet */
    for (int i = 1; i < argc; i++) {
        if (open && strcmp(argv[i], "--") == 0) {
            open = false;
        } else if (open && argv[i][0] == '-' && argv[i][1]) {
            if (!option_read(v, argv, &i, e)) return false;
        } else if (!v->command) {
            v->command = argv[i];
        } else {
            room[n++] = argv[i];
        }
    }
    v->words = room;
    v->n_words = n;
    return true;
}

bool option_listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += len) {
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len])) return true;
    }
    return false;
}

void options_exist(const struct command *c)
{
    for (const char *at = c->options; *at;) {
        const size_t len = strcspn(at, " ");
        const struct option_row *o = option_rows;
        while (o->name && (strlen(o->name) != len || memcmp(o->name, at, len) != 0)) o++;
        BUG_IF(!o->name, "%s takes \"%.*s\", which is no option", c->name, (int)len, at);
        at += len + (at[len] == ' ');
    }
}

static bool option_given(const struct invocation *v, const struct option_row *o)
{
    const char *at = (const char *)v + o->at;
    switch (o->type) {
    case OPTION_FLAG:
        return *(const bool *)at;
    case OPTION_COUNT:
        return *(const int *)at != 0;
    case OPTION_TEXT:
        return *(const char *const *)at != NULL;
    }
    BUG_IF(true, "option --%s has no type", o->name);
}

bool options_check(const struct invocation *v, const struct command *c, struct err *e)
{
    for (const struct option_row *o = option_rows; o->name; o++) {
        if (!option_given(v, o) || option_listed("help version", o->name)) continue;
        if (option_listed(c->options, o->name)) continue;
        return err_set(e, "%s takes no --%s; see `senet-exp help %s`", c->name, o->name, c->name);
    }
    return true;
}
