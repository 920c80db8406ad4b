#ifndef CORE_BASE_ESCAPE_H
#define CORE_BASE_ESCAPE_H
#include "core/base/text.h"

/* Foreign text (of experiment files, names, command lines, results folders) as it may stand where
 * people look: what moves a cursor, starts an escape sequence or turns the direction of reading is
 * written out. These are the control characters of ASCII and of U+0080 to U+009F, the separators of
 * lines and paragraphs, the marks of direction; and bytes that are no UTF-8. What is escaped stays
 * as it is when it is escaped again. */

/* Adds n bytes of s: \x1b, \u202e; the characters of ASCII in keep stay. */
void text_escaped(struct text *t, const char *s, size_t n, const char *keep);

/* Adds JSON that holds foreign texts: \u001b, \u202e, and \\xe9 for a byte, which reads as \xe9. */
void text_json_escaped(struct text *t, const char *json);

/* Escapes what t holds but its line ends. Returns its text, "" where it is empty. */
const char *text_escape(struct text *t);
#endif
