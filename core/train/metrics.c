/* Errors and losses of single images, in double and with ties decided, so that they never depend
 * on the batch an image was in. */
#include "core/train/metrics.h"
#include "core/base/elementary.h"
#include <math.h>

int metric_best(const float *z, int classes)
{
    int best = 0;
    for (int i = 1; i < classes; i++)
        if (z[i] > z[best] || isnan(z[best])) best = i;
    return best;
}

/* Written so that every comparison with a NaN counts against the label. */
int metric_rank(const float *z, int classes, int label)
{
    int beaten_by = 0;
    for (int i = 0; i < label; i++) beaten_by += !(z[label] > z[i]);
    for (int i = label + 1; i < classes; i++) beaten_by += !(z[label] >= z[i]);
    return beaten_by;
}

double metric_loss(const float *z, int classes, int label)
{
    double max = z[metric_best(z, classes)], sum = 0;
    for (int i = 0; i < classes; i++) sum += elementary_exp((double)z[i] - max);
    return elementary_log(sum) + max - (double)z[label];
}
