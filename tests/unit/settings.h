#ifndef TESTS_UNIT_SETTINGS_H
#define TESTS_UNIT_SETTINGS_H
#include "core/base/fields.h"
#include "tests/unit/unit.h"
#include <string.h>

/* Reads a text as the value of the setting called key, as KEY=TEXT on the command line would. */
static inline bool setting_try(const struct field *fields, void *into, const char *key,
                               const char *text, struct err *e)
{
    struct pool p = { 0 };
    const struct field *f = field_named(fields, key);
    ck_assert_msg(f != NULL, "no setting %s", key);
    bool ok = field_read(f, into, &(struct value){ .kind = VALUE_SCALAR, .text = text }, &p, e);
    ck_assert(f->type != FIELD_TEXT);
    pool_clear(&p);
    return ok;
}

static inline void setting(const struct field *fields, void *into, const char *key,
                           const char *text)
{
    struct err e;
    ck_assert_msg(setting_try(fields, into, key, text, &e), "%s=%s: %s", key, text, e.text);
}

static inline void setting_real(const struct field *fields, void *into, const char *key, double v)
{
    struct text t = { 0 };
    text_real(&t, v);
    setting(fields, into, key, t.s);
    text_clear(&t);
}
#endif
