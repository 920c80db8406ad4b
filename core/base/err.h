#ifndef CORE_BASE_ERR_H
#define CORE_BASE_ERR_H
#include <stdbool.h>

/* What went wrong, in words for the person at the keyboard: the place, what is wrong there, what
 * to do. A function that can fail for a reason outside the program takes one of these, fills it
 * and returns false. */
struct err {
    char text[1024];
    const struct value *at; /* the part of an experiment file that is to blame, or NULL */
};

/* Fills e and returns false, so that a refusal is one line: return err_set(e, ...). */
bool err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, blaming the value v. */
bool err_at(struct err *e, const struct value *v, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The program itself is wrong: says where and aborts. Never compiled out. */
#define BUG_IF(cond, ...)                                  \
    do {                                                   \
        if (cond) bug_at(__FILE__, __LINE__, __VA_ARGS__); \
    } while (0)
_Noreturn void bug_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#endif
