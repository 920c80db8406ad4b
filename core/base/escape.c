#include "core/base/escape.h"
#include <stdlib.h>
#include <string.h>

/* The code point at s, of n bytes that are there, and its bytes; 0 bytes where none of UTF-8
 * begins: RFC 3629, so no surrogates and nothing longer than it need be. */
static size_t code_point(const char *s, size_t n, unsigned *code)
{
    static const struct {
        unsigned char first, last, low, high; /* of the first byte, and of the second */
    } rows[] = {
        { 0xc2, 0xdf, 0x80, 0xbf }, { 0xe0, 0xe0, 0xa0, 0xbf }, { 0xe1, 0xec, 0x80, 0xbf },
        { 0xed, 0xed, 0x80, 0x9f }, { 0xee, 0xef, 0x80, 0xbf }, { 0xf0, 0xf0, 0x90, 0xbf },
        { 0xf1, 0xf3, 0x80, 0xbf }, { 0xf4, 0xf4, 0x80, 0x8f },
    };
    const unsigned char *b = (const unsigned char *)s;
    *code = b[0];
    if (b[0] < 0x80) return 1;
    const size_t len = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    bool is = false;
    for (size_t i = 0; len <= n && i < sizeof rows / sizeof *rows; i++)
        is = is || (b[0] >= rows[i].first && b[0] <= rows[i].last && b[1] >= rows[i].low &&
                    b[1] <= rows[i].high);
    *code = b[0] & (0xffu >> (len + 1));
    for (size_t k = 1; is && k < len; k++) {
        is = text_continues(s[k]);
        *code = *code << 6 | (b[k] & 0x3f);
    }
    return is ? len : 0;
}

static bool code_is_safe(unsigned code)
{
    static const unsigned ranges[][2] = {
        { 0, 0x1f },        { 0x7f, 0x9f },     { 0x61c, 0x61c },   { 0x200e, 0x200f },
        { 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0x206a, 0x206f }, /* deprecated marks */
        { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },                     /* notes between lines */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1]) return false;
    return true;
}

static bool is_kept(unsigned code, const char *keep)
{
    return code && code < 0x80 && strchr(keep, (int)code);
}

/* How many of n bytes are plain: printable ASCII, which most texts are all of. */
static size_t plain_run(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i] >= 0x20 && s[i] < 0x7f) i++;
    return i;
}

void text_escaped(struct text *t, const char *s, size_t n, const char *keep)
{
    for (size_t i = 0, len; i < n; i += len ? len : 1) {
        unsigned code;
        if ((len = plain_run(s + i, n - i))) {
            text_addn(t, s + i, len);
            continue;
        }
        len = code_point(s + i, n - i, &code);
        if (len && (code_is_safe(code) || is_kept(code, keep)))
            text_addn(t, s + i, len);
        else if (len > 1)
            text_addf(t, "\\u%04x", code);
        else
            text_addf(t, "\\x%02x", (unsigned char)s[i]);
    }
}

void text_json_escaped(struct text *t, const char *json)
{
    const size_t n = strlen(json);
    for (size_t i = 0, len; i < n; i += len ? len : 1) {
        unsigned code;
        if ((len = plain_run(json + i, n - i))) {
            text_addn(t, json + i, len);
            continue;
        }
        len = code_point(json + i, n - i, &code);
        if (!len)
            text_addf(t, "\\\\x%02x", (unsigned char)json[i]);
        else if (code_is_safe(code) || is_kept(code, "\t\n"))
            text_addn(t, json + i, len);
        else
            text_addf(t, "\\u%04x", code);
    }
}

const char *text_escape(struct text *t)
{
    struct text escaped = { NULL, 0, 0 };
    if (t->len) text_escaped(&escaped, t->s, t->len, "\n");
    text_add(&escaped, "");
    text_clear(t);
    *t = escaped;
    return t->s;
}

void text_json(struct text *t, const char *s)
{
    struct text quoted = { NULL, 0, 0 };
    text_add(&quoted, "\"");
    while (*s) {
        const size_t plain = strcspn(s, "\"\\\t\n");
        text_addn(&quoted, s, plain);
        s += plain;
        if (*s == '\t' || *s == '\n')
            text_addf(&quoted, "\\u%04x", (unsigned char)*s++);
        else if (*s)
            text_addf(&quoted, "\\%c", *s++);
    }
    text_add(&quoted, "\"");
    text_json_escaped(t, quoted.s);
    text_clear(&quoted);
}

void text_csv(struct text *t, const char *s)
{
    struct text field = { NULL, 0, 0 };
    text_escaped(&field, s, strlen(s), "\t\r\n");
    const char *quote = strpbrk(s, ",\"\r\n") ? "\"" : "";
    text_add(t, quote);
    for (const char *c = field.s; c && *c; c++) {
        if (*c == '"') text_add(t, "\"");
        text_addn(t, c, 1);
    }
    text_add(t, quote);
    text_clear(&field);
}
