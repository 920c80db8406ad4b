#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

/* Seconds of a clock that only goes forward; differences count. */
double clock_seconds(void);
#endif
