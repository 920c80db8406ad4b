#ifndef CORE_DATA_FOLDERS_H
#define CORE_DATA_FOLDERS_H
#include "core/data/data.h"

/* The files of a data set laid out as train/CLASS/IMAGE.jpg and test/CLASS/IMAGE.jpg (or .png), or
 * val/ in the place of test/. Classes are numbered in the order of their names in train/. */
struct folders {
    const char *root, *test;        /* test: "test" or "val", NULL: the one that is there */
    const char **files[DATA_PARTS]; /* paths from root, sorted within a class, classes in order */
    uint16_t *labels[DATA_PARTS];
    uint32_t count[DATA_PARTS];
    const char **classes;
    int n_classes;
    struct pool pool;
};

/* Refuses an empty class, a class of the test part that train/ lacks, and whatever is no
 * picture file. After a refusal folders_clear is still called. */
bool folders_read(struct folders *f, const char *root, const char *test, struct err *e);
/* The number of classes, from the names of class folders alone; refuses a class that one of the
 * parts lacks. */
bool folders_classes(const char *root, const char *test, int *classes, struct err *e);
/* Files in the class folders of each part; false where they are more than most in all, or where
 * the folders cannot be listed. */
bool folders_count(const char *root, const char *test, uint64_t most, uint64_t count[DATA_PARTS]);
void folders_clear(struct folders *f);
#endif
