/* Batch norm over a convolution's output u, from sums that the convolution made (core/ops/fused.h).
 * The gradient g that arrives is either a tensor (out->grad; masked by the ReLU if there is one),
 * or it is that of the end of a residual block: there dy = gate g + what the squeeze adds, and the
 * sums of g and g u per image are known already. In both cases du = alpha dy + beta u + gamma,
 * alpha = scale / sd,  beta = -alpha sum(dy xhat) / (M sd), gamma = -alpha sum(dy) / M - beta mean
 * (M: pixels of the batch).       */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/fused.h"
#include "core/ops/ops.h"
#include "core/ops/parts.h"
#include "core/ops/shape.h"
#include <math.h>
#include <string.h>

enum { U, SCALE, SHIFT, RUNNING_MEAN, RUNNING_VAR };
enum { CONV_BIAS = 2 };             /* input of a conv2d */
enum { VECTORS = 8, MATRICES = 8 }; /* of struct fused_norm_state */
enum {
    FAR = 16
}; /* mean^2 to variance: below it sums of floats leave the standard deviation right
    * to 1e-5 (test_norm.c) */

static size_t fused_norm_state_len(int n, int c)
{
    return (VECTORS + MATRICES * (size_t)n) * (size_t)c;
}

struct fused_norm_state fused_norm_state(const struct op_call *norm)
{
    size_t c = (size_t)norm->in[U]->c, nc = (size_t)norm->in[U]->n * c;
    float *v = norm->saved, *m = v + VECTORS * c;
    return (struct fused_norm_state){
        .a = v,
        .b = v + c,
        .mean = v + 2 * c,
        .inverse = v + 3 * c,
        .alpha = v + 4 * c,
        .beta = v + 5 * c,
        .gamma = v + 6 * c,
        .pivot = v + 7 * c,
        .sum = m,
        .square = m + nc,
        .dsum = m + 2 * nc,
        .ddot = m + 3 * nc,
        .dsqueeze = m + 4 * nc,
        .argmax = m + 5 * nc,
        .gate = m + 6 * nc,
        .written = m + 7 * nc,
    };
}

bool fused_norm_wants_sums(const struct op_call *norm)
{
    const struct fused_norm_attr *attr = norm->attr;
    return norm->step->training || (attr->squeeze == SQUEEZE_AVG && norm->out->deferred);
}

static bool fused_norm_infer(struct op_call *c, struct err *e)
{
    (void)e; /* it takes the place of a batch_norm that was not refused */
    shape_copy(c->out, c->in[U]);
    return true;
}

static size_t fused_norm_saved(const struct op_call *c)
{
    return fused_norm_state_len(c->in[U]->n, c->in[U]->c);
}

static size_t fused_norm_pixels(const struct op_call *c)
{
    return (size_t)c->in[U]->h * (size_t)c->in[U]->w;
}

static void fused_norm_images(const struct op_call *c,
                              void (*f)(const struct op_call *c, struct part p))
{
    parts_run(c, (size_t)c->in[U]->n, (size_t)c->in[U]->n, f);
}

static void fused_norm_channels(const struct op_call *c,
                                void (*f)(const struct op_call *c, struct part p))
{
    size_t channels = (size_t)c->in[U]->c;
    parts_run(c, channels, part_count(channels, (size_t)c->in[U]->n), f);
}

const float *fused_norm_pivot(const struct op_call *norm, const float *bias)
{
    struct fused_norm_state s = fused_norm_state(norm);
    for (size_t j = 0; j < (size_t)norm->in[U]->c; j++)
        s.pivot[j] = (bias ? bias[j] : 0) - norm->in[RUNNING_MEAN]->data[j];
    return s.pivot;
}

/* Mean and variance of channel j from sums of u - from and of its square, [n][c]. */
static void fused_norm_moments(const struct op_call *c, size_t j, const float *sums,
                               const float *squares, double from, double moments[2])
{
    size_t n = (size_t)c->in[U]->n, channels = (size_t)c->in[U]->c;
    double count = (double)(n * fused_norm_pixels(c)), sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)sums[i * channels + j];
        square += (double)squares[i * channels + j];
    }
    double mean = sum / count, variance = square / count - mean * mean;
    moments[0] = from + mean;
    moments[1] = variance < 0 ? 0 : variance; /* by rounding; NaN stays */
}

/* The mean of each channel, and in alpha, which is free in a forward pass, whether the rounding of
 * float sums would show in its variance: E[u^2] - E[u]^2 loses as many digits as E[u]^2 has more
 * than it. */
static void fused_norm_means_part(const struct op_call *c, struct part p)
{
    struct fused_norm_state s = fused_norm_state(c);
    for (size_t j = p.begin; j < p.end; j++) {
        double moments[2];
        fused_norm_moments(c, j, s.sum, s.square, 0, moments);
        s.mean[j] = (float)moments[0];
        s.alpha[j] = moments[0] * moments[0] > FAR * moments[1];
    }
}

static bool fused_norm_any_far(const struct op_call *c)
{
    struct fused_norm_state s = fused_norm_state(c);
    for (size_t j = 0; j < (size_t)c->in[U]->c; j++)
        if (s.alpha[j] != 0) return true;
    return false;
}

/* Sums of u around `from` of each channel, image by image, from u itself. */
static void fused_norm_read(const struct op_call *c, struct part p, const float *from, float *sum,
                            float *square)
{
    const struct tensor *u = c->in[U];
    const size_t channels = (size_t)u->c, rows = fused_norm_pixels(c), at = p.begin * channels;
    memset(sum + at, 0, channels * sizeof *sum);
    memset(square + at, 0, channels * sizeof *square);
    fused_for(u->bf16)->moments(sum + at, square + at, tensor_data(u, at * rows), from, rows,
                                channels);
}

/* What a convolution leaves, where none makes u. */
static void fused_norm_sums_of_u_part(const struct op_call *c, struct part p)
{
    struct fused_norm_state s = fused_norm_state(c);
    fused_norm_read(c, p, s.pivot, s.sum, s.square);
}

/* dsum and ddot are free in a forward pass. */
static void fused_norm_around_part(const struct op_call *c, struct part p)
{
    struct fused_norm_state s = fused_norm_state(c);
    fused_norm_read(c, p, s.mean, s.dsum, s.ddot);
}

static void fused_norm_batch_statistics(const struct op_call *c, struct fused_norm_state s,
                                        size_t j)
{
    const struct fused_norm_attr *attr = c->attr;
    double count = (double)tensor_pixels(c->in[U]), moments[2];
    if (s.alpha[j] != 0)
        fused_norm_moments(c, j, s.dsum, s.ddot, (double)s.mean[j], moments);
    else
        fused_norm_moments(c, j, s.sum, s.square, 0, moments);
    s.mean[j] = (float)moments[0];
    s.inverse[j] = (float)(1 / sqrt(moments[1] + attr->epsilon));
    batch_norm_move(&c->in[RUNNING_MEAN]->data[j], moments[0] - (double)s.pivot[j], attr->momentum);
    batch_norm_move(&c->in[RUNNING_VAR]->data[j], moments[1] * count / (count - 1), attr->momentum);
}

bool fused_norm_folds(const struct op_call *norm)
{
    const struct op_call *conv = norm->links.conv;
    return !norm->step->training && conv && !conv->in[CONV_BIAS] && conv->prepared;
}

void fused_norm_fold(const struct op_call *norm, float *scale, float *shift)
{
    const struct fused_norm_attr *attr = norm->attr;
    for (size_t j = 0; j < (size_t)norm->in[SCALE]->c; j++) {
        double variance = (double)norm->in[RUNNING_VAR]->data[j];
        double a = (double)norm->in[SCALE]->data[j] / sqrt(variance + attr->epsilon);
        scale[j] = (float)a;
        shift[j] =
            (float)((double)norm->in[SHIFT]->data[j] - a * (double)norm->in[RUNNING_MEAN]->data[j]);
    }
}

static void fused_norm_coefficients_part(const struct op_call *c, struct part p)
{
    const struct fused_norm_attr *attr = c->attr;
    struct fused_norm_state s = fused_norm_state(c);
    for (size_t j = p.begin; j < p.end; j++) {
        if (fused_norm_folds(c)) {
            s.a[j] = 1, s.b[j] = 0;
            continue;
        }
        if (c->step->training) {
            fused_norm_batch_statistics(c, s, j);
        } else {
            s.mean[j] = c->in[RUNNING_MEAN]->data[j];
            s.inverse[j] = (float)(1 / sqrt((double)c->in[RUNNING_VAR]->data[j] + attr->epsilon));
        }
        double a = (double)c->in[SCALE]->data[j] * (double)s.inverse[j];
        s.a[j] = (float)a;
        s.b[j] = (float)((double)c->in[SHIFT]->data[j] - a * (double)s.mean[j]);
    }
}

/* y of one image, or of some pixels of the batch where nobody squeezes it. */
static void fused_norm_write(const struct op_call *c, struct part pixels, float *sum)
{
    const struct fused_norm_attr *attr = c->attr;
    struct fused_norm_state s = fused_norm_state(c);
    const size_t channels = (size_t)c->in[U]->c, pitch = tensor_pitch(c->out);
    fused_for(c->out->bf16)
        ->norm(&(struct norm_rows){ .y = tensor_data(c->out, pixels.begin * pitch),
                                    .x = tensor_data(c->in[U], pixels.begin * channels),
                                    .a = s.a,
                                    .b = s.b,
                                    .sum = sum,
                                    .rows = pixels.end - pixels.begin,
                                    .c = channels,
                                    .y_pitch = pitch,
                                    .relu = attr->relu,
                                    .cap = attr->cap });
}

static void fused_norm_forward_part(const struct op_call *c, struct part p)
{
    fused_norm_write(c, p, NULL);
}

static void fused_norm_forward_image(const struct op_call *c, struct part p)
{
    size_t channels = (size_t)c->in[U]->c, rows = fused_norm_pixels(c);
    float *sum = fused_norm_state(c).written + p.begin * channels;
    memset(sum, 0, channels * sizeof *sum);
    fused_norm_write(c, (struct part){ p.number, p.begin * rows, p.end * rows }, sum);
}

static void fused_norm_statistics(const struct op_call *c)
{
    struct fused_norm_state s = fused_norm_state(c);
    if (!c->links.conv) {
        memset(s.pivot, 0, (size_t)c->in[U]->c * sizeof *s.pivot);
        if (fused_norm_wants_sums(c)) fused_norm_images(c, fused_norm_sums_of_u_part);
    }
    if (!c->step->training) return;
    fused_norm_channels(c, fused_norm_means_part);
    if (fused_norm_any_far(c)) fused_norm_images(c, fused_norm_around_part);
}

static void fused_norm_forward(const struct op_call *c)
{
    size_t pixels = tensor_pixels(c->in[U]);
    fused_norm_statistics(c);
    fused_norm_channels(c, fused_norm_coefficients_part);
    if (c->out->deferred) return;
    if (c->links.squeezed)
        fused_norm_images(c, fused_norm_forward_image);
    else
        parts_run(c, pixels, part_count(pixels, (size_t)c->in[U]->c), fused_norm_forward_part);
}

struct squeeze_sums fused_norm_squeezed(const struct op_call *norm)
{
    struct fused_norm_state s = fused_norm_state(norm);
    if (!norm->out->deferred) return (struct squeeze_sums){ s.written, NULL, NULL, s.dsqueeze };
    return (struct squeeze_sums){ s.sum, s.a, s.b, s.dsqueeze };
}

/* What the squeeze of a written y adds to the gradient of each pixel of an image, or NULL. */
static const float *fused_norm_more(const struct op_call *c, size_t at)
{
    return c->links.squeezed && !c->out->deferred ? fused_norm_state(c).dsqueeze + at : NULL;
}

/* The sums of a gradient that is a tensor, for each image. */
static void fused_norm_sums_part(const struct op_call *c, struct part p)
{
    const struct fused_norm_attr *attr = c->attr;
    struct fused_norm_state s = fused_norm_state(c);
    size_t channels = (size_t)c->in[U]->c, rows = fused_norm_pixels(c), at = p.begin * channels;
    const size_t pitch = tensor_pitch(c->out);
    memset(s.dsum + at, 0, channels * sizeof *s.dsum);
    memset(s.ddot + at, 0, channels * sizeof *s.ddot);
    fused_for(c->out->bf16)
        ->norm_sums(&(struct norm_sums_rows){ .dy = tensor_grad(c->out, p.begin * rows * pitch),
                                              .x = tensor_data(c->in[U], at * rows),
                                              .a = attr->relu ? s.a : NULL,
                                              .b = attr->relu ? s.b : NULL,
                                              .cap = attr->cap,
                                              .mean = s.mean,
                                              .more = fused_norm_more(c, at),
                                              .sum = s.dsum + at,
                                              .dot = s.ddot + at,
                                              .rows = rows,
                                              .c = channels,
                                              .dy_pitch = pitch });
}

/* Sums of dy and dy (u - mean) for channel j over the whole batch. */
static void fused_norm_totals(const struct op_call *c, struct fused_norm_state s, size_t j,
                              double total[2])
{
    const struct fused_norm_attr *attr = c->attr;
    const bool sum = c->links.sum;
    size_t channels = (size_t)c->in[U]->c, pixels = fused_norm_pixels(c);
    double mean = (double)s.mean[j];
    total[0] = total[1] = 0;
    for (size_t i = 0; i < (size_t)c->in[U]->n; i++) {
        size_t at = i * channels + j;
        double g = sum ? (double)s.gate[at] : 1, d = (double)s.dsqueeze[at];
        total[0] += g * (double)s.dsum[at];
        total[1] += g * (double)s.ddot[at];
        if (sum && attr->squeeze == SQUEEZE_AVG) {
            total[0] += d * (double)pixels;
            total[1] += d * ((double)s.sum[at] - (double)pixels * mean);
        } else if (sum && attr->squeeze == SQUEEZE_MAX) {
            size_t pixel = i * pixels + (size_t)s.argmax[at];
            total[0] += d;
            total[1] += d * ((double)tensor_value(c->in[U], pixel * channels + j) - mean);
        }
    }
}

static void fused_norm_totals_part(const struct op_call *c, struct part p)
{
    struct fused_norm_state s = fused_norm_state(c);
    double count = (double)tensor_pixels(c->in[U]), total[2];
    for (size_t j = p.begin; j < p.end; j++) {
        fused_norm_totals(c, s, j, total);
        double inverse = (double)s.inverse[j], alpha = (double)c->in[SCALE]->data[j] * inverse;
        double beta = -alpha * inverse * inverse * total[1] / count;
        s.alpha[j] = (float)alpha;
        s.beta[j] = (float)beta;
        s.gamma[j] = (float)(-alpha * total[0] / count - beta * (double)s.mean[j]);
        if (c->in[SCALE]->grad) c->in[SCALE]->grad[j] += (float)(total[1] * inverse);
        if (c->in[SHIFT]->grad) c->in[SHIFT]->grad[j] += (float)total[0];
    }
}

/* du of one image. Where a squeeze took the maximum its gradient goes to one pixel a channel. */
static void fused_norm_grad_part(const struct op_call *c, struct part p)
{
    const struct fused_norm_attr *attr = c->attr;
    const struct op_call *sum = c->links.sum;
    const struct tensor *u = c->in[U], *g = sum ? sum->out : c->out;
    struct fused_norm_state s = fused_norm_state(c);
    size_t channels = (size_t)u->c, rows = fused_norm_pixels(c), at = p.begin * channels;
    float *alpha = parallel_scratch(2 * channels), *gamma = alpha + channels;
    for (size_t j = 0; j < channels; j++) {
        alpha[j] = sum ? s.alpha[j] * s.gate[at + j] : s.alpha[j];
        gamma[j] = s.gamma[j];
        if (sum && attr->squeeze == SQUEEZE_AVG) gamma[j] += s.alpha[j] * s.dsqueeze[at + j];
    }
    const bool masked = !sum && attr->relu;
    /* Over its own output's gradient it writes; where u is another arm of the sum, g is part of
     * u's gradient, too, and stays in it. */
    const bool in_place = !sum && u->grad == g->grad;
    const bool add = !(c->fresh & READS_IN(U)) && !in_place;
    const bool stream = sum && !add && fused_streams(tensor_bytes(g), channels); /* not over dy */
    fused_for(u->bf16)->norm_grad(
        &(struct norm_grad_rows){ .dx = tensor_grad(u, at * rows),
                                  .dy = tensor_grad(g, p.begin * rows * tensor_pitch(g)),
                                  .x = tensor_data(u, at * rows),
                                  .alpha = alpha,
                                  .beta = s.beta,
                                  .gamma = gamma,
                                  .a = masked ? s.a : NULL,
                                  .b = masked ? s.b : NULL,
                                  .cap = attr->cap,
                                  .more = fused_norm_more(c, at),
                                  .rows = rows,
                                  .c = channels,
                                  .dy_pitch = tensor_pitch(g),
                                  .add = add,
                                  .stream = stream });
    for (size_t j = 0; sum && attr->squeeze == SQUEEZE_MAX && j < channels; j++)
        tensor_grad_add(u, at * rows + (size_t)s.argmax[at + j] * channels + j,
                        s.alpha[j] * s.dsqueeze[at + j]);
}

static void fused_norm_backward(const struct op_call *c)
{
    if (!c->links.sum) fused_norm_images(c, fused_norm_sums_part);
    fused_norm_channels(c, fused_norm_totals_part);
    if (c->in[U]->grad) fused_norm_images(c, fused_norm_grad_part);
}

const struct op op_fused_batch_norm = {
    .name = "fused_batch_norm",
    .n_in = 5,
    .attr_size = sizeof(struct fused_norm_attr),
    .backward_reads = READS_IN(U) | READS_IN(SCALE),
    .overwrites = READS_IN(U),
    .bf16 = READS_IN(U) | READS_OUT,
    .infer = fused_norm_infer,
    .saved = fused_norm_saved,
    .forward = fused_norm_forward,
    .backward = fused_norm_backward,
};
