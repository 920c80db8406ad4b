#ifndef CORE_DATA_SURVEY_H
#define CORE_DATA_SURVEY_H
#include "core/data/data.h"

/* Sizes and digests of the files of a data set, each read once: an index remembers them, and a file
 * whose size, inode and times are those of its last reading is not read again. */
struct survey_file {
    const char *name; /* from the root; given, the rest is filled */
    uint64_t size, digest;
};

struct survey {
    const char *root;
    struct survey_file *files;
    size_t count;
    const struct data_notes *notes; /* where the index is kept and who hears of a long reading, or
                                     * NULL: every file is read */
    double patience;                /* seconds of reading that need no word */
};

/* An index that is damaged, or of another folder, counts as none, and one that cannot be written is
 * not missed. False with e filled where a file cannot be read. */
bool survey_files(const struct survey *s, struct err *e);
#endif
