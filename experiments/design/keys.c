/* The keys of an experiment that are no settings: its name, question, paper table and seeds. */
#include "experiments/design/builder.h"
#include "experiments/spec/paper.h"
#include <stdlib.h>
#include <string.h>

static const char *top_text(struct draft *f, enum top t)
{
    const struct value *v = f->top[t];
    if (!v) return NULL;
    if (v->kind == VALUE_SCALAR) return v->text;
    diag_at(f->d, v, NULL, "%s: a text is expected", v->key->text);
    return NULL;
}

/* Names become folders: no separators, nothing hidden, nothing a shell would take apart. */
static bool name_is_good(const char *s, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char name[101];
    if (!len || len > 100 || *s == '.' || *s == '-') return false;
    memcpy(name, s, len);
    name[len] = 0;
    for (const char *c = name; *c; c++)
        if (!strchr(letters, *c) && !strchr("0123456789-_.", *c)) return false;
    return true;
}

/* The experiment's name, by default that of its file. */
static void top_experiment(struct draft *f)
{
    const char *name = top_text(f, TOP_EXPERIMENT);
    const struct value *v = f->top[TOP_EXPERIMENT];
    if (name) {
        if (!name_is_good(name, strlen(name)))
            diag_at(f->d, v, "it names a folder: up to 100 letters, digits, '-', '_' and '.'",
                    "experiment: \"%s\" is no name for an experiment", name);
        f->out->experiment = name;
        return;
    }
    const char *path = f->request->path ? f->request->path : "unnamed";
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t len = dot ? (size_t)(dot - base) : strlen(base);
    f->out->experiment = pool_textf(f->pool, "%.*s", (int)len, base);
    if (!v && !name_is_good(base, len))
        diag_at(f->d, NULL, NULL,
                "%s: experiment: is missing, and the file's own name cannot stand for it", path);
}

static void top_mirrors(struct draft *f)
{
    const char *name = top_text(f, TOP_MIRRORS);
    f->out->mirrors = name;
    if (!name || paper_table_named(name)) return;
    const char *names[64];
    size_t n = 0;
    struct text list = { NULL, 0, 0 };
    for (; n < 64 && paper_tables[n].name; n++) {
        names[n] = paper_tables[n].name;
        text_addf(&list, "%s%s", n ? ", " : "", names[n]);
    }
    const char *near = text_nearest(name, names, n);
    diag_at(f->d, f->top[TOP_MIRRORS],
            near ? pool_textf(&f->d->pool, "did you mean %s?", near) : NULL,
            "mirrors: \"%s\" is not one of %s", name, list.s);
    text_clear(&list);
}

/* Digits only; up to 2^32 - 1, which every reader of JSON keeps exactly. */
static bool seed_read(const struct value *v, uint64_t *seed)
{
    if (v->kind != VALUE_SCALAR || !*v->text || strlen(v->text) > 10) return false;
    if (strspn(v->text, "0123456789") != strlen(v->text)) return false;
    *seed = strtoull(v->text, NULL, 10);
    return *seed <= UINT32_MAX;
}

static void seeds_count(struct draft *f, const struct value *v)
{
    uint64_t n;
    if (!seed_read(v, &n) || n < 1 || n > SEEDS_MAX) {
        diag_at(f->d, v, NULL,
                "seeds: a list of distinct integers >= 0, or how many (1..%d), is expected",
                SEEDS_MAX);
        n = 1;
    }
    f->out->n_seeds = (int)n;
    f->out->seeds = pool_new(f->pool, (size_t)n, sizeof *f->out->seeds);
    for (uint64_t i = 0; i < n; i++) f->out->seeds[i] = i + 1;
}

static void seeds_list(struct draft *f, const struct value *list)
{
    struct design *d = f->out;
    d->seeds = pool_new(f->pool, SEEDS_MAX, sizeof *d->seeds);
    if (!list->first) diag_at(f->d, list, NULL, "seeds: the list is empty");
    for (const struct value *v = list->first; v; v = v->next) {
        uint64_t seed;
        bool twice = false;
        if (!seed_read(v, &seed)) {
            diag_at(f->d, v, NULL, "seeds: an integer 0..4294967295 is expected");
            continue;
        }
        for (int i = 0; i < d->n_seeds; i++) twice |= d->seeds[i] == seed;
        if (twice) {
            diag_at(f->d, v, NULL, "seeds: %s is given twice", v->text);
            continue;
        }
        if (d->n_seeds == SEEDS_MAX) {
            diag_at(f->d, v, NULL, "seeds: more than %d", SEEDS_MAX);
            return;
        }
        d->seeds[d->n_seeds++] = seed;
    }
}

/* seeds: [3, 5, 8], or the number N, which means 1 .. N; without it seed 1. */
static void top_seeds(struct draft *f)
{
    const struct value *v = f->top[TOP_SEEDS];
    static const struct value one = { .kind = VALUE_SCALAR, .text = "1" };
    if (v && v->kind == VALUE_LIST)
        seeds_list(f, v);
    else
        seeds_count(f, v ? v : &one);
}

/* Prose, in one line however it was wrapped. A file does not ask what the command line sweeps. */
static void top_question(struct draft *f)
{
    if (f->new_axes && f->top_layer[TOP_QUESTION] < f->n_layers - 1) return;
    const char *from = top_text(f, TOP_QUESTION);
    if (!from) return;
    char *to = pool_text(f->pool, from);
    size_t len = 0;
    for (; *from; from++) {
        bool space = strchr(" \t\r\n", *from) != NULL;
        if (!space) to[len++] = *from;
        if (space && len && to[len - 1] != ' ') to[len++] = ' ';
    }
    if (len && to[len - 1] == ' ') len--;
    to[len] = 0;
    f->out->question = to;
}

void draft_top(struct draft *f)
{
    top_experiment(f);
    top_question(f);
    top_mirrors(f);
    top_seeds(f);
}
