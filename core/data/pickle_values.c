/* Values of a pickle and the stack they are made on. */
#include "core/data/pickle_machine.h"
#include <string.h>

bool pickle_wrong(struct pickle *p, const char *what)
{
    if (!p->wrong) p->wrong = what;
    return false;
}

void *pickle_room(void *list, uint32_t used, uint32_t *room, size_t size)
{
    if (used < *room) return list;
    *room = *room ? 2 * *room : 4;
    return mem_grow(list, *room, size);
}

bool pickle_push(struct pickle *p, struct pickle_value *v)
{
    if (p->n_stack == PICKLE_MOST) return pickle_wrong(p, "the stack grows too high");
    p->stack = pickle_room(p->stack, p->n_stack, &p->room_stack, sizeof(struct pickle_value *));
    p->stack[p->n_stack++] = v;
    return true;
}

struct pickle_value *pickle_make(struct pickle *p, enum pickle_kind kind)
{
    if (p->made == PICKLE_MOST) return pickle_wrong(p, "it holds more than a million values"), NULL;
    struct pickle_value *v = pool_new(&p->pool, 1, sizeof *v);
    p->made++;
    v->kind = kind;
    if (kind != PICKLE_LIST && kind != PICKLE_DICT) return v;
    v->next = p->lists;
    p->lists = v;
    return v;
}

bool pickle_push_new(struct pickle *p, enum pickle_kind kind, struct pickle_value **v)
{
    *v = pickle_make(p, kind);
    return *v && pickle_push(p, *v);
}

uint32_t pickle_above(const struct pickle *p)
{
    return p->n_stack - (p->n_marks ? p->marks[p->n_marks - 1] : 0);
}

struct pickle_value *pickle_pop(struct pickle *p)
{
    return pickle_above(p) ? p->stack[--p->n_stack] : NULL;
}

bool pickle_integer(const struct pickle_value *v, int64_t *out)
{
    bool is = v->kind == PICKLE_INTEGER;
    *out = is ? v->integer : 0;
    return is;
}

const char *pickle_text(const struct pickle_value *v, size_t *len)
{
    bool is = v->kind == PICKLE_BYTES || v->kind == PICKLE_UNICODE;
    *len = is ? v->len : 0;
    return is ? (const char *)v->at : NULL;
}

bool pickle_text_is(const struct pickle_value *v, const char *s)
{
    size_t len;
    const char *t = pickle_text(v, &len);
    return t && len == strlen(s) && memcmp(t, s, len) == 0;
}
