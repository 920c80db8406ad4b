#ifndef CORE_DATA_PICKLE_MACHINE_H
#define CORE_DATA_PICKLE_MACHINE_H
#include "core/base/mem.h"
#include "core/data/pickle.h"

/* Inside of pickle.h: values, the stack they stand on, and the instructions. */
/* Values and stack entries at most: CIFAR-100 has 150,000 numbers and names in a file. */
enum { PICKLE_MOST = 1 << 20 };

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_INTEGER, /* True and False, too */
    PICKLE_BYTES,   /* str of Python 2 */
    PICKLE_UNICODE, /* UTF-8 */
    PICKLE_LATIN1,  /* bytes of Python 3, as the UTF-8 of characters below 256 */
    PICKLE_LIST,    /* and tuple */
    PICKLE_DICT,    /* keys and values in turn */
    PICKLE_GLOBAL,  /* integer: enum pickle_global */
    PICKLE_DTYPE,   /* of bytes: the only one known */
    PICKLE_ARRAY,   /* BYTES or LATIN1, once it has its contents */
};

struct pickle_value {
    enum pickle_kind kind;
    bool latin1; /* of an array: how its bytes are written */
    union {
        int64_t integer;
        struct { /* in the file */
            const uint8_t *at;
            size_t len;
            uint32_t rows, columns; /* of an array; rows 0 until it has its contents */
        };
        struct {
            struct pickle_value **items; /* n of them */
            uint32_t n, room;
            struct pickle_value *next; /* the list or dictionary made before it */
        };
    };
};

struct pickle {
    const uint8_t *data, *end, *at; /* at: the next instruction, or what stands behind its code */
    struct pickle_value **stack, **memo;
    uint32_t *marks; /* heights of the stack */
    uint32_t n_stack, n_memo, n_marks, room_stack, room_memo, room_marks;
    uint32_t made;
    size_t decoded; /* bytes of texts that were looked through */
    struct pickle_value *lists, *result;
    struct pool pool;
    const char *wrong; /* the first thing that is */
};

/* Fills `wrong` where nothing was wrong before, and returns false. */
bool pickle_wrong(struct pickle *p, const char *what);
#define PICKLE_LACKS "an instruction lacks its arguments"
#define PICKLE_STRANGE "an instruction meets a value of the wrong kind"

/* A new value; NULL where there are too many. */
struct pickle_value *pickle_make(struct pickle *p, enum pickle_kind kind);
bool pickle_push(struct pickle *p, struct pickle_value *v);
bool pickle_push_new(struct pickle *p, enum pickle_kind kind, struct pickle_value **v);
struct pickle_value *pickle_pop(struct pickle *p); /* NULL: nothing stands above the last mark */
uint32_t pickle_above(const struct pickle *p);     /* entries above it: none reaches below */
/* Room for one more than `used` things of a list that has room for *room. */
void *pickle_room(void *list, uint32_t used, uint32_t *room, size_t size);

bool pickle_text_is(const struct pickle_value *v, const char *s);

/* GLOBAL, REDUCE and BUILD: names of things to call, the calls, and what fills their results. */
bool pickle_global(struct pickle *p, int64_t x);
bool pickle_reduce(struct pickle *p, int64_t x);
bool pickle_build(struct pickle *p, int64_t x);

bool pickle_instruction(struct pickle *p); /* runs the next one */
#endif
