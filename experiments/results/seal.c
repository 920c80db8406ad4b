#include "experiments/results/seal.h"
#include "core/base/digest.h"
#include "core/base/err.h"
#include <string.h>

static const char object_end[] = "\n}\n";

static void seal_text(struct text *t, const void *data, size_t len)
{
    char digest[DIGEST_TEXT];
    digest_text(digest_of(data, len), digest);
    text_addf(t, ",\n\t\"digest\":\t\"%s\"%s", digest, object_end);
}

void seal_add(struct text *json)
{
    size_t end = sizeof object_end - 1;
    BUG_IF(json->len < end || strcmp(json->s + json->len - end, object_end) != 0,
           "no object that a seal could close");
    struct text seal = { 0 };
    json->len -= end;
    seal_text(&seal, json->s, json->len);
    text_add(json, seal.s);
    text_clear(&seal);
}

bool seal_holds(const unsigned char *data, size_t len)
{
    struct text seal = { 0 };
    seal_text(&seal, "", 0); /* all seals are as long */
    size_t tail = seal.len;
    text_clear(&seal);
    if (len < tail) return false;
    seal_text(&seal, data, len - tail);
    bool holds = memcmp(seal.s, data + len - tail, tail) == 0;
    text_clear(&seal);
    return holds;
}
