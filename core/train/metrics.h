#ifndef CORE_TRAIN_METRICS_H
#define CORE_TRAIN_METRICS_H

/* What the logits z of one image say of its class. A class beats another with a greater logit, or
 * with an equal one and a lower number; one without a number (NaN) is beaten by all. */
int metric_best(const float *z, int classes);
int metric_rank(const float *z, int classes, int label);    /* how many classes beat the label's */
double metric_loss(const float *z, int classes, int label); /* -log softmax(z)[label] */

enum { METRIC_TOP = 5 };
#endif
