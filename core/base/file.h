#ifndef CORE_BASE_FILE_H
#define CORE_BASE_FILE_H
#include "core/base/err.h"
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* Whole files and folders. Every message names the path and the system's reason. */
struct bytes {
    unsigned char *data; /* one NUL stands past the end, so that text can be read as a string */
    size_t len;
};

/* A regular file, opened for reading so that nothing waits: a FIFO, a device, a folder is refused
 * by that name. -1 with e filled; *size (NULL: not asked for): its bytes. */
int file_open(const char *path, off_t *size, struct err *e);

/* A regular file of up to so many bytes. free(out->data). */
bool file_read_most(const char *path, size_t most, struct bytes *out, struct err *e);
bool file_read(const char *path, struct bytes *out, struct err *e); /* of up to FILE_MOST */
#define FILE_MOST ((size_t)4 << 30)

/* Writes where a person says: over a regular file as file_write does, through links, too; to a
 * FIFO, a device or a terminal as it stands. */
bool file_output(const char *path, const void *data, size_t len, struct err *e);

/* Writes to a temporary name in the same folder, syncs, renames: the path holds the old bytes or
 * all of the new ones, whatever happens in between. A regular file keeps its mode. */
bool file_write(const char *path, const void *data, size_t len, struct err *e);

/* The same without waiting for the disk, for what is of no use any more after the machine stopped:
 * then the path may hold anything. */
bool file_replace(const char *path, const void *data, size_t len, struct err *e);

/* file_write from several pieces, one after another; the last has data NULL. */
struct file_piece {
    const void *data;
    size_t len;
};
bool file_write_pieces(const char *path, const struct file_piece *pieces, struct err *e);

/* The time by the clock that stamps files in the folder, which is a file server's where that is not
 * of this machine: what is written later is not stamped earlier. Writes a file, and removes it. */
bool file_clock(const char *dir, struct timespec *now, struct err *e);

/* Removes the file, and the temporary ones that writers of it left where they were killed. Nobody
 * may be writing it. Where there is nothing to remove it does nothing. */
bool file_remove(const char *path, struct err *e);

bool file_exists(const char *path);
/* For a folder that is about to be made: the length of the part of its path that is there, and the
 * removal of the rest, as far as it is empty. */
size_t dir_there(const char *path);
void dir_unmake(const char *path, size_t there);
bool dir_make(const char *path, struct err *e); /* with its parents; one that exists is fine */

/* The names in a folder, sorted bytewise, without those that begin with a dot.
 * Free each name and the array. */
bool dir_list(const char *path, char ***names, size_t *count, struct err *e);
void dir_list_free(char **names, size_t count);
#endif
