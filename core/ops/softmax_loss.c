/* Mean cross-entropy of softmax(logits) over the batch, with label smoothing as
 * torch.nn.functional.cross_entropy: the target is 1 - e on the label plus e / k everywhere.
 * Inputs: logits (n, 1, 1, k), labels (n, 1, 1, 1) as floats; the output is one number.
 * saved: log sum exp of each image. work: the loss of each image. */
#include "core/base/elementary.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"

enum { LOGITS, LABELS };

static double softmax_loss_smoothing(const struct op_call *c)
{
    const struct softmax_loss_attr *a = c->attr;
    return a ? a->smoothing : 0;
}

static bool softmax_loss_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[LOGITS], *labels = c->in[LABELS];
    double smoothing = softmax_loss_smoothing(c);
    if (x->h != 1 || x->w != 1)
        return err_set(e, "softmax_loss: logits of " SHAPE " are no vector per image", SHAPE_OF(x));
    if (!shape_is(labels, x->n, 1, 1, 1))
        return err_set(e, "softmax_loss: labels of " SHAPE " for %d images", SHAPE_OF(labels),
                       x->n);
    if (!(smoothing >= 0 && smoothing <= 1))
        return err_set(e, "softmax_loss: smoothing %g is not in [0, 1]", smoothing);
    shape_set(c->out, 1, 1, 1, 1);
    return true;
}

static size_t softmax_loss_saved(const struct op_call *c) { return (size_t)c->in[LOGITS]->n; }
static size_t softmax_loss_work(const struct op_call *c) { return (size_t)c->in[LOGITS]->n; }

static size_t softmax_loss_label(const struct op_call *c, size_t image)
{
    float label = c->in[LABELS]->data[image];
    BUG_IF(!(label >= 0 && label < (float)c->in[LOGITS]->c), "label %g of %d classes",
           (double)label, c->in[LOGITS]->c);
    return (size_t)label;
}

/* log sum exp of k numbers, the largest taken out so that nothing overflows. */
static double softmax_loss_log_sum(const float *x, size_t k)
{
    float max = x[0];
    for (size_t j = 1; j < k; j++) max = x[j] > max ? x[j] : max;
    double sum = 0;
    for (size_t j = 0; j < k; j++) sum += elementary_exp((double)x[j] - (double)max);
    return (double)max + elementary_log(sum);
}

static void softmax_loss_image(const struct op_call *c, size_t image)
{
    size_t classes = (size_t)c->in[LOGITS]->c;
    const float *x = c->in[LOGITS]->data + image * classes;
    double smoothing = softmax_loss_smoothing(c), total = 0;
    double log_sum = softmax_loss_log_sum(x, classes);
    double label = (double)x[softmax_loss_label(c, image)];
    for (size_t j = 0; j < classes; j++) total += (double)x[j];
    c->saved[image] = (float)log_sum;
    c->work[image] =
        (float)(log_sum - (1 - smoothing) * label - smoothing / (double)classes * total);
}

static void softmax_loss_forward_part(const struct op_call *c, struct part p)
{
    for (size_t i = p.begin; i < p.end; i++) softmax_loss_image(c, i);
}

static void softmax_loss_run(const struct op_call *c,
                             void (*f)(const struct op_call *c, struct part p))
{
    const struct tensor *x = c->in[LOGITS];
    parts_run(c, (size_t)x->n, part_count((size_t)x->n, (size_t)x->c), f);
}

static void softmax_loss_forward(const struct op_call *c)
{
    size_t images = (size_t)c->in[LOGITS]->n;
    double sum = 0;
    softmax_loss_run(c, softmax_loss_forward_part);
    for (size_t i = 0; i < images; i++) sum += (double)c->work[i];
    c->out->data[0] = (float)(sum / (double)images);
}

/* d loss / d logit = (softmax - target) / n. */
static void softmax_loss_backward_part(const struct op_call *c, struct part p)
{
    const struct tensor *x = c->in[LOGITS];
    size_t classes = (size_t)x->c;
    double smoothing = softmax_loss_smoothing(c);
    float share = c->out->grad[0] / (float)x->n, even = (float)(smoothing / x->c);
    for (size_t i = p.begin; i < p.end; i++) {
        const float *logit = x->data + i * classes;
        float *dx = x->grad + i * classes;
        for (size_t j = 0; j < classes; j++) {
            double softmax = elementary_exp((double)logit[j] - (double)c->saved[i]);
            dx[j] += share * ((float)softmax - even);
        }
        dx[softmax_loss_label(c, i)] -= share * (float)(1 - smoothing);
    }
}

static void softmax_loss_backward(const struct op_call *c)
{
    if (c->in[LOGITS]->grad) softmax_loss_run(c, softmax_loss_backward_part);
}

static void softmax_loss_describe(const struct op_call *c, struct text *t)
{
    text_add(t, "smoothing ");
    text_real(t, softmax_loss_smoothing(c));
}

const struct op op_softmax_loss = {
    .name = "softmax_loss",
    .n_in = 2,
    .attr_size = sizeof(struct softmax_loss_attr),
    .backward_reads = READS_IN(LOGITS) | READS_IN(LABELS),
    .infer = softmax_loss_infer,
    .saved = softmax_loss_saved,
    .work = softmax_loss_work,
    .forward = softmax_loss_forward,
    .backward = softmax_loss_backward,
    .describe = softmax_loss_describe,
};
