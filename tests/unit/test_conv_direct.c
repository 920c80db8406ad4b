#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/kernels/conv/conv.h"
#include "core/kernels/kernels.h"
#include "core/kernels/tiles/tiles.h"
#include "tests/conv_layers.h"
#include "tests/unit/random_conv.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The direct and Winograd's convolution against plain loops in double precision, with everything
 * that can be fused around it, on every instruction set of this machine. */

enum { GUARD = 32 }; /* floats after each tensor that must keep their value */
static const float guard = -77.25f;

static float *tensor(size_t len, struct rng *r)
{
    float *p = mem_new(len + GUARD, sizeof *p);
    for (size_t i = 0; i < len; i++) p[i] = r ? (float)(2 * rng_uniform(r) - 1) : 0;
    for (size_t i = 0; i < GUARD; i++) p[len + i] = guard;
    return p;
}

static void tensor_check_guard(const float *p, size_t len, const char *what)
{
    for (size_t i = 0; i < GUARD; i++)
        if (p[len + i] != guard) ck_abort_msg("%s: float %zu past the end was written", what, i);
}

struct problem {
    struct conv_shape s;
    size_t x_len, w_len, y_len;
    float *x, *w, *dy, *bias, *scale, *shift;
};

static struct problem problem(struct conv_shape s, struct rng *r)
{
    if (!s.oh) s.oh = (s.h + 2 * s.pad_top - s.kh) / s.stride + 1;
    if (!s.ow) s.ow = (s.w + 2 * s.pad_left - s.kw) / s.stride + 1;
    struct problem p = { .s = s };
    p.x_len = (size_t)s.n * (size_t)s.h * (size_t)s.w * (size_t)s.c;
    p.w_len = (size_t)s.kh * (size_t)s.kw * (size_t)(s.c / s.groups) * (size_t)s.k;
    p.y_len = (size_t)s.n * (size_t)s.oh * (size_t)s.ow * (size_t)s.k;
    p.x = tensor(p.x_len, r), p.w = tensor(p.w_len, r), p.dy = tensor(p.y_len, r);
    p.bias = tensor((size_t)s.k, r), p.scale = tensor((size_t)s.c, r),
    p.shift = tensor((size_t)s.c, r);
    return p;
}

static void problem_free(struct problem *p)
{
    free(p->x), free(p->w), free(p->dy), free(p->bias), free(p->scale), free(p->shift);
}

#define CAP 0.75f /* of what the prologue makes of x */

/* x, or relu(scale x + shift), CAP at most. */
static double input(const struct problem *p, size_t at, bool fused)
{
    if (!fused) return (double)p->x[at];
    const size_t c = at % (size_t)p->s.c;
    return fmin(fmax(0, (double)p->scale[c] * (double)p->x[at] + (double)p->shift[c]), (double)CAP);
}

/* All three passes by definition. */
static void by_definition(const struct problem *p, bool fused, double *y, double *dx, double *dw)
{
    const struct conv_shape *s = &p->s;
    const int cg = s->c / s->groups, kg = s->k / s->groups;
    for (int out = 0; out < s->n * s->oh * s->ow; out++)
        for (int tap = 0; tap < s->kh * s->kw; tap++) {
            const int image = out / (s->oh * s->ow);
            const int iy = out / s->ow % s->oh * s->stride - s->pad_top + tap / s->kw;
            const int ix = out % s->ow * s->stride - s->pad_left + tap % s->kw;
            if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w) continue;
            const size_t at =
                (((size_t)image * (size_t)s->h + (size_t)iy) * (size_t)s->w + (size_t)ix) *
                (size_t)s->c;
            for (int g = 0; g < s->groups; g++)
                for (int c = 0; c < cg; c++) {
                    const size_t xi = at + (size_t)(g * cg + c);
                    const double x = input(p, xi, fused);
                    for (int k = 0; k < kg; k++) {
                        const size_t wi =
                            (size_t)(tap * cg + c) * (size_t)s->k + (size_t)(g * kg + k);
                        const size_t yi = (size_t)out * (size_t)s->k + (size_t)(g * kg + k);
                        y[yi] += x * (double)p->w[wi];
                        dx[xi] += (double)p->dy[yi] * (double)p->w[wi];
                        dw[wi] += (double)p->dy[yi] * x;
                    }
                }
        }
}

/* The same by im2col and OpenBLAS, for shapes that plain loops are too slow for. */
static void by_reference(const struct problem *p, bool fused, double *y, double *dx, double *dw)
{
    ck_assert(conv_use("reference"));
    float *work = mem_new(conv_work(&p->s) + 1, sizeof *work);
    struct conv_call c = { .x = p->x, .w = p->w, .dy = p->dy, .work = work, .overwrite = true };
    float *to_y = c.y = tensor(p->y_len, NULL), *to_dx = c.dx = tensor(p->x_len, NULL);
    c.dw = tensor(p->w_len, NULL);
    if (fused) c.in_scale = p->scale, c.in_shift = p->shift, c.in_cap = CAP;
    conv_forward(&p->s, &c);
    conv_backward_data(&p->s, &c);
    conv_backward_weights(&p->s, &c);
    for (size_t i = 0; i < p->y_len; i++) y[i] = (double)to_y[i];
    for (size_t i = 0; i < p->x_len; i++) dx[i] = (double)to_dx[i];
    for (size_t i = 0; i < p->w_len; i++) dw[i] = (double)c.dw[i];
    free(c.y), free(c.dx), free(c.dw), free(work);
    conv_use(NULL);
}

/* Equal up to 1e-5 of the value or of the tensor's root mean square. */
static void check(const float *got, const double *want, size_t len, const char *what,
                  const struct problem *p)
{
    const struct conv_shape *s = &p->s;
    double squares = 0;
    for (size_t i = 0; i < len; i++) squares += want[i] * want[i];
    const double rms = sqrt(squares / (double)len);
    for (size_t i = 0; i < len; i++) {
        if (fabs((double)got[i] - want[i]) <= 1e-5 * (fabs(want[i]) + rms + 1e-3)) continue;
        ck_abort_msg(
            "%s %s of %d x %dx%dx%d, %d channels, %dx%d, stride %d, pad %d and %d, groups %d: "
            "[%zu] is %.9g, not %.9g",
            kernels->isa, what, s->n, s->h, s->w, s->c, s->k, s->kh, s->kw, s->stride, s->pad_top,
            s->pad_left, s->groups, i, (double)got[i], want[i]);
    }
    tensor_check_guard(got, len, what);
}

/* The weights packed beforehand, as half of the checks give them; NULL where the pass does not
 * pack. */
static float *packed(const struct conv_algorithm *k, const struct problem *p, enum conv_pass pass)
{
    if (!k->packed || !k->packed(&p->s, pass)) return NULL;
    const size_t len = k->packed(&p->s, pass);
    float *w = tensor(len, NULL);
    k->pack(&p->s, &(struct conv_packing){ .pass = pass, .w = p->w, .packed = w });
    tensor_check_guard(w, len, "packed weights");
    return w;
}

static void check_forward(const struct conv_algorithm *k, const struct problem *p,
                          const double *want, bool fused, float *work)
{
    const size_t channels = (size_t)p->s.n * (size_t)p->s.k,
                 pixels = (size_t)p->s.oh * (size_t)p->s.ow;
    float *y = tensor(p->y_len, NULL), *w = fused ? packed(k, p, CONV_FORWARD) : NULL;
    float *sums = tensor(channels, NULL), *squares = tensor(channels, NULL);
    double *full = mem_new(p->y_len, sizeof *full), *s = mem_new(channels, sizeof *s),
           *q = mem_new(channels, sizeof *q);
    memset(y, 0xff, p->y_len * sizeof *y);
    struct conv_call c = { .x = p->x, .w = w ? NULL : p->w, .packed = w, .y = y, .work = work };
    if (fused)
        c.bias = p->bias, c.in_scale = p->scale, c.in_shift = p->shift, c.in_cap = CAP,
        c.sums = sums, c.squares = squares;
    k->forward(&p->s, &c);
    for (size_t i = 0; i < p->y_len; i++) {
        full[i] = want[i] + (fused ? (double)p->bias[i % (size_t)p->s.k] : 0);
        const size_t at = i / (size_t)p->s.k / pixels * (size_t)p->s.k + i % (size_t)p->s.k;
        s[at] += full[i], q[at] += full[i] * full[i];
    }
    check(y, full, p->y_len, "forward", p);
    if (fused) check(sums, s, channels, "sums", p), check(squares, q, channels, "squares", p);
    free(w), free(y), free(sums), free(squares), free(full), free(s), free(q);
}

static void check_data(const struct conv_algorithm *k, const struct problem *p, const double *want,
                       bool fused, float *work)
{
    float *dx = tensor(p->x_len, NULL), *w = fused ? packed(k, p, CONV_BACKWARD_DATA) : NULL;
    double *full = mem_new(p->x_len, sizeof *full);
    for (size_t i = 0; i < p->x_len; i++) {
        dx[i] = fused ? NAN : p->x[i];
        full[i] = want[i] + (fused ? 0 : (double)p->x[i]);
    }
    k->backward_data(&p->s, &(struct conv_call){ .dy = p->dy,
                                                 .w = w ? NULL : p->w,
                                                 .packed = w,
                                                 .dx = dx,
                                                 .work = work,
                                                 .overwrite = fused });
    check(dx, full, p->x_len, "backward_data", p);
    free(dx), free(full), free(w);
}

static void check_weights(const struct conv_algorithm *k, const struct problem *p,
                          const double *want, bool fused, float *work)
{
    float *dw = tensor(p->w_len, NULL);
    double *full = mem_new(p->w_len, sizeof *full);
    for (size_t i = 0; i < p->w_len; i++) dw[i] = p->w[i], full[i] = want[i] + (double)p->w[i];
    struct conv_call c = { .dy = p->dy, .x = p->x, .dw = dw, .work = work };
    if (fused) c.in_scale = p->scale, c.in_shift = p->shift, c.in_cap = CAP;
    k->backward_weights(&p->s, &c);
    check(dw, full, p->w_len, "backward_weights", p);
    free(dw), free(full);
}

typedef void answer(const struct problem *p, bool fused, double *y, double *dx, double *dw);

static void check_shape(const struct conv_algorithm *k, struct conv_shape shape, struct rng *r,
                        answer *by)
{
    struct problem p = problem(shape, r);
    for (int fused = 0; fused < 2; fused++) {
        double *y = mem_new(p.y_len, sizeof *y), *dx = mem_new(p.x_len, sizeof *dx),
               *dw = mem_new(p.w_len, sizeof *dw);
        by(&p, fused, y, dx, dw);
        for (int i = 0; kernels_at(i); i++) {
            kernels_use(kernels_at(i)->isa);
            if (k->supports && !k->supports(&p.s)) continue;
            const size_t len = k->work(&p.s);
            float *work = tensor(len, NULL);
            for (size_t j = 0; j < len; j++) work[j] = NAN;
            check_forward(k, &p, y, fused, work);
            check_data(k, &p, dx, fused, work);
            check_weights(k, &p, dw, fused, work);
            tensor_check_guard(work, len, "work");
            free(work);
        }
        kernels_use(NULL);
        free(y), free(dx), free(dw);
    }
    problem_free(&p);
}

START_TEST(random_shapes_equal_the_definition)
{
    for (int i = _i * RANDOM_BATCH; i < (_i + 1) * RANDOM_BATCH; i++) {
        struct rng r = rng_stream(5, RNG_TEST, (uint64_t)i, 0);
        check_shape(&conv_direct, random_shape(i, 1, 40, &r), &r, by_definition);
    }
}
END_TEST

START_TEST(random_winograd_shapes_equal_the_definition)
{
    for (int i = _i * RANDOM_BATCH / 5; i < (_i + 1) * RANDOM_BATCH / 5; i++) {
        struct rng r = rng_stream(9, RNG_TEST, (uint64_t)i, 0);
        check_shape(&conv_winograd, winograd_shape(&r), &r, by_definition);
    }
}
END_TEST

static struct conv_shape layer_shape(int i, int images)
{
    return conv_layer_shape(&conv_layers[i], images, conv_layers[i].test[0], false);
}

START_TEST(network_layers_equal_the_reference)
{
    struct rng r = rng_stream(6, RNG_TEST, (uint64_t)_i, 0);
    for (int i = _i; i < CONV_LAYERS; i += 4) {
        check_shape(&conv_direct, layer_shape(i, 2), &r, by_reference);
        check_shape(&conv_winograd, layer_shape(i, 2), &r, by_reference);
    }
}
END_TEST

/* All results of one call of each pass, one after the other. */
static float *all_passes(const struct conv_algorithm *k, const struct problem *p, size_t *len)
{
    const size_t channels = (size_t)p->s.n * (size_t)p->s.k;
    *len = p->y_len + p->x_len + p->w_len + 2 * channels;
    float *all = tensor(*len, NULL), *work = mem_new(k->work(&p->s) + 1, sizeof *work);
    struct conv_call c = { .x = p->x,
                           .w = p->w,
                           .dy = p->dy,
                           .work = work,
                           .bias = p->bias,
                           .in_scale = p->scale,
                           .in_shift = p->shift,
                           .in_cap = CAP };
    c.y = all, c.dx = all + p->y_len, c.dw = all + p->y_len + p->x_len;
    c.sums = c.dw + p->w_len, c.squares = c.sums + channels;
    k->forward(&p->s, &c);
    k->backward_data(&p->s, &c);
    k->backward_weights(&p->s, &c);
    free(work);
    return all;
}

START_TEST(bits_do_not_depend_on_threads)
{
    for (int i = 0; i < 2 * CONV_LAYERS; i++) {
        const struct conv_algorithm *k = i % 2 ? &conv_winograd : &conv_direct;
        const int layer = i / 2;
        struct rng r = rng_stream(7, RNG_TEST, (uint64_t)layer, 0);
        struct problem p = problem(layer_shape(layer, conv_layers[layer].test[0] > 20 ? 1 : 3), &r);
        float *want = NULL;
        for (int t = 0; t < 4 && k->supports(&p.s); t++) {
            const int threads[] = { 1, 2, 3, 8 };
            size_t len;
            parallel_use(threads[t]);
            float *got = all_passes(k, &p, &len);
            ck_assert_msg(!want || memcmp(want, got, len * sizeof *got) == 0,
                          "%s, layer %d: other bits with %d threads", k->name, layer, threads[t]);
            free(t ? got : NULL);
            if (!t) want = got;
        }
        parallel_use(0);
        free(want);
        problem_free(&p);
    }
}
END_TEST

/* Forward and the input's gradient, so many images a call. */
static void by_batches(const struct conv_algorithm *k, const struct problem *p, int images,
                       float *y, float *dx)
{
    for (int from = 0; from < p->s.n; from += images) {
        struct conv_shape s = p->s;
        s.n = s.n - from < images ? s.n - from : images;
        const size_t x_at = p->x_len / (size_t)p->s.n * (size_t)from;
        const size_t y_at = p->y_len / (size_t)p->s.n * (size_t)from;
        float *work = mem_new(k->work(&s) + 1, sizeof *work);
        const struct conv_call c = { .x = p->x + x_at,
                                     .w = p->w,
                                     .dy = p->dy + y_at,
                                     .y = y + y_at,
                                     .dx = dx + x_at,
                                     .work = work,
                                     .overwrite = true };
        k->forward(&s, &c);
        k->backward_data(&s, &c);
        free(work);
    }
}

/* Too large for the caches, x as well as y. */
static const struct conv_shape streamed[] = {
    { .n = 70, .h = 64, .w = 64, .c = 16, .k = 16, .kh = 1, .kw = 1, .stride = 1, .groups = 1 },
    { .n = 23, .h = 64, .w = 64, .c = 48, .k = 48, .kh = 1, .kw = 1, .stride = 1, .groups = 1 },
    { .n = 71,
      .h = 63,
      .w = 61,
      .c = 16,
      .k = 64,
      .kh = 3,
      .kw = 3,
      .stride = 2,
      .pad_top = 1,
      .pad_left = 1,
      .groups = 1 },
    { .n = 35,
      .h = 64,
      .w = 64,
      .c = 32,
      .k = 32,
      .kh = 3,
      .kw = 3,
      .stride = 1,
      .pad_top = 1,
      .pad_left = 1,
      .groups = 32 },
    { .n = 140,
      .h = 64,
      .w = 61,
      .c = 32,
      .k = 32,
      .kh = 3,
      .kw = 3,
      .stride = 2,
      .pad_top = 1,
      .pad_left = 1,
      .groups = 32 },
    { .n = 70,
      .h = 64,
      .w = 62,
      .c = 16,
      .k = 16,
      .kh = 3,
      .kw = 3,
      .stride = 1,
      .pad_top = 1,
      .pad_left = 1,
      .groups = 1 },
};

/* What is too large for the caches is written past them; the same images in small batches are not.
 */
START_TEST(streams_change_no_bit)
{
    ck_assert(kernels_use(kernels_at(_i)->isa));
    for (size_t i = 0; i < sizeof streamed / sizeof *streamed; i++) {
        struct rng r = rng_stream(8, RNG_TEST, i, 0);
        struct problem p = problem(streamed[i], &r);
        float *y[2], *dx[2];
        ck_assert(p.x_len * sizeof(float) > DIRECT_STREAMED);
        ck_assert(p.y_len * sizeof(float) > DIRECT_STREAMED);
        const struct conv_algorithm *k =
            conv_winograd.supports(&p.s) ? &conv_winograd : &conv_direct;
        ck_assert(k->supports(&p.s));
        for (int part = 0; part < 2; part++) {
            y[part] = tensor(p.y_len, NULL), dx[part] = tensor(p.x_len, NULL);
            by_batches(k, &p, part ? 3 : p.s.n, y[part], dx[part]);
            tensor_check_guard(y[part], p.y_len, "y"), tensor_check_guard(dx[part], p.x_len, "dx");
        }
        ck_assert_msg(memcmp(y[0], y[1], p.y_len * sizeof **y) == 0, "%s, shape %zu: other outputs",
                      kernels->isa, i);
        ck_assert_msg(memcmp(dx[0], dx[1], p.x_len * sizeof **dx) == 0,
                      "%s, shape %zu: other gradients", kernels->isa, i);
        for (int part = 0; part < 2; part++) free(y[part]), free(dx[part]);
        problem_free(&p);
    }
}
END_TEST

Suite *suite(void)
{
    int tables = 0;
    while (kernels_at(tables)) tables++;
    Suite *s = suite_create("conv_direct");
    TCase *c = tcase_create("shapes");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, random_shapes_equal_the_definition, 0, RANDOM_SHAPES / RANDOM_BATCH);
    tcase_add_loop_test(c, random_winograd_shapes_equal_the_definition, 0,
                        RANDOM_SHAPES / RANDOM_BATCH);
    tcase_add_loop_test(c, network_layers_equal_the_reference, 0, 4);
    tcase_add_test(c, bits_do_not_depend_on_threads);
    tcase_add_loop_test(c, streams_change_no_bit, 0, tables);
    suite_add_tcase(s, c);
    return s;
}
