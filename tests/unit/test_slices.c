/* Evaluations in slices of the batch: which images a slice has, and outputs that must be whole. */
#include "core/graph/slices.h"
#include "tests/unit/fused_nets.h"

START_TEST(slices_cover_the_batch)
{
    for (int images = 1; images <= 20; images++)
        for (int each = 1; each <= images; each++) {
            const struct slices s = { .images = images, .each = each };
            struct slice slice;
            int k = 0, past = 0;
            for (; slices_at(&s, k, &slice); k++) {
                ck_assert_int_eq(slice.first, past);
                ck_assert(slice.count > 0 && slice.count <= each);
                past += slice.count;
            }
            ck_assert_int_eq(past, images);
            ck_assert_int_eq(k, (images + each - 1) / each);
        }
}
END_TEST

/* A concat that is kept lies whole in memory, and its parts, which are written into it, move from
 * slice to slice by its channels, not by their own. */
static float *kept_concat(unsigned how, size_t *len)
{
    enum { IMAGES = 19, LARGE_SIDE = 63 };
    struct net n = { .graph = graph_create() };
    const struct step step = { .training = false };
    struct err e;
    struct tensor *x = graph_input(n.graph, "images", IMAGES, LARGE_SIDE, LARGE_SIDE, 3);
    struct tensor *parts[] = { conv_bn_relu(&n, x, "a", 1), conv_bn_relu(&n, x, "b", 3) };
    struct tensor *y = nn_concat(&n, 2, parts);
    ck_assert_msg(!n.failed, "%s", n.e.text);
    graph_fuse(n.graph, how & FUSED);
    ck_assert(graph_plan(n.graph, false, (struct tensor *[]){ y, NULL }, &e));
    graph_init(n.graph, 7);
    struct rng r = rng_stream(1, RNG_TEST, 0, 0);
    for (size_t i = 0; i < tensor_len(x); i++) x->data[i] = (float)rng_normal(&r);
    graph_forward(n.graph, &step);
    *len = tensor_len(y);
    float *copy = memcpy(mem_new(*len, sizeof *copy), y->data, *len * sizeof *copy);
    graph_destroy(n.graph);
    return copy;
}

START_TEST(parts_of_a_kept_concat_are_in_their_places)
{
    size_t len;
    float *fused = kept_concat(FUSED, &len), *plain = kept_concat(0, &len);
    const double d = apart(fused, plain, len);
    ck_assert_msg(d < 1e-5, "differs by %g", d);
    free(fused);
    free(plain);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("slices");
    unit_case(s, "slices", 20,
              UNIT_TESTS(slices_cover_the_batch, parts_of_a_kept_concat_are_in_their_places));
    return s;
}
