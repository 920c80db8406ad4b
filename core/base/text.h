#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A text that grows. Zero is the empty text; s is NUL-terminated, or NULL while nothing was added.
 */
struct text {
    char *s;
    size_t len, room;
};

void text_add(struct text *t, const char *s);
void text_addn(struct text *t, const char *s, size_t n);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_vaddf(struct text *t, const char *fmt, va_list ap);
void text_json(struct text *t, const char *s); /* s as a JSON string, quoted and escaped */
/* s as a field of RFC 4180: in quotes where it needs them, escaped (escape.h) but for line ends. */
void text_csv(struct text *t, const char *s);
void text_real(struct text *t, double v); /* the shortest decimal that reads back as v */
void text_clear(struct text *t);          /* frees; the text is empty again */

/* Whether c continues a character of UTF-8: characters are counted by the bytes that do not. */
static inline bool text_continues(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* The ending of a word that is counted: "%d run%s". */
static inline const char *text_plural(long long n) { return n == 1 ? "" : "s"; }

/* Adds 25,557,032. */
void text_thousands(struct text *t, unsigned long long v);

/* The one of n candidates that word is most likely a misspelling of, or NULL. */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);
/* Shortens in place every word of s that has more than 200 characters: nobody reads it, and what is
 * said of it would be lost behind it. "aaaa...aaaa" is its beginning and its end. Returns s. */
char *text_shorten(char *s);
#endif
