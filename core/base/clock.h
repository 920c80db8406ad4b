#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

/* Seconds since some fixed moment; never steps back. May be called from a signal's handler. */
double clock_seconds(void);
#endif
