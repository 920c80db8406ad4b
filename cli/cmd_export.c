/* export: the table of a results folder in a format. */
#include "cli/command.h"
#include "cli/designs.h"
#include "cli/report.h"
#include "core/base/text.h"
#include "experiments/export/writer.h"
#include <string.h>

/* --format, or what the suffix of -o says; NULL with neither. False after saying what there is. */
static bool export_format(const struct invocation *v, const char **format)
{
    const char *dot = v->output ? strrchr(v->output, '.') : NULL;
    for (const struct writer *const *w = writers; *w; w++) {
        if (!v->format && dot && strcmp((*w)->suffix, dot) == 0) *format = (*w)->name;
    }
    if (v->format && writer_named(v->format)) *format = v->format;
    if (*format || (!v->format && !v->output)) return true;
    struct text valid = { 0 };
    for (const struct writer *const *w = writers; *w; w++)
        text_addf(&valid, "%s%s", valid.len ? ", " : "", (*w)->name);
    const char *near = v->format ? writer_nearest(v->format) : NULL;
    if (!v->format)
        say_error(EXIT_USAGE, "%s: its suffix names no format; give --format: %s", v->output,
                  valid.s);
    else
        say_error(EXIT_USAGE, "--format: \"%s\" is not one of %s%s%s", v->format, valid.s,
                  near ? "; did you mean " : "", near ? near : "");
    text_clear(&valid);
    return false;
}

/* --rows. False after saying what there is. */
static bool export_rows(const struct invocation *v, enum table_rows *rows)
{
    for (int k = 0; k < TABLE_ROWS; k++) {
        if (v->rows && strcmp(v->rows, table_rows_names[k]) != 0) continue;
        *rows = (enum table_rows)k;
        return true;
    }
    const char *near = text_nearest(v->rows, table_rows_names, TABLE_ROWS);
    say_error(EXIT_USAGE, "--rows: \"%s\" is not one of points, runs, epochs%s%s", v->rows,
              near ? "; did you mean " : "", near ? near : "");
    return false;
}

static int export_run(const struct invocation *v)
{
    struct err e;
    struct results r;
    struct report how = { .path = v->output };
    if (!export_format(v, &how.format) || !export_rows(v, &how.rows)) return EXIT_USAGE;
    if (!results_read(v->words[0], v->design, &r, &e)) return say_error(EXIT_DATA, "%s", e.text);
    bool ok = report_write(&r, &how, &e);
    if (ok && !v->design) designs_print(&r, stderr);
    results_clear(&r);
    return ok ? EXIT_DONE : say_error(EXIT_DATA, "%s", e.text);
}

const struct command command_export = {
    .name = "export",
    .arguments = "DIR",
    .summary = "the table of a results folder as Markdown, CSV or JSON",
    .help =
        "`senet-exp export results/quickstart -o table.csv`; without -o to standard output.\n"
        "`--rows runs` gives a row for each run, `--rows epochs` one for each epoch of each run:"
        "\n`senet-exp export results/quickstart --rows epochs -o curves.csv`.\n"
        "Where several designs were run in the folder, that of the last run; the others are "
        "listed\non standard error.",
    .options = "format output rows design",
    .min_words = 1,
    .max_words = 1,
    .run = export_run,
};
