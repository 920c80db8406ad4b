#ifndef EXPERIMENTS_TABLE_NUMBERS_H
#define EXPERIMENTS_TABLE_NUMBERS_H
#include "core/base/mem.h"

/* Numbers for people, into a pool. What is NAN becomes FORMAT_NONE. */
#define FORMAT_NONE "–"

const char *format_fixed(struct pool *p, double v, int decimals);
const char *format_mean(struct pool *p, double mean, double sd, int decimals); /* "8.12 ± 0.21" */
const char *format_whole(struct pool *p, double v);                            /* "272,474" */
const char *format_scaled(struct pool *p, double v);  /* "40.8 M": three digits and k, M, G, T */
const char *format_p(struct pool *p, double v);       /* "0.031", "0.25", "< 0.001" */
const char *format_seconds(struct pool *p, double v); /* "8.2 s", "3 min 25 s", "1 h 02 min" */
/* "-0.35 (-0.60 to -0.10)": a difference, with its interval where there is one. */
const char *format_delta(struct pool *p, double delta, double low, double high);
#endif
