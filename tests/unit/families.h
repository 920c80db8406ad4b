#ifndef TESTS_UNIT_FAMILIES_H
#define TESTS_UNIT_FAMILIES_H
/* What tests know of each family of networks: tests/families/NAME.txt. Lines that begin with one of
 * these words are read, KEY=VALUE by KEY=VALUE; all others are for people.
 *
 *   count backbone=NAME trainable= statistics= macs= adds= se_weights= se= scaling= OPTION=VALUE
 * ... a member at its natural size: parameters and multiply-adds of the plain network, and what
 *       standard SE blocks with r = 16 add (tests/unit/test_models.c); every member has one
 *   place backbone=NAME placement= se_weights= se= scaling= OPTION=VALUE
 * ... what SE blocks with r = 16 add at another place
 *   small backbone=NAME width= size= batch= OPTION=VALUE ...
 *       a network for tests of whole steps (tests/unit/small_nets.h), as small as shows all that
 *       the family does; one at least. damped=NAME: norms with NAME in theirs begin ten times
 *       smaller. bf16=COSINE: the least between the gradients of a step in bf16 and in floats,
 *       whatever the SE block; without it only the loss is compared. bf16_standard=COSINE: with
 *       standard SE blocks, 0.93 without it. bf16_loss=SHARE: the most that the loss in bf16 may be
 *       off by, 0.02 without it. pin=placements: its numbers are pinned at every
 *       placement (tests/unit/test_numerics.c); one of each family at least
 *
 * Whatever is none of these keys is an option of the family. The files are read before tests run,
 * so that what is wrong in them is a bug, not a failed test. */
#include "core/base/mem.h"
#include "core/models/model.h"
#include "tests/unit/settings.h"
#include <stdio.h>
#include <stdlib.h>

/* Takes KEY=VALUE off a line, which it cuts in place; false at its end. */
static inline bool word_next(char **line, const char **key, const char **value)
{
    char *word = *line + strspn(*line, " \n"), *equals = strchr(word, '=');
    if (!*word) return false;
    BUG_IF(!equals, "\"%s\" is not KEY=VALUE", word);
    char *end = word + strcspn(word, " \n");
    *line = *end ? end + 1 : end;
    *equals = *end = 0;
    *key = word;
    *value = equals + 1;
    return true;
}

static inline double word_number(const char *value)
{
    char *end;
    double v = strtod(value, &end);
    BUG_IF(!*value || *end, "\"%s\" is not a number", value);
    return v;
}

/* Sets a family's options from "KEY=VALUE KEY=VALUE"; NULL: none. */
static inline void options_set(const struct backbone *b, void *options, const char *text)
{
    const char *key, *value;
    struct pool p = { NULL };
    char *line = pool_text(&p, text ? text : "");
    while (word_next(&line, &key, &value)) setting(b->family->fields, options, key, value);
    pool_clear(&p);
}

/* "a=1" and b, 2 make "a=1 b=2". */
static inline const char *options_add(struct pool *p, const char *options, const char *key,
                                      const char *value)
{
    if (!options) return pool_textf(p, "%s=%s", key, value);
    return pool_textf(p, "%s %s=%s", options, key, value);
}

/* Gives each line of a family that begins with `kind` to a reader, without that word. */
static inline void family_lines(const struct model_family *f, const char *kind,
                                void (*reader)(void *ctx, char *line), void *ctx)
{
    char path[128], line[512];
    const size_t len = strlen(kind);
    snprintf(path, sizeof path, "tests/families/%s.txt", f->name);
    FILE *in = fopen(path, "r");
    BUG_IF(!in, "%s has no %s: see tests/unit/families.h", f->name, path);
    while (fgets(line, sizeof line, in)) {
        BUG_IF(!strchr(line, '\n'), "%s: too long: %s", path, line);
        if (strncmp(line, kind, len) == 0 && line[len] == ' ') reader(ctx, line + len);
    }
    fclose(in);
}
#endif
