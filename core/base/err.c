#include "core/base/err.h"
#include "core/base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void err_fill(struct err *e, const struct value *at, const char *fmt, va_list ap)
{
    struct text t = { NULL, 0, 0 };
    e->at = at;
    text_vaddf(&t, fmt, ap);
    snprintf(e->text, sizeof e->text, "%s", text_shorten(t.s));
    text_clear(&t);
}

bool err_set(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_fill(e, NULL, fmt, ap);
    va_end(ap);
    return false;
}

bool err_at(struct err *e, const struct value *v, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_fill(e, v, fmt, ap);
    va_end(ap);
    return false;
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "bug: %s:%d: ", file, line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}
