/* Batch normalisation (Ioffe & Szegedy 2015) over all pixels of the batch, as PyTorch's
 * BatchNorm2d. Inputs: x, scale, shift, running mean, running variance; the last two are no
 * gradient's business: a training forward moves them, running += momentum (batch - running), with
 * the unbiased variance.
 *
 * saved: the mean[c] and 1 / sd[c] that forward used. work: coefficients a, b, d [c], then two
 * sums [c] for each part. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <math.h>
#include <string.h>

enum { X, SCALE, SHIFT, RUNNING_MEAN, RUNNING_VAR };
enum { COEFFICIENTS = 3 };

double batch_norm_momentum(const struct batch_norm_attr *a)
{
    return a && a->momentum > 0 ? a->momentum : 0.1;
}

double batch_norm_epsilon(const struct batch_norm_attr *a)
{
    return a && a->epsilon > 0 ? a->epsilon : 1e-5;
}

static bool batch_norm_infer(struct op_call *c, struct err *e)
{
    const struct tensor *x = c->in[X];
    for (int i = SCALE; i <= RUNNING_VAR; i++)
        if (!shape_is(c->in[i], 1, 1, 1, x->c))
            return err_set(e, "batch_norm: input %d is " SHAPE ", not 1x1x1x%d", i,
                           SHAPE_OF(c->in[i]), x->c);
    if (tensor_pixels(x) < 2)
        return err_set(e,
                       "batch_norm: an input of " SHAPE " has one value per channel and so no "
                       "variance; use a larger batch or larger images",
                       SHAPE_OF(x));
    shape_copy(c->out, x);
    return true;
}

static size_t batch_norm_parts(const struct op_call *c)
{
    return part_count(tensor_pixels(c->in[X]), (size_t)c->in[X]->c);
}

static size_t batch_norm_saved(const struct op_call *c) { return 2 * (size_t)c->in[X]->c; }

static size_t batch_norm_work(const struct op_call *c)
{
    return (COEFFICIENTS + 2 * batch_norm_parts(c)) * (size_t)c->in[X]->c;
}

static float *batch_norm_sums(const struct op_call *c, size_t part)
{
    return c->work + (COEFFICIENTS + 2 * part) * (size_t)c->in[X]->c;
}

/* The two sums of channel j over all parts, in their order. */
static void batch_norm_total(const struct op_call *c, size_t j, double total[2])
{
    total[0] = total[1] = 0;
    for (size_t part = 0; part < batch_norm_parts(c); part++) {
        const float *s = batch_norm_sums(c, part);
        total[0] += (double)s[j];
        total[1] += (double)s[(size_t)c->in[X]->c + j];
    }
}

static void batch_norm_run(const struct op_call *c,
                           void (*f)(const struct op_call *c, struct part p))
{
    parts_run(c, tensor_pixels(c->in[X]), batch_norm_parts(c), f);
}

/* Sums of x - shift and its square; shift is the first pixel, so that a mean far from 0 costs no
 * digits of the variance. */
static void batch_norm_moments_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->in[X]->c;
    const float *x = c->in[X]->data;
    float *s = batch_norm_sums(c, p.number);
    memset(s, 0, 2 * channels * sizeof *s);
    kernels->channel_sums(s, s + channels, x + p.begin * channels, x, p.end - p.begin, channels);
}

void batch_norm_move(float *running, double batch, double momentum)
{
    *running = (float)((1 - momentum) * (double)*running + momentum * batch);
}

static void batch_norm_batch_statistics(const struct op_call *c)
{
    size_t channels = (size_t)c->in[X]->c;
    double count = (double)tensor_pixels(c->in[X]), momentum = batch_norm_momentum(c->attr);
    batch_norm_run(c, batch_norm_moments_part);
    for (size_t j = 0; j < channels; j++) {
        double sum[2];
        batch_norm_total(c, j, sum);
        double shifted = sum[0] / count, mean = (double)c->in[X]->data[j] + shifted;
        double variance = sum[1] / count - shifted * shifted;
        if (variance < 0) variance = 0; /* by rounding; NaN stays */
        c->saved[j] = (float)mean;
        c->saved[channels + j] = (float)(1 / sqrt(variance + batch_norm_epsilon(c->attr)));
        batch_norm_move(&c->in[RUNNING_MEAN]->data[j], mean, momentum);
        batch_norm_move(&c->in[RUNNING_VAR]->data[j], variance * count / (count - 1), momentum);
    }
}

static void batch_norm_running_statistics(const struct op_call *c)
{
    size_t channels = (size_t)c->in[X]->c;
    for (size_t j = 0; j < channels; j++) {
        c->saved[j] = c->in[RUNNING_MEAN]->data[j];
        double variance = (double)c->in[RUNNING_VAR]->data[j];
        c->saved[channels + j] = (float)(1 / sqrt(variance + batch_norm_epsilon(c->attr)));
    }
}

static void batch_norm_forward_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->in[X]->c, at = p.begin * channels;
    kernels->affine(c->out->data + at, c->in[X]->data + at, c->work, c->work + channels,
                    p.end - p.begin, channels);
}

static void batch_norm_forward(const struct op_call *c)
{
    size_t channels = (size_t)c->in[X]->c;
    if (c->step->training)
        batch_norm_batch_statistics(c);
    else
        batch_norm_running_statistics(c);
    for (size_t j = 0; j < channels; j++) {
        double a = (double)c->in[SCALE]->data[j] * (double)c->saved[channels + j];
        c->work[j] = (float)a;
        c->work[channels + j] = (float)((double)c->in[SHIFT]->data[j] - a * (double)c->saved[j]);
    }
    batch_norm_run(c, batch_norm_forward_part);
}

/* Sums of dy and of dy (x - mean). */
static void batch_norm_dots_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->in[X]->c, at = p.begin * channels;
    float *s = batch_norm_sums(c, p.number);
    memset(s, 0, 2 * channels * sizeof *s);
    kernels->channel_dots(s, s + channels, c->out->grad + at, c->in[X]->data + at, c->saved,
                          p.end - p.begin, channels);
}

/* dx = a (dy - mean(dy) - xhat mean(dy xhat)), written as a dy + b x + d, with a = scale / sd; the
 * statistics are constants in an evaluation, so b = d = 0 there. */
static void batch_norm_coefficients(const struct op_call *c, size_t j, const double sum[2])
{
    size_t channels = (size_t)c->in[X]->c;
    double count = (double)tensor_pixels(c->in[X]), inverse = (double)c->saved[channels + j];
    double a = (double)c->in[SCALE]->data[j] * inverse, b = 0, d = 0;
    if (c->step->training) {
        b = -a * inverse * inverse * sum[1] / count;
        d = -a * sum[0] / count - b * (double)c->saved[j];
    }
    c->work[j] = (float)a;
    c->work[channels + j] = (float)b;
    c->work[2 * channels + j] = (float)d;
    if (c->in[SCALE]->grad) c->in[SCALE]->grad[j] += (float)(sum[1] * inverse);
    if (c->in[SHIFT]->grad) c->in[SHIFT]->grad[j] += (float)sum[0];
}

static void batch_norm_backward_part(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->in[X]->c, at = p.begin * channels;
    const float *a = c->work;
    kernels->affine_grad_add(c->in[X]->grad + at, c->out->grad + at, c->in[X]->data + at, a,
                             a + channels, a + 2 * channels, p.end - p.begin, channels);
}

static void batch_norm_backward(const struct op_call *c)
{
    batch_norm_run(c, batch_norm_dots_part);
    for (size_t j = 0; j < (size_t)c->in[X]->c; j++) {
        double sum[2];
        batch_norm_total(c, j, sum);
        batch_norm_coefficients(c, j, sum);
    }
    if (c->in[X]->grad) batch_norm_run(c, batch_norm_backward_part);
}

static void batch_norm_describe(const struct op_call *c, struct text *t)
{
    text_add(t, "momentum ");
    text_real(t, batch_norm_momentum(c->attr));
    text_add(t, " epsilon ");
    text_real(t, batch_norm_epsilon(c->attr));
}

const struct op op_batch_norm = {
    .name = "batch_norm",
    .n_in = 5,
    .attr_size = sizeof(struct batch_norm_attr),
    .backward_reads = READS_IN(X) | READS_IN(SCALE),
    .infer = batch_norm_infer,
    .saved = batch_norm_saved,
    .work = batch_norm_work,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .describe = batch_norm_describe,
};
