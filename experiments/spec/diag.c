/* Diagnoses: collected with the place they speak of, printed with the line and a caret. Columns
 * that are named count characters (code points of UTF-8), as libyaml does; the caret stands where
 * the screen has that character. */
#include "experiments/spec/diag.h"
#include "core/base/width.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { DIAG_TEXT = 2000 }; /* bytes of a message at most */

struct source {
    const char *file, *text;
    struct source *next; /* in the order in which files were read */
};

/* A piece of a line. */
struct span {
    const char *s;
    size_t len;
};

void diags_source(struct diags *d, const char *file, const char *text)
{
    struct source **end = &d->sources;
    while (*end) end = &(*end)->next;
    *end = pool_new(&d->pool, 1, sizeof **end);
    (*end)->file = pool_text(&d->pool, file);
    (*end)->text = pool_text(&d->pool, text);
}

size_t line_break(const char *s)
{
    const unsigned char c = (unsigned char)*s;
    if (c > '\r' && c != 0xc2 && c != 0xe2) return 0; /* nearly always */
    static const char *const breaks[] = { "\r\n",     "\n",           "\r",
                                          "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9" };
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++)
        if (strncmp(s, breaks[i], strlen(breaks[i])) == 0) return strlen(breaks[i]);
    return 0;
}

/* The line of a file, without its end; s NULL where there is none. */
static struct span source_line(const struct diags *d, const char *file, int line)
{
    const struct source *s = d->sources;
    while (s && strcmp(s->file, file) != 0) s = s->next;
    if (!s) return (struct span){ NULL, 0 };
    const char *at = s->text;
    while (line > 1 && *at) {
        size_t broken = line_break(at);
        line -= broken > 0;
        at += broken ? broken : 1;
    }
    if (line > 1) return (struct span){ NULL, 0 };
    size_t len = 0;
    while (at[len] && !line_break(at + len)) len++;
    return (struct span){ at, len };
}

static int span_characters(struct span s)
{
    int n = 0;
    for (size_t i = 0; i < s.len; i++) n += !text_continues(s.s[i]);
    return n;
}

/* What is left of s after so many characters. */
static struct span span_skip(struct span s, int characters)
{
    while (s.len && (characters > 0 || text_continues(*s.s))) {
        characters -= !text_continues(*s.s);
        s.s++, s.len--;
    }
    while (s.len && text_continues(*s.s)) s.s++, s.len--;
    return s;
}

/* Bytes up to the quote that closes the one at the start. */
static size_t quoted_len(struct span s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.s[i] == '\\' && *s.s == '"')
            i++;
        else if (s.s[i] == *s.s)
            return i + 1;
    }
    return s.len;
}

/* Bytes up to the bracket that closes the one at the start; the whole line where none does. */
static size_t bracketed_len(struct span s)
{
    int depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.s[i];
        if (c == '"' || c == '\'') i += quoted_len((struct span){ s.s + i, s.len - i }) - 1;
        depth += (c == '[' || c == '{') - (c == ']' || c == '}');
        if (!depth) return i + 1;
    }
    return s.len;
}

/* How many characters of its line the value v covers; s is the line from where v begins. */
static int value_width(const struct value *v, struct span s)
{
    size_t len = 1;
    const char *word = v->kind == VALUE_SCALAR     ? v->text
                       : v->first && v->first->key ? v->first->key->text
                                                   : "-";
    if (!s.len) return 1;
    if (*s.s == '"' || *s.s == '\'')
        len = quoted_len(s);
    else if (v->kind != VALUE_SCALAR && (*s.s == '[' || *s.s == '{'))
        len = bracketed_len(s);
    else if (strlen(word) <= s.len && strncmp(s.s, word, strlen(word)) == 0)
        len = strlen(word);
    int width = span_characters((struct span){ s.s, len < s.len ? len : s.len });
    return width > 1 ? width : 1;
}

static bool text_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Was the same said of the same place? */
static bool diags_have(const struct diags *d, const struct diag *new)
{
    for (int i = 0; i < d->count; i++) {
        const struct diag *o = &d->list[i];
        if (o->line == new->line && o->column == new->column &&text_same(o->file, new->file) &&
            text_same(o->text, new->text))
            return true;
    }
    return false;
}

/* A new one, with copies of file and text, or NULL: it is there already, or one too many. */
static struct diag *diags_add(struct diags *d, struct diag new, const char *fmt, va_list ap)
{
    struct text t = { NULL, 0, 0 };
    struct diag *added = NULL;
    text_vaddf(&t, fmt, ap);
    new.text = text_shorten(t.s);
    if (t.len > DIAG_TEXT) t.s[DIAG_TEXT] = 0;
    if (diags_have(d, &new)) {
        text_clear(&t);
        return NULL;
    }
    if (d->count == DIAGS_KEPT) {
        d->left_out++;
    } else {
        if (!d->list) d->list = pool_new(&d->pool, DIAGS_KEPT, sizeof *d->list);
        added = &d->list[d->count++];
        *added = new;
        added->text = pool_text(&d->pool, t.s);
        if (new.file) added->file = pool_text(&d->pool, new.file);
    }
    text_clear(&t);
    return added;
}

void diag_at(struct diags *d, const struct value *v, const char *hint, const char *fmt, ...)
{
    struct diag new = { .file = NULL };
    va_list ap;
    if (v) new = (struct diag){ .file = v->file, .line = v->line, .column = v->column };
    va_start(ap, fmt);
    struct diag *added = diags_add(d, new, fmt, ap);
    va_end(ap);
    if (!added) return;
    if (hint) added->hint = text_shorten(pool_text(&d->pool, hint));
    if (v)
        added->width = value_width(v, span_skip(source_line(d, v->file, v->line), v->column - 1));
}

void diag_place(struct diags *d, const char *file, int line, int column, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diags_add(d, (struct diag){ .file = file, .line = line, .column = column, .width = 1 }, fmt,
              ap);
    va_end(ap);
}

/* As it may be shown: control characters would move the cursor. */
static struct text span_shown(struct span s)
{
    struct text t = { 0 };
    text_shown(&t, s.s, s.len);
    text_add(&t, "");
    return t;
}

static int span_width(struct span s)
{
    struct text t = span_shown(s);
    int width = text_width(t.s);
    text_clear(&t);
    return width;
}

static void span_print(FILE *f, struct span s)
{
    struct text t = span_shown(s);
    fputs(t.s, f);
    text_clear(&t);
}

static void print_text(FILE *f, const char *s) { span_print(f, (struct span){ s, strlen(s) }); }

/* The line and the caret; of a long line the part around the caret. */
static void diag_quote(const struct diags *d, const struct diag *g, FILE *f)
{
    enum { SHOWN = 100, BEFORE = 40 };
    struct span line = source_line(d, g->file, g->line);
    if (!line.s) return;
    int all = span_characters(line), skipped = 0;
    if (all > SHOWN && g->column > BEFORE) skipped = g->column - BEFORE;
    line = span_skip(line, skipped);
    struct span rest = span_skip(line, SHOWN);
    struct span shown = { line.s, line.len - rest.len };
    struct span marked = span_skip(shown, g->column - skipped - 1);
    struct span before = { shown.s, shown.len - marked.len };
    int past = g->column - skipped - 1 - span_characters(before); /* the end of the line */
    marked.len -= span_skip(marked, g->width).len;
    fprintf(f, "%5d | %s", g->line, skipped ? "..." : "");
    span_print(f, shown);
    fprintf(f, "%s\n      | %*s^", rest.len ? "..." : "",
            (skipped ? 3 : 0) + span_width(before) + past, "");
    for (int i = 1; i < span_width(marked); i++) fputc('~', f);
    fputc('\n', f);
}

static void diag_print(const struct diags *d, const struct diag *g, FILE *f)
{
    if (g->file) {
        print_text(f, g->file);
        fprintf(f, ":%d:%d: error: ", g->line, g->column);
    } else {
        fputs("senet-exp: ", f);
    }
    print_text(f, g->text);
    fputc('\n', f);
    if (g->file) diag_quote(d, g, f);
    if (!g->hint) return;
    fputs("  ", f);
    print_text(f, g->hint);
    fputc('\n', f);
}

/* The place of a file in the order of reading; what has no place comes last. */
static int source_rank(const struct diags *d, const char *file)
{
    int rank = 0;
    const struct source *s = d->sources;
    for (; s && !(file && strcmp(s->file, file) == 0); s = s->next) rank++;
    return rank;
}

struct ranked {
    const struct diag *diag;
    int rank;
};

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    if (x->diag->line != y->diag->line) return x->diag->line < y->diag->line ? -1 : 1;
    if (x->diag->column != y->diag->column) return x->diag->column < y->diag->column ? -1 : 1;
    return x->diag < y->diag ? -1 : x->diag > y->diag;
}

void diags_print(const struct diags *d, FILE *f)
{
    struct ranked order[DIAGS_KEPT] = { { 0 } };
    for (int i = 0; i < d->count; i++)
        order[i] = (struct ranked){ &d->list[i], source_rank(d, d->list[i].file) };
    qsort(order, (size_t)d->count, sizeof *order, ranked_compare);
    int shown = d->count < DIAGS_PRINTED ? d->count : DIAGS_PRINTED;
    for (int i = 0; i < shown; i++) diag_print(d, order[i].diag, f);
    if (d->count + d->left_out > shown)
        fprintf(f, "... and %d more like these\n", d->count + d->left_out - shown);
}

void diags_clear(struct diags *d)
{
    pool_clear(&d->pool);
    *d = (struct diags){ NULL, 0, 0, { NULL }, NULL };
}
