#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/base/rng.h"
#include "core/kernels/conv/conv.h"
#include "core/kernels/kernels.h"
#include "core/kernels/vector/bf16.h"
#include "tests/conv_layers.h"
#include "tests/unit/random_conv.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The direct convolution of bf16 against the reference on the same values as floats, on every
 * instruction set of this machine. All inputs, also behind the prologue, have values that bf16
 * holds, so that products are exact whichever way they are multiplied: only what is stored as bf16
 * may be less precise than float. */

enum { GUARD = 32 }; /* channels after each tensor that must keep their value, one of bf16 */
static const float guard = -77.5f;
#define CAP 1.5f /* of what the prologue makes of x: a bf16 */

/* Numbers as floats, and as the kernels see them. */
struct numbers {
    size_t len;
    bool bf16;
    float *values;
    void *stored;
};

static void numbers_store(struct numbers *a)
{
    if (a->bf16)
        kernels->narrow(a->stored, a->values, a->len + GUARD);
    else
        memcpy(a->stored, a->values, (a->len + GUARD) * sizeof(float));
}

/* Multiples of 1/32 in [-1, 1]; zeros without a stream. */
static struct numbers numbers(size_t len, bool is_bf16, struct rng *r)
{
    struct numbers a = { .len = len, .bf16 = is_bf16 };
    a.values = mem_new(len + GUARD, sizeof *a.values);
    a.stored = mem_new(len + GUARD, sizeof(float));
    for (size_t i = 0; i < len + GUARD; i++)
        a.values[i] = i >= len ? guard : r ? (float)rng_below(r, 65) / 32 - 1 : 0;
    numbers_store(&a);
    return a;
}

static float numbers_at(const struct numbers *a, size_t i)
{
    return a->bf16 ? bf16_value(((const bf16 *)a->stored)[i]) : ((const float *)a->stored)[i];
}

static void numbers_free(struct numbers *a) { free(a->values), free(a->stored); }

struct problem {
    struct conv_shape s;
    struct numbers x, w, dy, bias, scale, shift;
};

static struct problem problem(struct conv_shape s, struct rng *r)
{
    if (!s.oh) s.oh = (s.h + 2 * s.pad_top - s.kh) / s.stride + 1;
    if (!s.ow) s.ow = (s.w + 2 * s.pad_left - s.kw) / s.stride + 1;
    const size_t x = (size_t)(s.n * s.h * s.w) * (size_t)s.c,
                 y = (size_t)(s.n * s.oh * s.ow) * (size_t)s.k;
    struct problem p = { .s = s };
    p.x = numbers(x, s.bf16_x, r), p.dy = numbers(y, s.bf16_y, r);
    p.w = numbers((size_t)(s.kh * s.kw * (s.c / s.groups)) * (size_t)s.k, false, r);
    p.bias = numbers((size_t)s.k, false, r);
    p.scale = numbers((size_t)s.c, false, r), p.shift = numbers((size_t)s.c, false, r);
    for (size_t i = 0; i < p.scale.len; i++) /* relu(x / 2 + shift) has 7 bits */
        p.scale.values[i] = p.scale.values[i] < 0 ? -0.5f : 1;
    return p;
}

static void problem_free(struct problem *p)
{
    numbers_free(&p->x), numbers_free(&p->w), numbers_free(&p->dy);
    numbers_free(&p->bias), numbers_free(&p->scale), numbers_free(&p->shift);
}

/* What the passes leave: y, dx and dw, all += where the call lets them; sums and squares. */
struct results {
    struct numbers y, dx, dw, sums, squares;
};

/* What is added to is x and w, but for a fused backward_data, which overwrites. */
static struct results results(const struct problem *p, bool is_bf16)
{
    const struct conv_shape *s = &p->s;
    const size_t channels = (size_t)s->n * (size_t)s->k;
    struct results r = { numbers(p->dy.len, is_bf16 && s->bf16_y, NULL),
                         numbers(p->x.len, is_bf16 && s->bf16_x, NULL),
                         numbers(p->w.len, false, NULL), numbers(channels, false, NULL),
                         numbers(channels, false, NULL) };
    memcpy(r.dx.values, p->x.values, p->x.len * sizeof(float));
    memcpy(r.dw.values, p->w.values, p->w.len * sizeof(float));
    numbers_store(&r.dx), numbers_store(&r.dw);
    return r;
}

static void results_free(struct results *r)
{
    numbers_free(&r->y), numbers_free(&r->dx), numbers_free(&r->dw);
    numbers_free(&r->sums), numbers_free(&r->squares);
}

static struct conv_call call(const struct problem *p, struct results *r, bool fused)
{
    struct conv_call c = { .x = p->x.stored, .w = p->w.values, .dy = p->dy.stored };
    c.y = r->y.stored, c.dx = r->dx.stored, c.dw = r->dw.stored;
    if (!fused) return c;
    c.bias = p->bias.values, c.in_scale = p->scale.values, c.in_shift = p->shift.values;
    c.in_cap = CAP;
    c.sums = r->sums.stored, c.squares = r->squares.stored;
    c.overwrite = true;
    return c;
}

static struct results by_reference(const struct problem *p, bool fused)
{
    struct results r = results(p, false);
    struct conv_call c = call(p, &r, fused);
    struct conv_shape s = p->s;
    s.bf16_x = s.bf16_y = false;
    ck_assert(conv_use("reference"));
    c.x = p->x.values, c.dy = p->dy.values;
    c.work = mem_new(conv_work(&s) + 1, sizeof *c.work);
    conv_forward(&s, &c), conv_backward_data(&s, &c), conv_backward_weights(&s, &c);
    conv_use(NULL);
    free(c.work);
    return r;
}

/* By one algorithm; packed beforehand where fused. */
static struct results by_algorithm(const struct conv_algorithm *k, const struct problem *p,
                                   bool fused)
{
    struct results r = results(p, true);
    struct conv_call c = call(p, &r, fused);
    const size_t work = k->work(&p->s);
    struct numbers room = numbers(work, false, NULL);
    c.work = room.stored;
    for (int pass = CONV_FORWARD; pass <= CONV_BACKWARD_WEIGHTS; pass++) {
        const size_t len = fused ? k->packed(&p->s, (enum conv_pass)pass) : 0;
        struct numbers packed = numbers(len, false, NULL);
        for (size_t i = 0; i < work; i++) c.work[i] = NAN;
        c.packed = len ? packed.stored : NULL, c.w = len ? NULL : p->w.values;
        if (len)
            k->pack(&p->s, &(struct conv_packing){ .pass = (enum conv_pass)pass,
                                                   .w = p->w.values,
                                                   .packed = packed.stored });
        if (pass == CONV_FORWARD) k->forward(&p->s, &c);
        if (pass == CONV_BACKWARD_DATA) k->backward_data(&p->s, &c);
        if (pass == CONV_BACKWARD_WEIGHTS) k->backward_weights(&p->s, &c);
        for (size_t i = 0; i < GUARD; i++)
            ck_assert_msg(
                numbers_at(&packed, len + i) == guard && numbers_at(&room, work + i) == guard,
                "%s: pass %d writes past its packed weights or its work", kernels->isa, pass);
        numbers_free(&packed);
    }
    numbers_free(&room);
    return r;
}

/* Equal up to `error` of the value or of the tensor's root mean square. */
static void check(const struct numbers *got, const struct numbers *want, double error,
                  const char *what, const struct problem *p)
{
    const struct conv_shape *s = &p->s;
    double squares = 0;
    for (size_t i = 0; i < want->len; i++)
        squares += (double)numbers_at(want, i) * (double)numbers_at(want, i);
    const double rms = sqrt(squares / (double)want->len);
    for (size_t i = 0; i < want->len + GUARD; i++) {
        const double a = (double)numbers_at(got, i), b = (double)numbers_at(want, i);
        const double most = i < want->len ? error * (fabs(b) + rms + 1e-3) : 0;
        if (fabs(a - b) <= most) continue;
        ck_abort_msg(
            "%s %s of %d x %dx%dx%d (%s), %d channels (%s), %dx%d, stride %d, pad %d and %d, "
            "groups %d: [%zu of %zu] is %.9g, not %.9g",
            kernels->isa, what, s->n, s->h, s->w, s->c, s->bf16_x ? "bf16" : "float", s->k,
            s->bf16_y ? "bf16" : "float", s->kh, s->kw, s->stride, s->pad_top, s->pad_left,
            s->groups, i, want->len, a, b);
    }
}

static void check_results(const struct results *got, const struct results *want, bool fused,
                          const struct problem *p)
{
    const double wide = 1e-5, narrow = 4e-3; /* half of bf16's last digit: 2^-8 */
    check(&got->y, &want->y, p->s.bf16_y ? narrow : wide, "forward", p);
    check(&got->dx, &want->dx, p->s.bf16_x ? narrow : wide, "backward_data", p);
    check(&got->dw, &want->dw, wide, "backward_weights", p);
    if (!fused) return;
    check(&got->sums, &want->sums, wide, "sums", p);
    check(&got->squares, &want->squares, wide, "squares", p);
}

static void check_shape(struct conv_shape shape, struct rng *r)
{
    struct problem p = problem(shape, r);
    for (int fused = 0; fused < 2; fused++) {
        struct results want = by_reference(&p, fused);
        for (int i = 0; kernels_at(i); i++) {
            kernels_use(kernels_at(i)->isa);
            for (int w = 0; conv_algorithm_at(w) != &conv_reference; w++) {
                if (!conv_algorithm_at(w)->supports(&p.s)) continue;
                ck_assert(conv_algorithm_at(w)->supports_bf16(&p.s));
                struct results got = by_algorithm(conv_algorithm_at(w), &p, fused);
                check_results(&got, &want, fused, &p);
                results_free(&got);
            }
        }
        kernels_use(NULL);
        results_free(&want);
    }
    problem_free(&p);
}

/* Which sides are bf16. */
static const bool sides[][2] = { { true, true }, { false, true }, { true, false } };

START_TEST(winograd_shapes_equal_the_reference)
{
    for (int i = 0; i < 3 * RANDOM_BATCH / 5; i++) {
        struct rng r = rng_stream(9, RNG_TEST, (uint64_t)i, 0);
        struct conv_shape s = winograd_shape(&r);
        s.bf16_x = sides[i % 3][0], s.bf16_y = sides[i % 3][1];
        check_shape(s, &r);
    }
}
END_TEST

START_TEST(random_shapes_equal_the_reference)
{
    for (int i = _i * RANDOM_BATCH; i < (_i + 1) * RANDOM_BATCH; i++)
        for (int j = 0; j < 3; j++) {
            struct rng r = rng_stream(8, RNG_TEST, (uint64_t)i, 0);
            /* three of five have even channels in every group, as pairs need them */
            struct conv_shape s = random_shape(i, i % 5 < 3 ? 2 : 1, 80, &r);
            s.bf16_x = sides[j][0], s.bf16_y = sides[j][1];
            check_shape(s, &r);
        }
}
END_TEST

static struct conv_shape layer_shape(int i, int images)
{
    return conv_layer_shape(&conv_layers[i], images, conv_layers[i].test[1], true);
}

START_TEST(network_layers_equal_the_reference)
{
    for (int i = _i; i < CONV_LAYERS; i += 4) {
        struct rng r = rng_stream(9, RNG_TEST, (uint64_t)i, 0);
        check_shape(layer_shape(i, 2 + i % 2), &r);
    }
}
END_TEST

static bool numbers_equal(const struct numbers *a, const struct numbers *b)
{
    return memcmp(a->stored, b->stored, a->len * (a->bf16 ? sizeof(bf16) : sizeof(float))) == 0;
}

static bool results_equal(const struct results *a, const struct results *b)
{
    return numbers_equal(&a->y, &b->y) && numbers_equal(&a->dx, &b->dx) &&
           numbers_equal(&a->dw, &b->dw) && numbers_equal(&a->sums, &b->sums) &&
           numbers_equal(&a->squares, &b->squares);
}

/* The prologue as this instruction set computes it, rounded; then relu(1 x + 0), which leaves it as
 * it is. */
static void apply_prologue(struct problem *p)
{
    const bool fma = strcmp(kernels->isa, "portable") != 0;
    for (size_t i = 0; i < p->x.len; i++) {
        const size_t c = i % (size_t)p->s.c;
        const float a = p->scale.values[c], b = p->shift.values[c], x = p->x.values[i];
        p->x.values[i] = bf16_value(bf16_of(fmaxf(0, fma ? fmaf(a, x, b) : a * x + b)));
    }
    numbers_store(&p->x);
    for (int c = 0; c < p->s.c; c++) p->scale.values[c] = 1, p->shift.values[c] = 0;
}

static void check_rounding(struct conv_shape shape, struct rng *r)
{
    struct problem p = problem(shape, r);
    for (int c = 0; c < p.s.c; c++) p.scale.values[c] = (float)rng_normal(r);
    for (int c = 0; c < p.s.c; c++) p.shift.values[c] = (float)rng_normal(r);
    for (size_t i = 0; i < p.w.len; i++) p.w.values[i] = (float)rng_normal(r);
    struct results raw = by_algorithm(&conv_bf16_dot, &p, true);
    for (size_t i = 0; i < p.w.len; i++) p.w.values[i] = bf16_value(bf16_of(p.w.values[i]));
    struct results weights = by_algorithm(&conv_bf16_dot, &p, true);
    apply_prologue(&p);
    struct results inputs = by_algorithm(&conv_bf16_dot, &p, true);
    ck_assert_msg(numbers_equal(&raw.y, &weights.y) && numbers_equal(&raw.dx, &weights.dx),
                  "%s: weights are not rounded to the nearest", kernels->isa);
    ck_assert_msg(results_equal(&weights, &inputs), "%s: inputs are not rounded to the nearest",
                  kernels->isa);
    results_free(&raw), results_free(&weights), results_free(&inputs);
    problem_free(&p);
}

/* Weights, and inputs behind a prologue, count as the nearest that bf16 holds. */
START_TEST(rounds_to_the_nearest)
{
    const struct conv_shape shapes[] = {
        { 2, 9, 7, 24, 40, 3, 3, 1, 1, 1, 1, 0, 0, true, true, false },
        { 3, 8, 6, 32, 16, 1, 1, 2, 1, 0, 0, 0, 0, true, true, false },
        { 2, 6, 11, 24, 36, 3, 3, 2, 2, 1, 1, 0, 0, true, true, false },
    };
    for (int i = 0; kernels_at(i); i++) {
        struct rng r = rng_stream(10, RNG_TEST, 0, 0);
        kernels_use(kernels_at(i)->isa);
        for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++) check_rounding(shapes[j], &r);
    }
    kernels_use(NULL);
}
END_TEST

static void check_threads(const struct conv_algorithm *algorithm, const struct problem *p)
{
    const int threads[] = { 1, 2, 3, 8 };
    struct results want = { 0 };
    for (int t = 0; t < 4; t++) {
        parallel_use(threads[t]);
        struct results got = by_algorithm(algorithm, p, true);
        ck_assert_msg(!t || results_equal(&got, &want),
                      "%s, %d channels: other bits with %d threads", algorithm->name, p->s.c,
                      threads[t]);
        if (t)
            results_free(&got);
        else
            want = got;
    }
    parallel_use(0);
    results_free(&want);
}

START_TEST(bits_do_not_depend_on_threads)
{
    for (int i = 0; i < CONV_LAYERS; i++) {
        struct rng r = rng_stream(7, RNG_TEST, (uint64_t)i, 0);
        struct problem p = problem(layer_shape(i, 3), &r);
        if (conv_direct.supports(&p.s)) check_threads(&conv_direct, &p);
        if (conv_bf16_dot.supports(&p.s)) check_threads(&conv_bf16_dot, &p);
        problem_free(&p);
    }
}
END_TEST

/* A forward pass of c to k channels, or a backward pass that writes k of them, on images of 64 x 64
 * pixels. */
static void write_images(const struct conv_algorithm *algorithm, const struct numbers *in,
                         const struct numbers *w, int images, bool forward, void *out)
{
    const int read = 8, written = (int)(w->len / 8);
    const struct conv_shape s = {
        .n = images,
        .h = 64,
        .w = 64,
        .c = forward ? read : written,
        .k = forward ? written : read,
        .kh = 1,
        .kw = 1,
        .stride = 1,
        .groups = 1,
        .oh = 64,
        .ow = 64,
        .bf16_x = in->bf16,
        .bf16_y = in->bf16,
    };
    float *work = mem_new(algorithm->work(&s) + 1, sizeof *work);
    struct conv_call c = { .w = w->values, .work = work, .overwrite = true };
    if (forward)
        c.x = in->stored, c.y = out, algorithm->forward(&s, &c);
    else
        c.dy = in->stored, c.dx = out, algorithm->backward_data(&s, &c);
    free(work);
}

/* Outputs that are written past the caches: the same images one by one are too small for that. */
START_TEST(large_outputs_have_the_bits_of_small_ones)
{
    enum { IMAGES = 5, PIXELS = 64 * 64, READ = 8, WRITTEN = 512 };
    for (int i = 0; kernels_at(i); i++)
        for (int kind = 0; kind < 6; kind++) {
            const struct conv_algorithm *algorithm = kind / 2 == 2 ? &conv_bf16_dot : &conv_direct;
            const bool is_bf16 = kind >= 2, forward = kind % 2;
            const size_t size = is_bf16 ? sizeof(bf16) : sizeof(float),
                         image = (size_t)PIXELS * WRITTEN * size;
            struct rng r = rng_stream(11, RNG_TEST, 0, 0);
            kernels_use(kernels_at(i)->isa);
            struct numbers in = numbers((size_t)IMAGES * PIXELS * READ, is_bf16, &r),
                           w = numbers((size_t)READ * WRITTEN, false, &r);
            char *all = mem_new(IMAGES * image, 1), *one = mem_new(image, 1);
            write_images(algorithm, &in, &w, IMAGES, forward, all);
            for (size_t n = 0; n < IMAGES; n++) {
                struct numbers part = in;
                part.stored = (char *)in.stored + n * PIXELS * READ * size;
                write_images(algorithm, &part, &w, 1, forward, one);
                ck_assert_msg(memcmp(all + n * image, one, image) == 0,
                              "%s, %s, %s, %s: image %zu differs", kernels->isa, algorithm->name,
                              is_bf16 ? "bf16" : "float", forward ? "forward" : "backward_data", n);
            }
            free(all), free(one);
            numbers_free(&in), numbers_free(&w);
        }
    kernels_use(NULL);
}
END_TEST

/* relu(scale conv(x) + bias) in one pass, the scale in the packed weights, against the same in
 * three. */
static void check_folded(struct conv_shape s, struct rng *r)
{
    struct problem p = problem(s, r);
    ck_assert(conv_folds_batch_norm(&p.s));
    struct numbers scale = numbers((size_t)s.k, false, r);
    const size_t len = (size_t)(s.n * p.s.oh * p.s.ow * s.k);
    struct numbers plain = numbers(len, s.bf16_y, NULL), folded = numbers(len, s.bf16_y, NULL);
    float *work = mem_new(conv_work(&p.s) + 1, sizeof *work),
          *packed = mem_new(conv_packed(&p.s, CONV_FORWARD), sizeof *packed);
    struct conv_call c = { .x = p.x.stored, .w = p.w.values, .y = plain.stored, .work = work };
    conv_forward(&p.s, &c);
    conv_pack(&p.s, &(struct conv_packing){ CONV_FORWARD, p.w.values, scale.values, packed });
    c.packed = packed, c.w = NULL, c.y = folded.stored;
    c.bias = p.bias.values, c.relu = true, c.cap = 2;
    conv_forward(&p.s, &c);
    /* weights that are rounded anew: errors of as many terms */
    const double near = s.bf16_x ? 5e-3 : 1e-6, terms = sqrt((double)(s.c * s.kh * s.kw));
    for (size_t i = 0; i < len; i++) {
        const size_t k = i % (size_t)s.k;
        double want = (double)(scale.values[k] * numbers_at(&plain, i) + p.bias.values[k]);
        want = fmin(want > 0 ? want : 0, 2);
        const double size = terms + fabs((double)numbers_at(&plain, i));
        ck_assert_msg(fabs((double)numbers_at(&folded, i) - want) < near * size, "%s: %g, not %g",
                      kernels->isa, (double)numbers_at(&folded, i), want);
    }
    free(work), free(packed);
    numbers_free(&scale), numbers_free(&plain), numbers_free(&folded);
    problem_free(&p);
}

START_TEST(what_follows_is_folded)
{
    static const struct conv_shape shapes[] = {
        { .n = 3,
          .h = 9,
          .w = 11,
          .c = 12,
          .k = 40,
          .kh = 3,
          .kw = 3,
          .stride = 1,
          .pad_top = 1,
          .pad_left = 1 },
        { .n = 2, .h = 8, .w = 8, .c = 1100, .k = 48, .kh = 1, .kw = 1, .stride = 1 }, /* in parts
                                                                                        */
        { .n = 3,
          .h = 9,
          .w = 9,
          .c = 32,
          .k = 64,
          .kh = 3,
          .kw = 3,
          .stride = 2,
          .pad_top = 1,
          .pad_left = 1 },
    };
    struct rng r = rng_stream(12, RNG_TEST, 0, 0);
    for (int i = 0; kernels_at(i); i++) {
        kernels_use(kernels_at(i)->isa);
        for (size_t k = 0; k < 2 * sizeof shapes / sizeof *shapes; k++) {
            struct conv_shape s = shapes[k / 2];
            s.groups = s.c == 32 ? 2 : 1;
            s.bf16_x = s.bf16_y = k % 2;
            check_folded(s, &r);
        }
    }
    kernels_use(NULL);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("conv_bf16");
    TCase *c = tcase_create("shapes");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, winograd_shapes_equal_the_reference);
    tcase_add_loop_test(c, random_shapes_equal_the_reference, 0, RANDOM_SHAPES / RANDOM_BATCH);
    tcase_add_loop_test(c, network_layers_equal_the_reference, 0, 4);
    tcase_add_test(c, rounds_to_the_nearest);
    tcase_add_test(c, what_follows_is_folded);
    tcase_add_test(c, large_outputs_have_the_bits_of_small_ones);
    tcase_add_test(c, bits_do_not_depend_on_threads);
    suite_add_tcase(s, c);
    return s;
}
