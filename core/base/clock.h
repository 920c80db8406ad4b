#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

/* Seconds since some fixed moment; never steps back. May be called from a signal's handler. */
double clock_seconds(void);

enum { DATE_TEXT = 32, DURATION_TEXT = 32 };
void clock_date(char out[DATE_TEXT]); /* "2026-11-24 18:30:42", local time */
void duration_text(double seconds,
                   char out[DURATION_TEXT]); /* "42 s", "3 min 05 s", "2 h 10 min" */
#endif
