#include "cli/report.h"
#include "cli/draw.h"
#include "core/base/file.h"
#include "experiments/export/writer.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool text_put(const struct text *t, const struct report *how, struct err *e)
{
    if (how->path) return (how->kept ? file_write : file_output)(how->path, t->s, t->len, e);
    return fwrite(t->s, 1, t->len, stdout) == t->len ||
           err_set(e, "standard output could not be written");
}

/* format NULL: drawn on a terminal, Markdown elsewhere. */
static void table_format(struct text *out, const struct table *t, const struct results *r,
                         const char *format)
{
    const struct terminal terminal = terminal_of(STDOUT_FILENO);
    const struct writer *w = writer_named(format ? format : "md");
    BUG_IF(!w, "no format %s", format);
    if (!format && terminal.is)
        table_draw(out, t, &terminal);
    else
        w->write(out, t, r);
}

bool report_write(const struct results *r, const struct report *how, struct err *e)
{
    struct table t = { 0 };
    struct text out = { 0 };
    table_build_rows(&t, r, how->rows);
    table_format(&out, &t, r, how->format);
    bool ok = text_put(&out, how, e);
    text_clear(&out);
    table_clear(&t);
    return ok;
}

/* To STEM.md and STEM.csv. */
static bool report_files(const struct results *r, const char *stem, struct err *e)
{
    static const char *const kinds[] = { "md", "csv" };
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) {
        struct text path = { 0 };
        text_addf(&path, "%s.%s", stem, kinds[i]);
        ok = report_write(r, &(struct report){ TABLE_POINTS, kinds[i], path.s, true }, e);
        text_clear(&path);
    }
    return ok;
}

static bool design_is_main(const struct results *r, bool *main, struct err *e)
{
    struct designs all;
    if (!designs_read(r->dir, &all, e)) return false;
    *main = all.main >= 0 && strcmp(all.all[all.main].digest, r->digest) == 0;
    designs_clear(&all);
    return true;
}

bool report_save(const char *dir, const char *design, const char *format, bool *main, struct err *e)
{
    struct results r = { 0 };
    struct text beside = { 0 }, top = { 0 };
    if (!results_read(dir, design, &r, e)) return false;
    text_addf(&beside, "%s/designs/%s", dir, r.digest);
    text_addf(&top, "%s/table", dir);
    bool ok = design_is_main(&r, main, e) && report_files(&r, beside.s, e) &&
              (!*main || report_files(&r, top.s, e)) &&
              report_write(&r, &(struct report){ TABLE_POINTS, format, NULL, false }, e);
    text_clear(&beside);
    text_clear(&top);
    results_clear(&r);
    return ok;
}
