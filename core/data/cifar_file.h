#ifndef CORE_DATA_CIFAR_FILE_H
#define CORE_DATA_CIFAR_FILE_H
#include "core/data/cifar_python.h"

/* One of CIFAR's files, record by record: no file of the binary version stands in memory beside the
 * images that are made of it. A record is `labels` bytes and then the pixels. */
struct cifar_file;
struct cifar_file_request {
    const char *path;
    int labels;
    const char *const *keys; /* of the python version's lists of labels; NULL first: binary */
};
enum { CIFAR_LABELS = 2, CIFAR_RECORD = CIFAR_LABELS + CIFAR_PIXELS }; /* at most */

/* NULL with e filled where it is none. */
struct cifar_file *cifar_file_open(const struct cifar_file_request *r, struct err *e);
void cifar_file_close(struct cifar_file *f); /* NULL: nothing */
uint32_t cifar_file_records(const struct cifar_file *f);
bool cifar_file_next(struct cifar_file *f, uint8_t *record, struct err *e);
#endif
