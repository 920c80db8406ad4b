#include "core/base/width.h"
#include "core/base/escape.h"
#include <string.h>
#include <wchar.h>

/* What moves the cursor at once: a character, or an escape sequence. */
struct glyph {
    size_t len; /* bytes */
    int width;  /* columns */
};

/* ESC [ parameters letter; 0 where s begins with none. */
static size_t escape_len(const char *s)
{
    if (s[0] != '\033' || s[1] != '[') return 0;
    size_t len = 2 + strspn(s + 2, "0123456789;");
    return s[len] >= '@' && s[len] <= '~' ? len + 1 : 0;
}

/* The code point at s and its bytes, of the n that are there; 0 bytes where it is none of UTF-8. */
static size_t utf8_decode(const char *s, size_t n, wchar_t *out)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char c = (unsigned char)*s;
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (len == 0 || len > n) return 0;
    unsigned v = len == 1 ? c : c & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (!text_continues(s[i])) return 0;
        v = v << 6 | ((unsigned char)s[i] & 0x3f);
    }
    *out = (wchar_t)v;
    return v >= least[len] && v < 0x110000 && !(v >= 0xd800 && v < 0xe000) ? len : 0;
}

static struct glyph glyph_of(const char *s, size_t n)
{
    wchar_t c = 0;
    size_t len = utf8_decode(s, n, &c);
    if (len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) return (struct glyph){ 1, 1 };
    int width = wcwidth(c);
    return (struct glyph){ len, width < 0 ? 1 : width };
}

static struct glyph glyph_at(const char *s)
{
    size_t escape = escape_len(s);
    return escape ? (struct glyph){ escape, 0 } : glyph_of(s, strlen(s));
}

int text_width_of(const char *s, size_t n)
{
    int width = 0;
    for (size_t i = 0; i < n;) {
        struct glyph g = glyph_at(s + i);
        width += g.width;
        i += g.len;
    }
    return width;
}

int text_width(const char *s) { return s ? text_width_of(s, strlen(s)) : 0; }

void text_shown(struct text *t, const char *s, size_t n)
{
    const size_t from = t->len;
    text_escaped(t, s, n, "\t\n\r");
    for (size_t i = from; i < t->len; i++)
        if (strchr("\t\n\r", t->s[i])) t->s[i] = ' ';
}

void text_cut(struct text *t, const char *s, int columns)
{
    bool whole = text_width(s) <= columns;
    int room = whole ? columns : columns - 1; /* of an ellipsis */
    for (bool cut = false; *s;) {
        struct glyph g = glyph_at(s);
        if (!cut && g.width > room) {
            if (columns > 0) text_add(t, "…");
            cut = true;
        }
        if (!cut || *s == '\033') text_addn(t, s, g.len);
        room -= g.width;
        s += g.len;
    }
}

size_t text_line(const char *s, int columns, const char **next)
{
    size_t at = 0, blank = 0, joint = 0; /* behind which the line may end; joint: within a word */
    int width = 0;
    while (s[at]) {
        struct glyph g = glyph_at(s + at);
        if (s[at] == ' ')
            blank = at;
        else if (width + g.width > columns && at > 0)
            break;
        width += g.width;
        at += g.len;
        if (strchr("/._,", s[at - 1])) joint = at;
    }
    size_t len = s[at] && blank ? blank : s[at] && joint ? joint : at;
    *next = s + len + strspn(s + len, " ");
    while (len && s[len - 1] == ' ') len--;
    return len;
}

void text_wrapped(struct text *t, const char *first, const char *s, int columns)
{
    int indent = text_width(first), room = columns - indent;
    text_add(t, first);
    do {
        const char *next = s + strlen(s);
        size_t len = columns ? text_line(s, room > 1 ? room : 1, &next) : strlen(s);
        text_addn(t, s, len);
        text_add(t, "\n");
        s = next;
        if (*s) text_addf(t, "%*s", indent, "");
    } while (*s);
}
