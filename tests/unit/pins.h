#ifndef TESTS_UNIT_PINS_H
#define TESTS_UNIT_PINS_H
/* Digests of what the program computes, by name, against those that a golden file holds for the
 * instruction set in use: tests/golden/numerics/ISA.txt, whose first line is "numerics VERSION" and
 * every other "DIGEST NAME". */
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/numerics.h"
#include "core/base/text.h"
#include "core/kernels/kernels.h"
#include "tests/unit/unit.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PINS_COMMAND "SENET_EXP_GOLDEN=1 build/tests/unit/test_numerics"

struct pin {
    const char *name;
    char digest[DIGEST_TEXT];
};

struct pins {
    struct pin *list;
    int n, room;
    int version; /* of the numerics; 0: there is no file */
    struct pool pool;
};

static inline void pins_clear(struct pins *p)
{
    free(p->list);
    pool_clear(&p->pool);
}

static inline const struct pin *pins_find(const struct pins *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->list[i].name, name) == 0) return &p->list[i];
    return NULL;
}

/* name: of the pool */
static inline void pins_add(struct pins *p, const char *name, const char *digest)
{
    ck_assert_msg(!pins_find(p, name), "two cases are called %s", name);
    if (p->n == p->room) {
        p->room = 2 * p->room + 64;
        p->list = mem_grow(p->list, (size_t)p->room, sizeof *p->list);
    }
    struct pin *one = &p->list[p->n++];
    one->name = name;
    snprintf(one->digest, sizeof one->digest, "%s", digest);
}

static inline void pin(struct pins *p, const char *name, uint64_t digest)
{
    char hex[DIGEST_TEXT];
    digest_text(digest, hex);
    pins_add(p, name, hex);
}

static inline const char *pins_path(struct pool *p, const char *isa)
{
    return pool_textf(p, "tests/golden/numerics/%s.txt", isa);
}

/* The golden file of an instruction set. */
static inline struct pins pins_read(const char *isa)
{
    struct pins p = { 0 };
    struct bytes b;
    struct err e;
    const char *path = pins_path(&p.pool, isa);
    if (!file_exists(path)) return p;
    ck_assert_msg(file_read(path, &b, &e), "%s", e.text);
    char *at = (char *)b.data, *end;
    ck_assert_msg(sscanf(at, "numerics %d", &p.version) == 1, "%s: no version", path);
    for (at = strchr(at, '\n') + 1; (end = strchr(at, '\n')); at = end + 1) {
        *end = 0;
        ck_assert_msg(strlen(at) > DIGEST_TEXT && at[DIGEST_TEXT - 1] == ' ', "%s: \"%s\"", path,
                      at);
        at[DIGEST_TEXT - 1] = 0;
        pins_add(&p, pool_text(&p.pool, at + DIGEST_TEXT), at);
    }
    free(b.data);
    return p;
}

/* Names whose digests moved, and how many. */
static inline int pins_moved(const struct pins *now, const struct pins *pinned, struct text *names)
{
    enum { NAMED = 12 };
    int moved = 0;
    for (int i = 0; i < now->n; i++) {
        const struct pin *was = pins_find(pinned, now->list[i].name);
        if (!was || strcmp(was->digest, now->list[i].digest) == 0) continue;
        if (moved++ < NAMED) text_addf(names, "\n  %s", now->list[i].name);
    }
    if (moved > NAMED) text_addf(names, "\n  and %d more", moved - NAMED);
    return moved;
}

/* Refuses to pin other numbers under the same version. */
static inline void pins_write(const struct pins *now, const struct pins *pinned)
{
    struct text names = { 0 }, out = { 0 };
    struct pool pool = { 0 };
    struct err e;
    const char *path = pins_path(&pool, kernels->isa);
    int moved = pins_moved(now, pinned, &names);
    ck_assert_msg(
        moved == 0 || pinned->version != NUMERICS_VERSION,
        "%s: the numbers changed in %d of %d cases, and NUMERICS_VERSION still is %d:%s\nRaise it "
        "(core/base/numerics.h). Where no run was ever made with that version, remove the file.",
        path, moved, now->n, NUMERICS_VERSION, names.s);
    text_addf(&out, "numerics %d\n", NUMERICS_VERSION);
    for (int i = 0; i < now->n; i++)
        text_addf(&out, "%s %s\n", now->list[i].digest, now->list[i].name);
    ck_assert_msg(dir_make("tests/golden/numerics", &e) && file_write(path, out.s, out.len, &e),
                  "%s", e.text);
    fprintf(stderr, "%s: %d pinned\n", path, now->n);
    text_clear(&names);
    text_clear(&out);
    pool_clear(&pool);
}

static inline void pins_check(const struct pins *now, const struct pins *pinned)
{
    struct text names = { 0 };
    ck_assert_msg(pinned->version == NUMERICS_VERSION,
                  "%s: pinned under version %d of the numerics, the program is of version %d: "
                  "run " PINS_COMMAND,
                  kernels->isa, pinned->version, NUMERICS_VERSION);
    int moved = pins_moved(now, pinned, &names);
    ck_assert_msg(moved == 0,
                  "%s: the numbers changed in %d of %d cases:%s\nRaise NUMERICS_VERSION "
                  "(core/base/numerics.h) and run " PINS_COMMAND " to pin the new ones.",
                  kernels->isa, moved, now->n, names.s);
    for (int i = 0; i < now->n; i++)
        ck_assert_msg(pins_find(pinned, now->list[i].name),
                      "%s: \"%s\" is not pinned yet: run " PINS_COMMAND, kernels->isa,
                      now->list[i].name);
    ck_assert_msg(now->n == pinned->n,
                  "%s: %d pinned, %d cases: run " PINS_COMMAND
                  " where one is taken away on purpose",
                  kernels->isa, pinned->n, now->n);
    text_clear(&names);
}

/* Compares with the golden file of the instruction set in use, or writes it. */
static inline void pins_settle(const struct pins *now)
{
    struct pins pinned = pins_read(kernels->isa);
    if (getenv("SENET_EXP_GOLDEN"))
        pins_write(now, &pinned);
    else
        pins_check(now, &pinned);
    pins_clear(&pinned);
}
#endif
