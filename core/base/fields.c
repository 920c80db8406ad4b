/* Settings as rows: reading, writing and describing them. Each type knows its forms once. */
#include "core/base/fields.h"
#include "core/base/path.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *field_at(const struct field *f, void *of) { return (char *)of + f->at; }
static const void *field_from(const struct field *f, const void *of)
{
    return (const char *)of + f->at;
}

const struct field *field_named(const struct field *fields, const char *key)
{
    for (; fields->key; fields++)
        if (strcmp(fields->key, key) == 0) return fields;
    return NULL;
}

static void field_reset(const struct field *f, void *of)
{
    void *at = field_at(f, of);
    switch (f->type) {
    case FIELD_REAL:
        *(double *)at = f->def;
        return;
    case FIELD_BOOL:
        *(bool *)at = f->def != 0;
        return;
    case FIELD_TEXT:
        *(const char **)at = f->text;
        return;
    case FIELD_OWN:
        f->own->reset(at);
        return;
    case FIELD_INT:
    case FIELD_CHOICE:
        *(int *)at = (int)f->def;
    }
}

void fields_default(const struct field *fields, void *into)
{
    for (; fields->key; fields++) field_reset(fields, into);
}

void field_form(const struct field *f, struct text *out)
{
    switch (f->type) {
    case FIELD_INT:
        text_addf(out, "an integer %.0f..%.0f", f->min, f->max);
        if (f->zero) text_addf(out, ", or %s", f->zero);
        return;
    case FIELD_REAL:
        text_add(out, "a number ");
        text_real(out, f->min);
        text_add(out, "..");
        text_real(out, f->max);
        return;
    case FIELD_BOOL:
        text_add(out, "true or false");
        return;
    case FIELD_CHOICE:
        text_add(out, "one of ");
        for (int i = 0; f->choices[i]; i++) text_addf(out, "%s%s", i ? ", " : "", f->choices[i]);
        return;
    case FIELD_TEXT:
        text_add(out, f->path ? "a path" : "a text");
        return;
    case FIELD_OWN:
        text_add(out, f->own->form);
    }
}

/* The refusal that every type shares: "lr: "fast" is not a number 0..100". */
static bool field_refuse(const struct field *f, const struct value *v, struct err *e)
{
    struct text form = { NULL, 0, 0 };
    field_form(f, &form);
    if (v->kind == VALUE_SCALAR)
        err_at(e, v, "\"%s\" is not %s", v->text, form.s);
    else
        err_at(e, v, "a %s is not %s", v->kind == VALUE_LIST ? "list" : "map", form.s);
    text_clear(&form);
    return false;
}

/* A decimal number and nothing else: no hexadecimal, no "inf", no trailing letters. */
static bool field_number(const char *s, double *out)
{
    if (!*s || strspn(s, "+-.0123456789eE") != strlen(s)) return false;
    char *end;
    *out = strtod(s, &end);
    return !*end && isfinite(*out);
}

static bool field_read_number(const struct field *f, void *at, const struct value *v, struct err *e)
{
    double x;
    bool whole = f->type == FIELD_INT;
    if (whole && f->zero && strcmp(v->text, f->zero) == 0) {
        *(int *)at = 0;
        return true;
    }
    if (!field_number(v->text, &x) || (whole && x != trunc(x)) || x < f->min || x > f->max)
        return field_refuse(f, v, e);
    if (whole)
        *(int *)at = (int)x;
    else
        *(double *)at = x;
    return true;
}

static bool field_read_choice(const struct field *f, int *at, const struct value *v, struct err *e)
{
    for (int i = 0; f->choices[i]; i++)
        if (strcmp(v->text, f->choices[i]) == 0) {
            *at = i;
            return true;
        }
    return field_refuse(f, v, e);
}

bool field_read(const struct field *f, void *into, const struct value *v, struct pool *p,
                struct err *e)
{
    void *at = field_at(f, into);
    if (f->type == FIELD_OWN) return f->own->read(at, v, p, e);
    if (v->kind != VALUE_SCALAR) return field_refuse(f, v, e);
    bool yes = strcmp(v->text, "true") == 0, no = strcmp(v->text, "false") == 0;
    switch (f->type) {
    case FIELD_BOOL:
        if (!yes && !no) return field_refuse(f, v, e);
        *(bool *)at = yes;
        return true;
    case FIELD_CHOICE:
        return field_read_choice(f, at, v, e);
    case FIELD_TEXT:
        *(const char **)at = f->path ? path_beside(p, v->file, v->text) : pool_text(p, v->text);
        return true;
    case FIELD_INT:
    case FIELD_REAL:
        return field_read_number(f, at, v, e);
    case FIELD_OWN:
        break;
    }
    return false;
}

void field_write(const struct field *f, const void *from, struct text *json)
{
    const void *at = field_from(f, from);
    switch (f->type) {
    case FIELD_INT:
        if (f->zero && *(const int *)at == 0)
            text_json(json, f->zero);
        else
            text_addf(json, "%d", *(const int *)at);
        return;
    case FIELD_REAL:
        text_real(json, *(const double *)at);
        return;
    case FIELD_BOOL:
        text_add(json, *(const bool *)at ? "true" : "false");
        return;
    case FIELD_CHOICE:
        text_json(json, f->choices[*(const int *)at]);
        return;
    case FIELD_TEXT:
        if (*(const char *const *)at)
            text_json(json, *(const char *const *)at);
        else
            text_add(json, "null");
        return;
    case FIELD_OWN:
        f->own->write(at, json);
    }
}

void field_default_text(const struct field *f, struct text *out)
{
    switch (f->type) {
    case FIELD_INT:
        if (f->zero && f->def == 0)
            text_add(out, f->zero);
        else
            text_addf(out, "%.0f", f->def);
        return;
    case FIELD_REAL:
        text_real(out, f->def);
        return;
    case FIELD_BOOL:
        text_add(out, f->def != 0 ? "true" : "false");
        return;
    case FIELD_CHOICE:
        text_add(out, f->choices[(int)f->def]);
        return;
    case FIELD_TEXT:
        text_add(out, f->text ? f->text : "-");
        return;
    case FIELD_OWN:
        text_add(out, f->own->def);
    }
}

void fields_write(const struct field *fields, const void *from, struct text *json)
{
    const char *comma = "";
    for (; fields->key; fields++) {
        if (fields->applies && !fields->applies(from)) continue;
        text_add(json, comma);
        text_json(json, fields->key);
        text_add(json, ":");
        field_write(fields, from, json);
        comma = ",";
    }
}
