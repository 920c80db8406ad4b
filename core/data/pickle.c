/* A pickle is read, and asked for what it holds; see pickle.h. */
#include "core/data/pickle_machine.h"
#include <stdlib.h>

struct pickle *pickle_read(const struct bytes *file, const char *path, struct err *e)
{
    struct pickle *p = mem_new(1, sizeof *p);
    const uint8_t *began = p->data = p->at = file->data;
    p->end = file->data + file->len;
    bool good = file->len && p->data[0] == 0x80;
    if (!good) pickle_wrong(p, "no pickle of protocol 2 begins so");
    while (good && !p->result) {
        began = p->at;
        good = pickle_instruction(p);
    }
    if (good) return p;
    err_set(e, "%s: byte %zu: %s; CIFAR's python version holds nothing of the kind", path,
            (size_t)(began - p->data), p->wrong);
    pickle_destroy(p);
    return NULL;
}

void pickle_destroy(struct pickle *p)
{
    if (!p) return;
    for (struct pickle_value *v = p->lists; v; v = v->next) free(v->items);
    free(p->stack);
    free(p->memo);
    free(p->marks);
    pool_clear(&p->pool);
    free(p);
}

/* As in Python the last of several equal keys counts. */
const struct pickle_value *pickle_member(const struct pickle *p, const char *key)
{
    const struct pickle_value *d = p->result;
    for (uint32_t i = d->kind == PICKLE_DICT ? d->n : 0; i; i -= 2)
        if (pickle_text_is(d->items[i - 2], key)) return d->items[i - 1];
    return NULL;
}

bool pickle_list(const struct pickle_value *v, uint32_t *n)
{
    bool is = v && v->kind == PICKLE_LIST;
    *n = is ? v->n : 0;
    return is;
}

const struct pickle_value *pickle_item(const struct pickle_value *v, uint32_t i)
{
    BUG_IF(v->kind != PICKLE_LIST || i >= v->n, "item %u of a list", i);
    return v->items[i];
}

bool pickle_array(const struct pickle_value *v, uint32_t *rows, uint32_t *columns)
{
    bool is = v && v->kind == PICKLE_ARRAY && v->rows;
    *rows = is ? v->rows : 0;
    *columns = is ? v->columns : 0;
    return is;
}

void pickle_row(const struct pickle_value *v, const uint8_t **from, uint8_t *into)
{
    const uint8_t *at = *from ? *from : v->at;
    for (uint32_t i = 0; i < v->columns; i++) {
        bool two = v->latin1 && *at >= 0x80;
        into[i] = *at;
        if (two) into[i] = (uint8_t)(at[0] << 6 | (at[1] & 0x3f));
        at += 1 + two;
    }
    *from = at;
}
