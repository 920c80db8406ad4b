#ifndef CORE_DATA_CIFAR_PYTHON_H
#define CORE_DATA_CIFAR_PYTHON_H
#include "core/base/file.h"
#include "core/base/mem.h"
#include <stdint.h>

enum { CIFAR_PIXELS = 3072 }; /* red, green and blue plane of 32 x 32 */

/* A file of CIFAR's python version, a pickled dictionary, as the records of the binary version: a
 * byte for each of the lists of labels (their keys, NULL past the last), then the pixels. NULL with
 * e filled where it is none. */
struct cifar_python *cifar_python_open(const char *path, const char *const *keys, struct err *e);
void cifar_python_close(struct cifar_python *f); /* NULL: nothing */
uint32_t cifar_python_records(const struct cifar_python *f);
void cifar_python_next(struct cifar_python *f, uint8_t *record); /* from the first to the last */

/* The names of the classes that such a file has under a key. NULL with e filled where they are not
 * as many. They live in the pool. */
const char *const *cifar_python_names(struct pool *pool, const char *path, const char *key,
                                      int classes, struct err *e);
#endif
