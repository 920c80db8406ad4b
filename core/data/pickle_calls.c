/* What a pickle may call: NumPy's arrays and dtypes, and the codec that carries bytes. */
#include "core/data/pickle_machine.h"
#include <string.h>

/* By module and name. */
enum pickle_global { GLOBAL_RECONSTRUCT, GLOBAL_NDARRAY, GLOBAL_DTYPE, GLOBAL_ENCODE };
static const struct {
    const char *name;
    enum pickle_global global;
} globals[] = {
    { "numpy.core.multiarray\n_reconstruct\n", GLOBAL_RECONSTRUCT },
    { "numpy._core.multiarray\n_reconstruct\n", GLOBAL_RECONSTRUCT }, /* of NumPy 2 */
    { "numpy\nndarray\n", GLOBAL_NDARRAY },
    { "numpy\ndtype\n", GLOBAL_DTYPE },
    { "_codecs\nencode\n", GLOBAL_ENCODE },
};
enum { GLOBALS = sizeof globals / sizeof *globals };

bool pickle_global(struct pickle *p, int64_t x)
{
    struct pickle_value *v;
    (void)x;
    for (int i = 0; i < GLOBALS; i++) {
        size_t n = strlen(globals[i].name);
        if ((size_t)(p->end - p->at) < n || memcmp(p->at, globals[i].name, n) != 0) continue;
        p->at += n;
        if (!pickle_push_new(p, PICKLE_GLOBAL, &v)) return false;
        v->integer = globals[i].global;
        return true;
    }
    return pickle_wrong(p, "it calls something that is neither a NumPy array nor bytes");
}

static bool is_global(const struct pickle_value *v, enum pickle_global g)
{
    return v->kind == PICKLE_GLOBAL && v->integer == (int64_t)g;
}

/* What a call gives, where it is one of the three that such files make. */
static struct pickle_value *call(struct pickle *p, const struct pickle_value *f,
                                 const struct pickle_value *arguments)
{
    struct pickle_value *const *a = arguments->items, *v;
    uint32_t n = arguments->kind == PICKLE_LIST ? arguments->n : 0;
    if (n == 3 && is_global(f, GLOBAL_RECONSTRUCT) && is_global(a[0], GLOBAL_NDARRAY))
        return pickle_make(p, PICKLE_ARRAY);
    if (n == 3 && is_global(f, GLOBAL_DTYPE)) {
        if (pickle_text_is(a[0], "u1")) return pickle_make(p, PICKLE_DTYPE);
        return pickle_wrong(p, "it holds an array whose numbers are not bytes"), NULL;
    }
    if (n == 2 && is_global(f, GLOBAL_ENCODE) && a[0]->kind == PICKLE_UNICODE &&
        pickle_text_is(a[1], "latin1") && (v = pickle_make(p, PICKLE_LATIN1))) {
        v->at = a[0]->at;
        v->len = a[0]->len;
        return v;
    }
    return pickle_wrong(p, PICKLE_STRANGE), NULL;
}

bool pickle_reduce(struct pickle *p, int64_t x)
{
    (void)x;
    const struct pickle_value *arguments = pickle_pop(p), *f = pickle_pop(p);
    if (!arguments || !f) return pickle_wrong(p, PICKLE_LACKS);
    struct pickle_value *v = call(p, f, arguments);
    return v && pickle_push(p, v);
}

/* Bytes of one character below 256; 0 where there is none. */
static size_t latin1_bytes(const uint8_t *at, size_t left)
{
    if (at[0] < 0x80) return 1;
    return left > 1 && (at[0] == 0xc2 || at[0] == 0xc3) && (at[1] & 0xc0) == 0x80 ? 2 : 0;
}

static bool latin1_count(struct pickle *p, const struct pickle_value *v, uint64_t *count)
{
    p->decoded += v->len;
    if (p->decoded > (size_t)(p->end - p->data)) return pickle_wrong(p, "its bytes are used twice");
    *count = 0;
    for (size_t i = 0, n; i < v->len; i += n, ++*count) {
        n = latin1_bytes(v->at + i, v->len - i);
        if (!n) return pickle_wrong(p, "its bytes hold a character above 255");
    }
    return true;
}

/* state: version, shape, dtype, whether columns come first, bytes */
static bool array_fill(struct pickle *p, struct pickle_value *v, const struct pickle_value *state)
{
    struct pickle_value *const *s = state->items;
    if (state->n != 5 || s[1]->kind != PICKLE_LIST || s[1]->n != 2 || s[2]->kind != PICKLE_DTYPE)
        return pickle_wrong(p, "its array is not one of rows and columns of bytes");
    int64_t rows, columns, by_columns;
    if (!pickle_integer(s[1]->items[0], &rows) || !pickle_integer(s[1]->items[1], &columns) ||
        !pickle_integer(s[3], &by_columns) || by_columns || rows < 1 || columns < 1 ||
        rows > UINT32_MAX || columns > UINT32_MAX)
        return pickle_wrong(p, "its array is not one of rows and columns of bytes");
    uint64_t bytes = s[4]->len;
    if (s[4]->kind == PICKLE_LATIN1) {
        if (!latin1_count(p, s[4], &bytes)) return false;
    } else if (s[4]->kind != PICKLE_BYTES) {
        return pickle_wrong(p, PICKLE_STRANGE);
    }
    if (bytes != (uint64_t)rows * (uint64_t)columns)
        return pickle_wrong(p, "its array has not as many bytes as its shape says");
    v->latin1 = s[4]->kind == PICKLE_LATIN1;
    v->at = s[4]->at;
    v->len = s[4]->len;
    v->rows = (uint32_t)rows;
    v->columns = (uint32_t)columns;
    return true;
}

bool pickle_build(struct pickle *p, int64_t x)
{
    (void)x;
    const struct pickle_value *state = pickle_pop(p);
    if (!state || !pickle_above(p)) return pickle_wrong(p, PICKLE_LACKS);
    struct pickle_value *v = p->stack[p->n_stack - 1];
    if (state->kind == PICKLE_LIST && v->kind == PICKLE_DTYPE)
        return true; /* bytes have no order */
    if (state->kind == PICKLE_LIST && v->kind == PICKLE_ARRAY && !v->rows)
        return array_fill(p, v, state);
    return pickle_wrong(p, PICKLE_STRANGE);
}
