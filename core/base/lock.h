#ifndef CORE_BASE_LOCK_H
#define CORE_BASE_LOCK_H
#include "core/base/err.h"

/* Locks between processes: a file that is locked as long as its descriptor is open, so that a
 * killed process leaves none behind. Whoever holds a lock may remove its file: those who waited for
 * it notice and make a new one. */
enum { LOCK_FAILED = -1, LOCK_BUSY = -2, LOCK_STOPPED = -3 };

/* The descriptor, to be closed, of the locked file, which is made with its folders where it is not
 * there. LOCK_BUSY: another process has it, and wait is false. LOCK_STOPPED: a signal came. */
int lock_take(const char *path, bool wait, struct err *e);

/* Is the file there, and locked by another process? */
bool lock_is_held(const char *path);
#endif
