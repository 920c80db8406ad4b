/* Rounding, decided once: percent with two decimals, counts with thousands separators, times in the
 * two largest units that say something. */
#include "experiments/table/numbers.h"
#include "core/base/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *format_fixed(struct pool *p, double v, int decimals)
{
    return isnan(v) ? FORMAT_NONE : pool_textf(p, "%.*f", decimals, v);
}

const char *format_mean(struct pool *p, double mean, double sd, int decimals)
{
    if (isnan(mean) || isnan(sd)) return format_fixed(p, mean, decimals);
    return pool_textf(p, "%.*f ± %.*f", decimals, mean, decimals, sd);
}

const char *format_whole(struct pool *p, double v)
{
    if (isnan(v)) return FORMAT_NONE;
    struct text t = { NULL, 0, 0 };
    if (v < 0) text_add(&t, "-");
    text_thousands(&t, (unsigned long long)llround(fabs(v)));
    const char *out = pool_text(p, t.s);
    text_clear(&t);
    return out;
}

const char *format_scaled(struct pool *p, double v)
{
    static const char units[] = " kMGTPE";
    if (isnan(v)) return FORMAT_NONE;
    int u = 0;
    /* 999.5 rounds to four digits: it belongs to the next unit. */
    for (; u < 6 && fabs(v) >= 999.5; u++) v /= 1000;
    int decimals = fabs(v) < 9.995 ? 2 : fabs(v) < 99.95 ? 1 : 0;
    if (u == 0) return pool_textf(p, "%.0f", v);
    return pool_textf(p, "%.*f %c", decimals, v, units[u]);
}

const char *format_p(struct pool *p, double v)
{
    if (isnan(v)) return FORMAT_NONE;
    if (v < 0.001) return "< 0.001";
    return pool_textf(p, "%.*f", v < 0.0995 ? 3 : 2, v);
}

const char *format_seconds(struct pool *p, double v)
{
    if (isnan(v)) return FORMAT_NONE;
    if (v < 59.95) return pool_textf(p, "%.1f s", v);
    double whole = floor(v + 0.5), minutes = floor(whole / 60);
    if (whole < 3600) return pool_textf(p, "%.0f min %02.0f s", minutes, whole - 60 * minutes);
    minutes = floor(v / 60 + 0.5);
    double hours = floor(minutes / 60);
    return pool_textf(p, "%.0f h %02.0f min", hours, minutes - 60 * hours);
}

const char *format_delta(struct pool *p, double delta, double low, double high)
{
    if (isnan(delta)) return FORMAT_NONE;
    if (isnan(low) || isnan(high)) return pool_textf(p, "%+.2f", delta);
    return pool_textf(p, "%+.2f (%+.2f to %+.2f)", delta, low, high);
}
