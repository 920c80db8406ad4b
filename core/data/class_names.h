#ifndef CORE_DATA_CLASS_NAMES_H
#define CORE_DATA_CLASS_NAMES_H
#include "core/base/file.h"
#include "core/base/mem.h"

/* The classes of published sets, in the order of their labels. */
extern const char *const class_names_cifar10[10];
extern const char *const class_names_cifar100[100];
extern const char *const class_names_cifar20[20]; /* CIFAR-100's coarse labels */
extern const char *const class_names_fashion[10];

/* A file of names, a line each; empty lines at its end count for nothing. NULL with e filled where
 * they are not as many as the classes. The names live in the pool. */
const char *const *class_names_read(struct pool *p, const char *path, int classes, struct err *e);
#endif
