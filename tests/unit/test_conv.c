/* Every algorithm for convolutions against naive sums in double, over shapes that reach each of
 * its paths; guards stand past the end of every result, and work memory begins as NaN. */
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/kernels/conv/conv.h"
#include "core/kernels/kernels.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 8 };
static const float mark = -54321.5f;

struct conv_case {
    int n, h, w, c, k, kh, kw, stride, pad, groups;
    int bottom, left, right; /* padding there: so much more than pad */
};

static const struct conv_case cases[] = {
    { 2, 8, 8, 16, 16, 3, 3, 1, 1, 1, 0, 0, 0 },  /* CIFAR block */
    { 3, 7, 10, 48, 32, 3, 3, 1, 0, 1, 0, 0, 0 }, /* tiles of 4x4 over the edge, no padding */
    { 2, 9, 8, 16, 32, 3, 3, 2, 1, 1, 0, 0, 0 },  /* downsampling, odd height */
    { 3, 8, 7, 16, 32, 1, 1, 2, 0, 1, 0, 0, 0 },  /* projection shortcut */
    { 2, 7, 5, 24, 40, 1, 1, 1, 0, 1, 0, 0, 0 },  /* a plain product */
    { 1, 1, 1, 32, 5, 1, 1, 1, 0, 1, 0, 0, 0 },   /* the NoSqueeze gate at its smallest */
    { 2, 23, 21, 3, 64, 7, 7, 2, 3, 1, 0, 0, 0 }, /* stem */
    { 3, 9, 9, 3, 16, 3, 3, 1, 1, 1, 0, 0, 0 },   /* CIFAR stem */
    { 1, 6, 6, 1, 1, 3, 3, 1, 1, 1, 0, 0, 0 },    /* one channel */
    { 2, 7, 7, 20, 300, 3, 3, 1, 1, 1, 0, 0, 0 }, /* several column blocks */
    { 1, 5, 6, 5, 7, 2, 3, 1, 0, 1, 0, 0, 0 },    /* even kernel, no padding */
    { 1, 5, 5, 4, 6, 5, 5, 1, 2, 1, 0, 0, 0 },    /* kernel as large as the image */
    { 1, 3, 3, 4, 6, 5, 5, 1, 1, 1, 0, 0, 0 },    /* just fits */
    { 1, 4, 4, 4, 4, 3, 3, 3, 2, 1, 0, 0, 0 },   /* stride 3; whole kernel columns in the padding */
    { 1, 2, 2, 3, 2, 1, 1, 1, 2, 1, 0, 0, 0 },   /* windows that see padding alone */
    { 2, 8, 8, 32, 32, 3, 3, 1, 1, 8, 0, 0, 0 }, /* ResNeXt, 4 channels a group */
    { 2, 9, 9, 32, 64, 3, 3, 2, 1, 4, 0, 0, 0 }, /* grouped downsampling */
    { 2, 6, 6, 12, 24, 1, 1, 1, 0, 3, 0, 0, 0 }, /* grouped product */
    { 1, 6, 6, 12, 12, 1, 1, 2, 1, 3, 0, 0, 0 }, /* 1x1 with padding */
    { 2, 7, 8, 19, 19, 3, 3, 1, 1, 19, 0, 0, 0 }, /* depthwise */
    { 2, 9, 8, 33, 33, 3, 3, 2, 1, 33, 0, 0, 0 }, /* depthwise downsampling */
    { 1, 7, 7, 6, 12, 3, 3, 1, 1, 6, 0, 0, 0 },   /* depthwise, two filters a channel */
    { 1, 8, 9, 5, 5, 7, 7, 2, 3, 5, 0, 0,
      0 }, /* depthwise, a kernel too large for the direct algorithm */
    { 1, 36, 36, 48, 8, 3, 3, 1, 1, 1, 0, 0, 0 },  /* an image of several scratch blocks */
    { 1, 3, 400, 40, 4, 3, 3, 1, 1, 1, 0, 0, 0 },  /* one row larger than the scratch memory */
    { 2, 17, 17, 24, 40, 1, 7, 1, 0, 1, 0, 3, 3 }, /* 1x7, and its kin */
    { 2, 17, 17, 24, 40, 7, 1, 1, 3, 1, 0, -3, -3 },
    { 2, 8, 8, 24, 32, 1, 3, 1, 0, 1, 0, 1, 1 },
    { 2, 8, 8, 24, 32, 3, 1, 1, 1, 1, 0, -1, -1 },
    { 2, 8, 8, 16, 16, 3, 3, 2, 0, 1, 1, 0, 1 },    /* SAME of stride 2 */
    { 2, 8, 9, 16, 32, 3, 3, 1, 0, 1, 1, 2, 0 },    /* four different paddings */
    { 2, 9, 8, 33, 33, 3, 3, 2, 0, 33, 1, 0, 1 },   /* depthwise, SAME of stride 2 */
    { 2, 9, 11, 32, 32, 3, 5, 1, 2, 8, -1, 0, -2 }, /* grouped */
    { 2, 5, 6, 16, 16, 1, 1, 1, 0, 1, 2, 0, 1 },    /* 1x1 that sees padding below and right */
    { 2, 5, 6, 16, 16, 1, 1, 2, 1, 1, 0, -1, 0 },
    { 2, 7, 7, 64, 24, 7, 7, 1, 0, 1, 0, 0, 0 }, /* a linear layer over all pixels */
};
enum { CASES = sizeof cases / sizeof *cases };

static struct conv_shape shape_of(const struct conv_case *c)
{
    struct conv_shape s = { .n = c->n, .h = c->h, .w = c->w, .c = c->c };
    s.k = c->k, s.kh = c->kh, s.kw = c->kw;
    s.stride = c->stride, s.groups = c->groups;
    s.pad_top = c->pad, s.pad_left = c->pad + c->left;
    s.oh = (s.h + 2 * c->pad + c->bottom - s.kh) / s.stride + 1;
    s.ow = (s.w + 2 * c->pad + c->left + c->right - s.kw) / s.stride + 1;
    return s;
}

struct lengths {
    size_t x, w, y;
};

static struct lengths lengths_of(const struct conv_shape *s)
{
    return (struct lengths){ (size_t)(s->n * s->h * s->w * s->c),
                             (size_t)(s->kh * s->kw * s->c / s->groups * s->k),
                             (size_t)(s->n * s->oh * s->ow * s->k) };
}

static float *drawn(size_t len, uint32_t stream)
{
    struct rng r = rng_stream(5, RNG_TEST, stream, 0);
    float *p = mem_new(len + GUARD, sizeof *p);
    for (size_t i = 0; i < len; i++) p[i] = (float)rng_normal(&r);
    for (size_t i = len; i < len + GUARD; i++) p[i] = mark;
    return p;
}

/* The definition. Exactly one of y, dx, dw is asked for. */
struct naive {
    const float *x, *w, *dy;
    double *y, *dx, *dw, *size; /* size: the sum of |terms| of each result */
};

static void naive_term(const struct naive *v, size_t x, size_t w, size_t y)
{
    if (v->y) {
        v->y[y] += (double)v->x[x] * (double)v->w[w];
        v->size[y] += fabs((double)v->x[x] * (double)v->w[w]);
    } else if (v->dx) {
        v->dx[x] += (double)v->dy[y] * (double)v->w[w];
        v->size[x] += fabs((double)v->dy[y] * (double)v->w[w]);
    } else {
        v->dw[w] += (double)v->dy[y] * (double)v->x[x];
        v->size[w] += fabs((double)v->dy[y] * (double)v->x[x]);
    }
}

/* at: image, output row and column, kernel row and column. */
static void naive_pixel(const struct conv_shape *s, const struct naive *v, const int at[5])
{
    size_t h = (size_t)s->h, w = (size_t)s->w, all = (size_t)s->k, kw = (size_t)s->kw;
    size_t cg = (size_t)(s->c / s->groups), kg = all / (size_t)s->groups;
    size_t image = (size_t)at[0], oy = (size_t)at[1], ox = (size_t)at[2];
    int iy = at[1] * s->stride - s->pad_top + at[3];
    int ix = at[2] * s->stride - s->pad_left + at[4];
    if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w) return;
    size_t in = ((image * h + (size_t)iy) * w + (size_t)ix) * (size_t)s->c;
    size_t tap = (size_t)at[3] * kw + (size_t)at[4];
    size_t out = ((image * (size_t)s->oh + oy) * (size_t)s->ow + ox) * all;
    for (size_t k = 0; k < all; k++)
        for (size_t c = 0; c < cg; c++)
            naive_term(v, in + k / kg * cg + c, (tap * cg + c) * all + k, out + k);
}

static void naive_conv(const struct conv_shape *s, const struct naive *v)
{
    for (int i = 0; i < s->n * s->oh * s->ow; i++)
        for (int k = 0; k < s->kh * s->kw; k++)
            naive_pixel(
                s, v,
                (int[]){ i / s->ow / s->oh, i / s->ow % s->oh, i % s->ow, k / s->kw, k % s->kw });
}

struct checked { /* one of the three results */
    const char *what;
    const float *got;
    const double *want, *size; /* without what was there before */
    size_t len;
};

/* Relative to the sum of |terms|. Winograd's tiles also see terms that cancel. */
static double bound(const struct conv_algorithm *k) { return k == &conv_winograd ? 3e-6 : 1e-6; }

static void check(const struct conv_algorithm *k, int number, struct checked r, float before)
{
    for (size_t i = 0; i < r.len; i++) {
        double error = fabs((double)r.got[i] - (double)before - r.want[i]);
        if (!(error <= bound(k) * (1 + r.size[i])))
            ck_abort_msg("%s (%s), case %d: %s[%zu] is %g, not %g", k->name, kernels->isa, number,
                         r.what, i, (double)(r.got[i] - before), r.want[i]);
    }
    for (size_t i = r.len; i < r.len + GUARD; i++)
        ck_assert_msg(r.got[i] == mark, "%s, case %d: writes past the end of %s", k->name, number,
                      r.what);
}

static void check_forward(const struct conv_algorithm *k, int number, float *work, bool biased)
{
    struct conv_shape s = shape_of(&cases[number]);
    struct lengths len = lengths_of(&s);
    float *x = drawn(len.x, 1), *w = drawn(len.w, 2), *y = drawn(len.y, 3);
    float *bias = drawn((size_t)s.k, 4);
    double *want = mem_new(len.y, sizeof *want), *size = mem_new(len.y, sizeof *size);
    naive_conv(&s, &(struct naive){ .x = x, .w = w, .y = want, .size = size });
    for (size_t i = 0; biased && i < len.y; i++) want[i] += (double)bias[i % (size_t)s.k];
    k->forward(&s, &(struct conv_call){
                       .x = x, .w = w, .y = y, .bias = biased ? bias : NULL, .work = work });
    check(k, number, (struct checked){ "y", y, want, size, len.y }, 0);
    free(x), free(w), free(y), free(bias), free(want), free(size);
}

static void check_backward(const struct conv_algorithm *k, int number, float *work, bool weights)
{
    struct conv_shape s = shape_of(&cases[number]);
    struct lengths len = lengths_of(&s);
    size_t n = weights ? len.w : len.x;
    float *other = drawn(weights ? len.x : len.w, 1), *dy = drawn(len.y, 2), *d = drawn(n, 3);
    double *want = mem_new(n, sizeof *want), *size = mem_new(n, sizeof *size);
    for (size_t i = 0; i < n; i++) d[i] = 0.5f; /* backward adds */
    if (weights) {
        naive_conv(&s, &(struct naive){ .x = other, .dy = dy, .dw = want, .size = size });
        k->backward_weights(&s, &(struct conv_call){ .x = other, .dy = dy, .dw = d, .work = work });
    } else {
        naive_conv(&s, &(struct naive){ .w = other, .dy = dy, .dx = want, .size = size });
        k->backward_data(&s, &(struct conv_call){ .w = other, .dy = dy, .dx = d, .work = work });
    }
    check(k, number, (struct checked){ weights ? "dw" : "dx", d, want, size, n }, 0.5f);
    free(other), free(dy), free(d), free(want), free(size);
}

static void check_case(const struct conv_algorithm *k, int number)
{
    struct conv_shape s = shape_of(&cases[number]);
    size_t len = k->work ? k->work(&s) : 0;
    float *work = mem_new(len + GUARD, sizeof *work);
    for (size_t i = 0; i < len + GUARD; i++) work[i] = i < len ? NAN : mark;
    check_forward(k, number, work, true);
    check_forward(k, number, work, false);
    check_backward(k, number, work, false);
    check_backward(k, number, work, true);
    for (size_t i = len; i < len + GUARD; i++)
        ck_assert_msg(work[i] == mark, "%s, case %d: writes past its work memory", k->name, number);
    free(work);
}

START_TEST(every_way_equals_the_definition)
{
    for (int isa = 0; kernels_at(isa); isa++) {
        kernels_use(kernels_at(isa)->isa);
        for (int i = 0; conv_algorithm_at(i); i++) {
            int taken = 0;
            for (int number = 0; number < CASES; number++) {
                struct conv_shape s = shape_of(&cases[number]);
                if (conv_algorithm_at(i)->supports && !conv_algorithm_at(i)->supports(&s)) continue;
                check_case(conv_algorithm_at(i), number);
                taken++;
            }
            /* pairs are of bf16 tensors only: test_conv_bf16 */
            ck_assert_msg(!taken == (conv_algorithm_at(i) == &conv_bf16_dot), "%d cases for %s",
                          taken, conv_algorithm_at(i)->name);
        }
    }
}
END_TEST

START_TEST(the_reference_takes_every_shape)
{
    int last = 0;
    while (conv_algorithm_at(last + 1)) last++;
    ck_assert_ptr_eq(conv_algorithm_at(last), &conv_reference);
    ck_assert_ptr_null(conv_reference.supports);
}
END_TEST

START_TEST(a_named_way_is_used_where_it_fits)
{
    struct conv_shape depthwise = { 1, 4, 4, 8, 8, 3, 3, 1, 8, 1, 1, 4, 4, .bf16_x = false };
    struct conv_shape large = { 1, 4, 4, 8, 8, 7, 7, 1, 8, 3, 3, 4, 4, .bf16_x = false };
    ck_assert_ptr_eq(conv_for(&depthwise), &conv_direct);
    ck_assert(conv_use("reference"));
    ck_assert_ptr_eq(conv_for(&depthwise), &conv_reference);
    ck_assert(conv_use("direct"));
    ck_assert_ptr_eq(conv_for(&depthwise), &conv_direct);
    ck_assert(conv_use("winograd"));
    ck_assert_ptr_eq(conv_for(&large), &conv_direct);
    ck_assert(!conv_use("nonsense"));
    ck_assert(conv_use(NULL));
    ck_assert_ptr_eq(conv_for(&depthwise), &conv_direct);
}
END_TEST

/* bf16 is multiplied as such where that is one instruction, and where it is asked for; of channels
 * that fill a vector of any instruction set. */
START_TEST(pairs_are_used_where_they_are_fast)
{
    const struct conv_shape s = {
        1, 4, 4, 32, 32, 1, 1, 1, 1, 0, 0, 4, 4, .bf16_x = true, .bf16_y = true
    };
    for (int i = 0; kernels_at(i); i++) {
        kernels_use(kernels_at(i)->isa);
        const bool native = strcmp(kernels->isa, "avx512_bf16") == 0;
        ck_assert_ptr_eq(conv_for(&s), native ? &conv_bf16_dot : &conv_direct);
        ck_assert(conv_use("pairs"));
        ck_assert_ptr_eq(conv_for(&s), &conv_bf16_dot);
        ck_assert(conv_use(NULL));
    }
    kernels_use(NULL);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("conv");
    unit_case(s, "conv", 120,
              UNIT_TESTS(every_way_equals_the_definition, the_reference_takes_every_shape,
                         a_named_way_is_used_where_it_fits, pairs_are_used_where_they_are_fast));
    return s;
}
