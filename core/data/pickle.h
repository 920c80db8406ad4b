#ifndef CORE_DATA_PICKLE_H
#define CORE_DATA_PICKLE_H
#include "core/base/file.h"
#include <stdint.h>

/* Reads the pickles that CIFAR's python version is made of, and nothing else: dictionaries, lists,
 * numbers, texts and NumPy arrays of bytes, in protocol 2 as Python 2 and Python 3 write them. A
 * pickle is a program; of its instructions only those are known that such files have, and of what
 * it may call only NumPy's array and dtype and the codec that carries bytes. Nothing is executed.
 *
 * Memory is bounded by the file: a value is a few words for an instruction, texts and pixels stay
 * where they are in the file. */
struct pickle;
struct pickle_value;

/* NULL with e filled: the file, the byte, what is wrong there. `file` is kept, not copied, until
 * pickle_destroy. */
struct pickle *pickle_read(const struct bytes *file, const char *path, struct err *e);
void pickle_destroy(struct pickle *p);

/* What the dictionary that the file holds has under a key; NULL: nothing, or no dictionary. */
const struct pickle_value *pickle_member(const struct pickle *p, const char *key);

/* Whether v is a list or a tuple, and of how many items; and one of them. */
bool pickle_list(const struct pickle_value *v, uint32_t *n);
const struct pickle_value *pickle_item(const struct pickle_value *v, uint32_t i);

bool pickle_integer(const struct pickle_value *v, int64_t *out);
/* Bytes of a text, in the file, without a NUL behind them; NULL: no text. */
const char *pickle_text(const struct pickle_value *v, size_t *len);

/* An array of bytes, rows x columns, in the order of its rows; false: it is none. The second copies
 * row `i` of one for which the first was true: `from` walks on, and is NULL before row 0. */
bool pickle_array(const struct pickle_value *v, uint32_t *rows, uint32_t *columns);
void pickle_row(const struct pickle_value *v, const uint8_t **from, uint8_t *into);
#endif
