/* The instructions: each is a row of a table, what stands behind its code and what it does to the
 * stack. */
#include "core/data/pickle_machine.h"

/* The last n entries go into v, in their order; they are there. */
static void take(struct pickle *p, struct pickle_value *v, uint32_t n)
{
    p->n_stack -= n;
    for (uint32_t i = 0; i < n; i++) {
        v->items = pickle_room(v->items, v->n, &v->room, sizeof(struct pickle_value *));
        v->items[v->n++] = p->stack[p->n_stack + i];
    }
}

/* The instructions. x is the number behind the code, or the one in the instruction's row. */

static bool op_proto(struct pickle *p, int64_t x)
{
    return (x == 2 && p->at == p->data + 2) || pickle_wrong(p, "it is not of protocol 2");
}

static bool op_stop(struct pickle *p, int64_t x)
{
    (void)x;
    p->result = pickle_pop(p);
    if (!p->result || p->n_stack || p->n_marks)
        return pickle_wrong(p, "it does not end in one value");
    return p->at == p->end || pickle_wrong(p, "the file goes on after the pickle's end");
}

static bool op_mark(struct pickle *p, int64_t x)
{
    (void)x;
    if (p->n_marks == PICKLE_MOST) return pickle_wrong(p, "too many marks");
    p->marks = pickle_room(p->marks, p->n_marks, &p->room_marks, sizeof *p->marks);
    p->marks[p->n_marks++] = p->n_stack;
    return true;
}

/* Takes the last mark away: *n entries stood above it. */
static bool unmark(struct pickle *p, uint32_t *n)
{
    if (!p->n_marks) return pickle_wrong(p, "an instruction lacks its mark");
    *n = pickle_above(p);
    p->n_marks--;
    return true;
}

static bool op_make(struct pickle *p, int64_t kind)
{
    struct pickle_value *v;
    return pickle_push_new(p, (enum pickle_kind)kind, &v);
}

static bool op_integer(struct pickle *p, int64_t x)
{
    struct pickle_value *v;
    if (!pickle_push_new(p, PICKLE_INTEGER, &v)) return false;
    v->integer = x;
    return true;
}

static bool push_text(struct pickle *p, enum pickle_kind kind, int64_t len)
{
    struct pickle_value *v;
    if (len < 0 || len > p->end - p->at) return pickle_wrong(p, "a text is longer than the file");
    if (!pickle_push_new(p, kind, &v)) return false;
    v->at = p->at;
    v->len = (size_t)len;
    p->at += len;
    return true;
}

static bool op_string(struct pickle *p, int64_t len) { return push_text(p, PICKLE_BYTES, len); }
static bool op_unicode(struct pickle *p, int64_t len) { return push_text(p, PICKLE_UNICODE, len); }

static bool op_tuple_of(struct pickle *p, int64_t n)
{
    struct pickle_value *v = pickle_make(p, PICKLE_LIST);
    if (!v) return false;
    if (pickle_above(p) < n) return pickle_wrong(p, PICKLE_LACKS);
    take(p, v, (uint32_t)n);
    return pickle_push(p, v);
}

static bool op_tuple(struct pickle *p, int64_t x)
{
    uint32_t n = 0;
    (void)x;
    return unmark(p, &n) && op_tuple_of(p, n);
}

/* Appends n entries to the list or dictionary below them. */
static bool extend(struct pickle *p, enum pickle_kind kind, uint32_t n)
{
    if (pickle_above(p) < n + 1 || (kind == PICKLE_DICT && n % 2))
        return pickle_wrong(p, PICKLE_LACKS);
    struct pickle_value *v = p->stack[p->n_stack - n - 1];
    if (v->kind != kind) return pickle_wrong(p, PICKLE_STRANGE);
    take(p, v, n);
    return true;
}

static bool op_append(struct pickle *p, int64_t x)
{
    (void)x;
    return extend(p, PICKLE_LIST, 1);
}

static bool op_setitem(struct pickle *p, int64_t x)
{
    (void)x;
    return extend(p, PICKLE_DICT, 2);
}

static bool op_extend(struct pickle *p, int64_t kind)
{
    uint32_t n = 0;
    return unmark(p, &n) && extend(p, (enum pickle_kind)kind, n);
}

/* Numbers of the memo are given in turn, so that none is larger than what was made by then. */
static bool op_put(struct pickle *p, int64_t i)
{
    if (!pickle_above(p)) return pickle_wrong(p, PICKLE_LACKS);
    if (i < 0 || i > p->made + 1) return pickle_wrong(p, "the memo has gaps");
    while (p->n_memo <= i) {
        p->memo = pickle_room(p->memo, p->n_memo, &p->room_memo, sizeof(struct pickle_value *));
        p->memo[p->n_memo++] = NULL;
    }
    p->memo[i] = p->stack[p->n_stack - 1];
    return true;
}

static bool op_get(struct pickle *p, int64_t i)
{
    if (i < 0 || i >= p->n_memo || !p->memo[i])
        return pickle_wrong(p, "the memo has no such value");
    return pickle_push(p, p->memo[i]);
}

/* Number behind the code: of so many bytes, little-endian; SIGNED of four, two's complement. */
enum { NUMBER_SIGNED = -4 };
static const struct pickle_op {
    bool (*run)(struct pickle *p, int64_t x);
    int number;
    int64_t x; /* without a number */
} ops[256] = {
    [0x80] = { op_proto, 1, 0 },
    ['.'] = { op_stop, 0, 0 },
    ['('] = { op_mark, 0, 0 },
    ['N'] = { op_make, 0, PICKLE_NONE },
    [']'] = { op_make, 0, PICKLE_LIST },
    [')'] = { op_make, 0, PICKLE_LIST },
    ['}'] = { op_make, 0, PICKLE_DICT },
    [0x88] = { op_integer, 0, true },
    [0x89] = { op_integer, 0, false },
    ['K'] = { op_integer, 1, 0 },
    ['M'] = { op_integer, 2, 0 },
    ['J'] = { op_integer, NUMBER_SIGNED, 0 },
    ['U'] = { op_string, 1, 0 },
    ['T'] = { op_string, NUMBER_SIGNED, 0 },
    ['X'] = { op_unicode, 4, 0 },
    [0x85] = { op_tuple_of, 0, 1 },
    [0x86] = { op_tuple_of, 0, 2 },
    [0x87] = { op_tuple_of, 0, 3 },
    ['t'] = { op_tuple, 0, 0 },
    ['a'] = { op_append, 0, 0 },
    ['e'] = { op_extend, 0, PICKLE_LIST },
    ['s'] = { op_setitem, 0, 0 },
    ['u'] = { op_extend, 0, PICKLE_DICT },
    ['q'] = { op_put, 1, 0 },
    ['r'] = { op_put, 4, 0 },
    ['h'] = { op_get, 1, 0 },
    ['j'] = { op_get, 4, 0 },
    ['c'] = { pickle_global, 0, 0 },
    ['R'] = { pickle_reduce, 0, 0 },
    ['b'] = { pickle_build, 0, 0 },
};

static bool number_read(struct pickle *p, const struct pickle_op *op, int64_t *x)
{
    int n = op->number < 0 ? -op->number : op->number;
    *x = op->x;
    if (!n) return true;
    if (p->end - p->at < n) return pickle_wrong(p, "it ends within an instruction");
    uint32_t word = 0;
    for (int i = 0; i < n; i++) word |= (uint32_t)p->at[i] << (8 * i);
    p->at += n;
    *x = op->number < 0 ? (int64_t)word - ((int64_t)(word >> 31) << 32) : (int64_t)word;
    return true;
}

bool pickle_instruction(struct pickle *p)
{
    int64_t x;
    if (p->at == p->end) return pickle_wrong(p, "it ends early");
    const struct pickle_op *op = &ops[*p->at++];
    if (!op->run) return pickle_wrong(p, "an instruction that such files do not have");
    return number_read(p, op, &x) && op->run(p, x);
}
