#ifndef CORE_BASE_WIDTH_H
#define CORE_BASE_WIDTH_H
#include "core/base/text.h"

/* Texts on a screen, measured in its columns: a wide character (CJK, emoji) takes two, a combining
 * one none, an escape sequence such as \033[1m none. Wide and combining characters are known where
 * LC_CTYPE is one of UTF-8, which main sets; otherwise each character takes one column. */
int text_width(const char *s);              /* s NULL: 0 */
int text_width_of(const char *s, size_t n); /* of its first n bytes */

/* Adds n bytes of foreign text as they may be shown on one line: tabs and line ends as blanks, the
 * rest escaped (escape.h). */
void text_shown(struct text *t, const char *s, size_t n);

/* Adds s, cut with an ellipsis where it is wider than so many columns. Escape sequences behind the
 * cut are kept, so that bold ends. */
void text_cut(struct text *t, const char *s, int columns);

/* The first line of s where it is wrapped at blanks to so many columns, at least 1: the bytes of
 * it, and in *next where the next line begins. A word that is wider than a line is broken, behind
 * one of / . _ , where it has any. */
size_t text_line(const char *s, int columns, const char **next);

/* Adds s wrapped at blanks: `first` before its first line, as many blanks before the others. Each
 * line ends in a line end. columns 0: one line. */
void text_wrapped(struct text *t, const char *first, const char *s, int columns);
#endif
