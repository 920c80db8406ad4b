#include "experiments/results/designs.h"
#include "core/base/file.h"
#include "core/base/lock.h"
#include "core/base/mem.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = DIGEST_TEXT - 1 };

static bool is_digest(const char *s, size_t len)
{
    return len == DIGITS && strspn(s, "0123456789abcdef") >= DIGITS;
}

void design_file_path(const char *dir, const struct design_file *f, struct text *path)
{
    if (f->early)
        text_addf(path, "%s/experiment.json", dir);
    else
        text_addf(path, "%s/designs/%s.json", dir, f->digest);
}

static int designs_find(const struct designs *d, const char *digest)
{
    for (int i = 0; i < d->n; i++)
        if (strcmp(d->all[i].digest, digest) == 0) return i;
    return -1;
}

/* The design that designs/WHICH names, or -1. */
static int designs_marked(const struct designs *d, const char *dir, const char *which)
{
    struct text path = { 0 };
    struct bytes b = { 0 };
    struct err e;
    int found = -1;
    text_addf(&path, "%s/designs/%s", dir, which);
    if (file_exists(path.s) && file_read(path.s, &b, &e)) {
        char *text = (char *)b.data;
        text[strcspn(text, "\n")] = 0;
        found = designs_find(d, text);
    }
    free(b.data);
    text_clear(&path);
    return found;
}

static void designs_append(struct designs *d, const char *digest, bool early)
{
    d->all = mem_grow(d->all, (size_t)d->n + 1, sizeof *d->all);
    struct design_file *f = &d->all[d->n++];
    *f = (struct design_file){ .early = early };
    memcpy(f->digest, digest, DIGITS);
}

static bool designs_read_folder(const char *dir, struct designs *d, struct err *e)
{
    struct text path = { 0 };
    char **names;
    size_t n;
    text_addf(&path, "%s/designs", dir);
    bool there = file_exists(path.s), ok = !there || dir_list(path.s, &names, &n, e);
    for (size_t i = 0; there && ok && i < n; i++) {
        size_t len = strlen(names[i]), stem = len > 5 ? len - 5 : 0;
        if (is_digest(names[i], stem) && strcmp(names[i] + stem, ".json") == 0)
            designs_append(d, names[i], false);
    }
    if (there && ok) dir_list_free(names, n);
    text_clear(&path);
    return ok;
}

static bool designs_read_early(const char *dir, struct designs *d, struct err *e)
{
    struct text path = { 0 };
    struct bytes b = { 0 };
    char digest[DIGEST_TEXT];
    design_file_path(dir, &(struct design_file){ .early = true }, &path);
    bool there = file_exists(path.s), ok = !there || file_read(path.s, &b, e);
    if (there && ok) {
        digest_text(digest_of(b.data, b.len), digest);
        if (designs_find(d, digest) < 0) designs_append(d, digest, true);
    }
    free(b.data);
    text_clear(&path);
    return ok;
}

bool designs_read(const char *dir, struct designs *d, struct err *e)
{
    *d = (struct designs){ .newest = -1, .main = -1 };
    if (!designs_read_folder(dir, d, e) || !designs_read_early(dir, d, e)) {
        designs_clear(d);
        return false;
    }
    d->newest = d->n == 1 ? 0 : designs_marked(d, dir, "newest");
    d->main = d->n == 1 && d->all[0].early ? 0 : designs_marked(d, dir, "main");
    return true;
}

void designs_clear(struct designs *d)
{
    free(d->all);
    *d = (struct designs){ .newest = -1, .main = -1 };
}

/* Fills e with `what` and the designs that there are. */
static int choose_refuse(const struct designs *d, struct err *e, const char *what)
{
    struct text all = { 0 };
    for (int i = 0; i < d->n; i++) text_addf(&all, "%s%.8s", i ? ", " : "", d->all[i].digest);
    err_set(e, "%s; its designs: %s", what, all.s);
    text_clear(&all);
    return -1;
}

static int choose_marked(const struct designs *d, const char *dir, const char *which, struct err *e)
{
    int at = strcmp(which, "main") == 0 ? d->main : d->newest;
    if (at >= 0) return at;
    struct text what = { 0 };
    text_addf(&what,
              "%s: which of its designs is the %s one is not known, since designs/%s does not say: "
              "name it with --design",
              dir, which, which);
    choose_refuse(d, e, what.s);
    text_clear(&what);
    return -1;
}

int designs_choose(const struct designs *d, const char *dir, const char *name, struct err *e)
{
    if (d->n == 0) {
        err_set(e,
                "%s is not a results folder: it holds no design; `senet-exp run` makes one with "
                "the first run",
                dir);
        return -1;
    }
    if (!name) name = "newest";
    if (strcmp(name, "newest") == 0 || strcmp(name, "main") == 0)
        return choose_marked(d, dir, name, e);
    int found = -1, fit = 0;
    for (int i = 0; i < d->n; i++) {
        if (strncmp(d->all[i].digest, name, strlen(name)) != 0) continue;
        found = i;
        fit++;
    }
    if (fit == 1) return found;
    struct text what = { 0 };
    text_addf(&what, "--design: %s of %s with \"%.40s\"", fit ? "several designs" : "no design",
              dir, name);
    choose_refuse(d, e, what.s);
    text_clear(&what);
    return -1;
}

int designs_lock(const char *dir, bool wait, struct err *e)
{
    struct text path = { 0 };
    text_addf(&path, "%s/designs/lock", dir);
    int fd = lock_take(path.s, wait, e);
    text_clear(&path);
    return fd;
}

bool design_file_read(const char *dir, const struct design_file *f, struct bytes *b, struct err *e)
{
    struct text path = { 0 };
    char digest[DIGEST_TEXT];
    design_file_path(dir, f, &path);
    bool ok = file_read(path.s, b, e);
    if (ok) {
        digest_text(digest_of(b->data, b->len), digest);
        ok = strcmp(digest, f->digest) == 0 ||
             err_set(e,
                     "%s: edited or cut since it was written: its name is not the digest of its "
                     "contents; move it away, and `senet-exp run` with the experiment's file "
                     "writes it anew",
                     path.s);
        if (!ok) free(b->data);
    }
    if (!ok) *b = (struct bytes){ 0 };
    text_clear(&path);
    return ok;
}

static bool mark_write(const char *dir, const char *which, const char *digest, struct err *e)
{
    struct text path = { 0 }, line = { 0 };
    text_addf(&path, "%s/designs/%s", dir, which);
    text_addf(&line, "%s\n", digest);
    bool ok = file_write(path.s, line.s, line.len, e);
    text_clear(&line);
    text_clear(&path);
    return ok;
}

bool designs_set_newest(const char *dir, const char *digest, struct err *e)
{
    return mark_write(dir, "newest", digest, e);
}

bool designs_set_main(const char *dir, const char *digest, struct err *e)
{
    return mark_write(dir, "main", digest, e);
}

static bool early_move(const char *dir, const struct designs *d, int early, struct err *e)
{
    const struct design_file *f = &d->all[early];
    struct text from = { 0 }, to = { 0 };
    design_file_path(dir, f, &from);
    text_addf(&to, "%s/designs/%s.json", dir, f->digest);
    bool ok = d->main >= 0 && d->main != early ? true : designs_set_main(dir, f->digest, e);
    ok = ok && (rename(from.s, to.s) == 0 ||
                err_set(e, "%s: cannot become %s: %s", from.s, to.s, strerror(errno)));
    text_clear(&to);
    text_clear(&from);
    return ok;
}

bool designs_adopt_early(const char *dir, struct err *e)
{
    struct designs d;
    bool ok = designs_read(dir, &d, e);
    for (int i = 0; ok && i < d.n; i++)
        if (d.all[i].early) ok = early_move(dir, &d, i, e);
    designs_clear(&d);
    return ok;
}

bool designs_put(const char *dir, const struct text *json, char digest[DIGEST_TEXT], struct err *e)
{
    struct text path = { 0 };
    digest_text(digest_of(json->s, json->len), digest);
    text_addf(&path, "%s/designs/%s.json", dir, digest);
    bool ok = file_write(path.s, json->s, json->len, e) && designs_set_newest(dir, digest, e);
    text_clear(&path);
    return ok;
}
