#ifndef CORE_BASE_FIELDS_H
#define CORE_BASE_FIELDS_H
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/base/value.h"
#include <stddef.h>

/* A struct's settings as rows. Whatever can be chosen by name brings such a table, and default,
 * range, YAML, KEY=VALUE, `list settings`, `describe` and the complete echo in a result all come
 * from the row. */
enum field_type { FIELD_INT, FIELD_REAL, FIELD_BOOL, FIELD_CHOICE, FIELD_TEXT, FIELD_OWN };

/* A setting with a form of its own (a number or `none` or a map ...). */
struct field_own {
    const char *form;   /* what is valid, for messages and lists: "none, an integer >= 1, or ..." */
    const char *schema; /* the same as a JSON Schema; NULL: the names of a component */
    const char *def;    /* the default as it would be written in YAML */
    bool (*read)(void *at, const struct value *v, struct pool *p, struct err *e);
    void (*write)(const void *at, struct text *json); /* the value as JSON; canonical */
    void (*reset)(void *at);                          /* to the default */
};

struct field {
    const char *key;
    enum field_type type;
    size_t at;            /* offset in the struct: int, double, bool, int, const char *, own */
    double def, min, max; /* INT, REAL; def also BOOL (0, 1) and CHOICE (an index) */
    const char *zero;     /* INT: the word that stands for 0 ("auto", "none"), or NULL */
    const char *const *choices; /* CHOICE: its names, NULL past the last; the int is an index */
    const char *text;           /* TEXT: the default, NULL for none */
    bool path;                  /* TEXT: a path, as seen from the file that it is written in */
    const struct field_own *own;
    bool (*applies)(const void *of); /* does it change anything in this struct? NULL: yes */
    const char *meaning;             /* one line, with the unit */
};

/* Rows are written with these; extra designated members (.zero, .applies) may follow. */
#define FIELD_AT(of, member) .key = #member, .at = offsetof(struct of, member)
#define INT(of, member, d, lo, hi, what, ...)                                                     \
    {                                                                                             \
        FIELD_AT(of, member), .type = FIELD_INT, .def = d, .min = lo, .max = hi, .meaning = what, \
                              __VA_ARGS__                                                         \
    }
#define REAL(of, member, d, lo, hi, what, ...)                                                     \
    {                                                                                              \
        FIELD_AT(of, member), .type = FIELD_REAL, .def = d, .min = lo, .max = hi, .meaning = what, \
                              __VA_ARGS__                                                          \
    }
#define BOOL(of, member, d, what, ...)                                                   \
    {                                                                                    \
        FIELD_AT(of, member), .type = FIELD_BOOL, .def = d, .meaning = what, __VA_ARGS__ \
    }
#define CHOICE(of, member, names, d, what, ...)                                                  \
    {                                                                                            \
        FIELD_AT(of, member), .type = FIELD_CHOICE, .choices = names, .def = d, .meaning = what, \
                              __VA_ARGS__                                                        \
    }
#define TEXT(of, member, d, what, ...)                                                    \
    {                                                                                     \
        FIELD_AT(of, member), .type = FIELD_TEXT, .text = d, .meaning = what, __VA_ARGS__ \
    }
#define OWN(of, member, form, what, ...)                                                   \
    {                                                                                      \
        FIELD_AT(of, member), .type = FIELD_OWN, .own = form, .meaning = what, __VA_ARGS__ \
    }

/* Bytes of a struct that whoever does not know it reads by its first member: `struct of` without
 * `type first` at its beginning does not compile. */
#define SIZE_LED_BY(of, type, first)                                                         \
    (sizeof(struct of) +                                                                     \
     0 * sizeof(struct {                                                                     \
         _Static_assert(offsetof(struct of, first) == 0, #first " is not its first member"); \
         _Static_assert(_Generic(((struct of *)0)->first, type : 1, default : 0),            \
                        #first " is no " #type);                                             \
         int unused;                                                                         \
     }))

#define FIELDS_END  \
    {               \
        .key = NULL \
    }

void fields_default(const struct field *fields, void *into);
const struct field *field_named(const struct field *fields, const char *key); /* or NULL */

/* Reads v into its place. Refuses a wrong type or range: e says what is valid and e->at is the
 * value (or the part of it) that is wrong. Texts are copied to p. */
bool field_read(const struct field *f, void *into, const struct value *v, struct pool *p,
                struct err *e);

/* "integer 1..100000", "one of avg, max, none", ... */
void field_form(const struct field *f, struct text *out);
void field_write(const struct field *f, const void *from,
                 struct text *json); /* the value as JSON */
void field_default_text(const struct field *f, struct text *out);

/* Every row that applies as members `"key":value`, comma-separated, without braces: canonical, so
 * that equal settings are equal texts. */
void fields_write(const struct field *fields, const void *from, struct text *json);
#endif
