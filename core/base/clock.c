#include "core/base/clock.h"
#include <math.h>
#include <stdio.h>
#include <time.h>

double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void clock_date(char out[DATE_TEXT])
{
    time_t now = time(NULL);
    struct tm tm;
    strftime(out, DATE_TEXT, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
}

void duration_text(double seconds, char out[DURATION_TEXT])
{
    long s = lround(seconds);
    if (!isfinite(seconds) || seconds < 0)
        snprintf(out, DURATION_TEXT, "unknown");
    else if (s < 60)
        snprintf(out, DURATION_TEXT, "%ld s", s);
    else if (s < 3600)
        snprintf(out, DURATION_TEXT, "%ld min %02ld s", s / 60, s % 60);
    else if (s < 48 * 3600)
        snprintf(out, DURATION_TEXT, "%ld h %02ld min", s / 3600, s / 60 % 60);
    else
        snprintf(out, DURATION_TEXT, "%ld days", s / 86400);
}
