#include "core/base/text.h"
#include "core/base/mem.h"
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text_reserve(struct text *t, size_t more)
{
    size_t need = t->len + more + 1;
    if (t->s && need <= t->room) return;
    t->room = need > 2 * t->room ? need : 2 * t->room;
    t->s = mem_grow(t->s, t->room, 1);
}

void text_addn(struct text *t, const char *s, size_t n)
{
    text_reserve(t, n);
    if (n) memcpy(t->s + t->len, s, n);
    t->len += n;
    t->s[t->len] = 0;
}

void text_add(struct text *t, const char *s) { text_addn(t, s, strlen(s)); }

void text_vaddf(struct text *t, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    text_reserve(t, (size_t)len);
    vsnprintf(t->s + t->len, (size_t)len + 1, fmt, again);
    va_end(again);
    t->len += (size_t)len;
}

void text_addf(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vaddf(t, fmt, ap);
    va_end(ap);
}

void text_real(struct text *t, double v)
{
    if (!isfinite(v)) { /* JSON has no such number */
        text_add(t, "null");
        return;
    }
    char shortest[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*g", digits, v);
        if (strtod(shortest, NULL) == v) break;
    }
    text_add(t, shortest);
}

void text_clear(struct text *t)
{
    free(t->s);
    *t = (struct text){ NULL, 0, 0 };
}

enum { WORD_MAX = 64 };

/* Edits (insert, delete, replace, swap of neighbours) that make b of a, ignoring case. */
static int text_distance(const char *a, const char *b)
{
    int rows[3][WORD_MAX + 1];
    int la = (int)strlen(a), lb = (int)strlen(b);
    for (int j = 0; j <= lb; j++) rows[0][j] = j;
    for (int i = 1; i <= la; i++) {
        int *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= lb; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            int best = last[j - 1] + (ca != cb);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                cb == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[la % 3][lb];
}

/* How far apart the numbers are that two words end in; 0 where one ends in none. */
static long number_distance(const char *a, const char *b)
{
    const char *const words[] = { a, b };
    long last[2];
    for (int i = 0; i < 2; i++) {
        const char *end = words[i] + strlen(words[i]), *s = end;
        while (s > words[i] && isdigit((unsigned char)s[-1])) s--;
        if (s == end) return 0;
        last[i] = strtol(s, NULL, 10);
    }
    return labs(last[0] - last[1]);
}

/* Of two as few edits away: resnet50 for resnet51, not resnet56. */
static bool number_nearer(const char *word, const char *a, const char *b)
{
    return b && number_distance(word, a) < number_distance(word, b);
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t len = strlen(word);
    const char *nearest = NULL;
    int best = (int)(len + 5) / 3; /* one edit in two letters, two in four, three in seven */
    if (len > WORD_MAX) return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strlen(candidates[i]) > WORD_MAX) continue;
        int d = text_distance(word, candidates[i]);
        bool nearer = d == best && number_nearer(word, candidates[i], nearest);
        if ((d >= best && !nearer) || d >= (int)len) continue;
        best = d;
        nearest = candidates[i];
    }
    return nearest;
}

void text_thousands(struct text *t, unsigned long long v)
{
    if (v < 1000)
        text_addf(t, "%llu", v);
    else
        text_thousands(t, v / 1000), text_addf(t, ",%03llu", v % 1000);
}

enum { WORD_SHOWN = 200, WORD_BEGIN = 100, WORD_END = 40 };

/* The place of the k-th character of s, counted from its end where k is negative. */
static const char *character_at(const char *s, const char *end, int k)
{
    if (k < 0) {
        for (s = end; k < 0; k++) do
                s--;
            while (text_continues(*s));
        return s;
    }
    while (k > 0 && s < end) {
        do s++;
        while (s < end && text_continues(*s));
        k--;
    }
    return s;
}

char *text_shorten(char *s)
{
    char *to = s;
    for (const char *word = s; *word;) {
        const char *end = word + strcspn(word, " \t\n");
        if (character_at(word, end, WORD_SHOWN) < end) {
            const char *begun = character_at(word, end, WORD_BEGIN),
                       *last = character_at(word, end, -WORD_END);
            memmove(to, word, (size_t)(begun - word));
            to += begun - word;
            memcpy(to, "...", 3);
            to += 3;
            word = last;
        }
        end += strspn(end, " \t\n");
        memmove(to, word, (size_t)(end - word));
        to += end - word;
        word = end;
    }
    *to = 0;
    return s;
}
