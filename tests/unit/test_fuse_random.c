/* Graphs that nobody thought of: ops drawn at random over tensors drawn at random, so that sums,
 * norms, gates, squeezes and concats read each other in any order of construction. Fused they give
 * what the plain graph gives. */
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "tests/unit/fused_nets.h"

enum { GROUPS = 10, EACH = 50, OPS_DRAWN = 14, NEAR = 3 };

/* A chain of batch norms amplifies rounding: plain graphs on two instruction sets differ by 1e-4.
 * A gradient that is lost or counted twice moves them by 5e-3 at least. */
#define SLACK 20
#define SLACK_BF16 2

struct drawing {
    struct net *net;
    struct rng r;
    struct tensor *all[OPS_DRAWN + 1]; /* of one shape */
    bool read[OPS_DRAWN + 1];
    int count, names;
};

static uint64_t drawn; /* which graph build_drawn makes */

static const char *draw_name(struct drawing *d)
{
    static char name[16];
    snprintf(name, sizeof name, "d%d", d->names++);
    return name;
}

/* More often one of the last few tensors than any: chains grow that can be fused. */
static struct tensor *draw_tensor(struct drawing *d)
{
    const bool any = rng_below(&d->r, 3) == 0;
    const uint32_t from = (uint32_t)(any || d->count < NEAR ? d->count : NEAR);
    const int i = d->count - 1 - (int)rng_below(&d->r, from);
    d->read[i] = true;
    return d->all[i];
}

static struct tensor *draw_conv(struct drawing *d, struct tensor *x)
{
    const struct conv_layer layer = { .channels = CHANNELS,
                                      .kernel = rng_below(&d->r, 2) ? 3 : 1,
                                      .bias = rng_below(&d->r, 4) == 0 };
    return nn_conv(d->net, x, draw_name(d), layer);
}

static struct tensor *draw_gated(struct drawing *d, struct tensor *x, int channels)
{
    const struct linear_layer layer = { .out = channels, .bias = true };
    struct tensor *s =
        rng_below(&d->r, 3) ? nn_global_avg_pool(d->net, x) : nn_global_max_pool(d->net, x);
    struct tensor *gate = nn_sigmoid(d->net, nn_linear(d->net, s, draw_name(d), layer));
    return nn_scale_channels(d->net, x, gate);
}

static struct tensor *draw_concat(struct drawing *d)
{
    struct tensor *in[3];
    const int count = 2 + (int)rng_below(&d->r, 2);
    for (int i = 0; i < count; i++) in[i] = draw_tensor(d);
    struct tensor *y = nn_concat(d->net, count, in);
    return draw_conv(d, rng_below(&d->r, 2) ? draw_gated(d, y, count * CHANNELS) : y);
}

static struct tensor *draw_op(struct drawing *d)
{
    const uint32_t kind = rng_below(&d->r, 11);
    if (kind == 0) return draw_concat(d);
    struct tensor *x = draw_tensor(d);
    if (kind == 1) return nn_max_pool(d->net, x, (struct pool_attr){ 3, 1, .pad = 1 });
    if (kind == 2) return draw_gated(d, x, CHANNELS);
    if (kind == 3) return draw_conv(d, x);
    if (kind == 4) return nn_relu(d->net, x);
    if (kind <= 7) return nn_batch_norm(d->net, x, draw_name(d));
    return nn_add(d->net, x, draw_tensor(d));
}

/* What nothing reads is added up at the end, so that the loss hangs on every op. */
static struct tensor *build_drawn(struct net *n, struct tensor *x)
{
    struct drawing d = {
        .net = n, .r = rng_stream(drawn, RNG_TEST, 0, 0), .all = { x }, .count = 1
    };
    for (int i = 0; i < OPS_DRAWN; i++) {
        struct tensor *y = draw_op(&d);
        d.all[d.count++] = y;
    }
    x = d.all[OPS_DRAWN];
    for (int i = OPS_DRAWN; i-- > 0;)
        if (!d.read[i]) x = nn_add(n, x, d.all[i]);
    return x;
}

START_TEST(random_graphs_are_the_same_fused)
{
    int isas = 0;
    do isas++;
    while (kernels_at(isas)); /* the first runs everywhere */
    for (int k = 0; k < EACH; k++) {
        char name[32];
        drawn = (uint64_t)(_i * EACH + k);
        snprintf(name, sizeof name, "random graph %d", (int)drawn);
        const unsigned how = k % 3 == 0 ? BF16 : 0;
        const struct pattern p = { name, build_drawn, .slack = how ? SLACK_BF16 : SLACK };
        kernels_use(kernels_at(k % isas)->isa);
        check_training(&p, how);
        check_evaluation(&p, how);
        check_threads(&p, how);
    }
    kernels_use(NULL);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("random fused graphs");
    TCase *c = tcase_create("random");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, random_graphs_are_the_same_fused, 0, GROUPS);
    suite_add_tcase(s, c);
    return s;
}
