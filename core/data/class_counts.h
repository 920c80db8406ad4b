#ifndef CORE_DATA_CLASS_COUNTS_H
#define CORE_DATA_CLASS_COUNTS_H
#include "core/data/data.h"

/* Refuses a class that one part has images of and the other has none of: an error over the classes
 * that are left is no error over all of them. seen: images of each class, by part; names: of the
 * classes, or NULL. where: the data set's path. */
struct class_counts {
    const uint32_t *seen[DATA_PARTS];
    int classes;
    const char *const *names;
};
bool classes_agree(const struct class_counts *c, const char *where, struct err *e);
bool labels_agree(const struct dataset *d, const char *where, struct err *e); /* of all it has */

#endif
