#include "cli/report.h"
#include "core/base/file.h"
#include "experiments/export/writer.h"
#include <stdio.h>

static bool text_put(const struct text *t, const char *path, struct err *e)
{
    if (path) return file_write(path, t->s, t->len, e);
    return fwrite(t->s, 1, t->len, stdout) == t->len ||
           err_set(e, "standard output could not be written");
}

static bool table_put(const struct results *r, const char *format, const char *path, struct err *e)
{
    struct table t = { 0 };
    struct text out = { 0 };
    const struct writer *w = writer_named(format);
    BUG_IF(!w, "no format %s", format);
    table_build(&t, r);
    w->write(&out, &t, r);
    bool ok = text_put(&out, path, e);
    text_clear(&out);
    table_clear(&t);
    return ok;
}

bool report_write(const char *dir, const char *format, const char *path, struct err *e)
{
    struct results r = { 0 };
    if (!results_read(dir, &r, e)) return false;
    bool ok = table_put(&r, format, path, e);
    results_clear(&r);
    return ok;
}

bool report_save(const char *dir, const char *format, struct err *e)
{
    struct results r = { 0 };
    struct text md = { 0 }, csv = { 0 };
    if (!results_read(dir, &r, e)) return false;
    text_addf(&md, "%s/table.md", dir);
    text_addf(&csv, "%s/table.csv", dir);
    bool ok = table_put(&r, "md", md.s, e) && table_put(&r, "csv", csv.s, e) &&
              table_put(&r, format, NULL, e);
    text_clear(&md);
    text_clear(&csv);
    results_clear(&r);
    return ok;
}
