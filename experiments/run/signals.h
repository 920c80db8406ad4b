#ifndef EXPERIMENTS_RUN_SIGNALS_H
#define EXPERIMENTS_RUN_SIGNALS_H
#include <stdbool.h>
#include <sys/types.h>

/* SIGINT, SIGTERM and SIGHUP (unless ignored): the first asks for a stop after the step in hand and
 * is passed on to the processes named; one more, a second or two later, ends the program at once.
 */
void signals_watch(void);
bool signals_caught(void);
void signals_pass_to(const pid_t *children, int count); /* borrowed until called with NULL, 0 */
#endif
