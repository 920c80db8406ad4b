/* A fused step against the plain one: every SE variant on several networks gives the same loss,
 * gradients, running statistics and predictions up to rounding, and needs less memory. */
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "core/ops/ops.h"
#include "tests/unit/small_nets.h"

/* How far the gradients of both are apart, on inputs drawn from seed; the loss and the running
 * statistics must agree on any. */
static double gradients_apart(const struct network *w, const struct se_settings *se, uint64_t seed)
{
    const struct step step = { .training = true, .seed = 1 };
    struct model_net fused = build(w, se, FUSED | TRAINING), plain = build(w, se, TRAINING);
    struct model_net *both[] = { &fused, &plain };
    for (int i = 0; i < 2; i++) {
        feed_network(w, both[i], seed);
        graph_forward(both[i]->graph, &step);
        graph_backward(both[i]->graph);
    }
    double loss = (double)fused.loss->data[0], want = (double)plain.loss->data[0];
    ck_assert_msg(fabs(loss / want - 1) < 1e-4, "%s: loss %.9g, not %.9g", se_name(w, se), loss,
                  want);
    size_t len, states;
    graph_weights(fused.graph, &len);
    double far = apart(graph_gradients(fused.graph), graph_gradients(plain.graph), len);
    const float *moved = graph_states(fused.graph, &states);
    double state = apart(moved, graph_states(plain.graph, NULL), states);
    ck_assert_msg(state < 1e-4, "%s: running statistics differ by %g", se_name(w, se), state);
    graph_destroy(fused.graph);
    graph_destroy(plain.graph);
    return far;
}

/* Rounding alone can put an input of a ReLU or a maximum on its other side, which moves gradients
 * by a per cent; other inputs then decide. */
static void compare_training(const struct network *w, const struct se_settings *se)
{
    double far = 1;
    for (uint64_t seed = 1; seed <= 6 && far > 2e-4; seed++) far = gradients_apart(w, se, seed);
    ck_assert_msg(far < 2e-4, "%s: gradients differ by %g", se_name(w, se), far);
}

static void compare_evaluation(const struct network *w, const struct se_settings *se)
{
    const struct step step = { .training = false };
    struct model_net fused = build(w, se, FUSED), plain = build(w, se, 0);
    struct model_net *both[] = { &fused, &plain };
    for (int i = 0; i < 2; i++) {
        size_t states;
        float *s = graph_states(both[i]->graph, &states);
        for (size_t k = 0; k < states; k++) s[k] = 0.5f + 0.01f * (float)(k % 37);
        feed_network(w, both[i], 1);
        graph_forward(both[i]->graph, &step);
    }
    double d = apart(fused.logits->data, plain.logits->data, tensor_len(plain.logits));
    ck_assert_msg(d < 1e-5, "%s: logits differ by %g", se_name(w, se), d);
    graph_destroy(fused.graph);
    graph_destroy(plain.graph);
}

enum { SMALL_IMAGE = 16 }; /* where a step takes so little that all excitations are tried */

START_TEST(every_variant_is_the_same_fused)
{
    const struct network *w = network_at(_i);
    const int excitations = w->size <= SMALL_IMAGE ? SE_EXCITATIONS : 1;
    for (int p = 0; p < SE_PLACEMENTS; p++)
        for (int q = 0; q < SE_SQUEEZES && network_has(w, p); q++)
            for (int x = 0; x < excitations; x++) {
                struct se_settings se = { .reduction = { .all = 4 },
                                          .squeeze = q,
                                          .excitation = x,
                                          .placement = p,
                                          .bias = true,
                                          .min_hidden = 2 };
                compare_training(w, &se);
                if (x == SE_SIGMOID) compare_evaluation(w, &se);
            }
}
END_TEST

START_TEST(without_se_is_the_same_fused)
{
    struct se_settings none = { .min_hidden = 1 };
    compare_training(network_at(_i), &none);
    compare_evaluation(network_at(_i), &none);
}
END_TEST

START_TEST(fused_on_every_instruction_set)
{
    struct se_settings se = { .reduction = { .all = 4 }, .bias = true, .min_hidden = 1 };
    for (int i = 0; kernels_at(i); i++) {
        kernels_use(kernels_at(i)->isa);
        for (int k = 0; k < networks_count(); k++) compare_training(network_at(k), &se);
    }
    kernels_use(NULL);
}
END_TEST

/* On the weights of `like`, and made-up statistics. */
static void evaluate_images(struct model_net *n, struct model_net *like, const float *images)
{
    const struct step step = { .training = false };
    size_t states;
    float *s = graph_states(n->graph, &states);
    for (size_t k = 0; k < states; k++) s[k] = 0.5f + 0.01f * (float)(k % 37);
    size_t weights;
    const float *w = graph_weights(like->graph, &weights);
    if (n != like) memcpy(graph_weights(n->graph, NULL), w, weights * sizeof *w);
    memcpy(n->images->data, images, tensor_len(n->images) * sizeof *images);
    graph_forward(n->graph, &step);
}

/* An evaluation goes through a batch of large images in slices: 17 images are 6, 6 and 5, to the
 * bit; also between training steps, in whose memory it prepares what it needs. */
START_TEST(an_evaluation_is_that_of_its_slices)
{
    static const int sizes[] = { 6, 6, 5 };
    struct network w = { "resnet18", 0.25, 192, .batch = 17 };
    struct se_settings se = { .reduction = { .all = 4 }, .bias = true, .min_hidden = 1 };
    const unsigned how = FUSED | (_i & 1 ? BF16 : 0);
    struct model_net whole = build(&w, &se, how | (_i & 2 ? TRAINING : 0));
    feed(&whole, 1);
    if (_i & 2) {
        graph_forward(whole.graph, &(struct step){ .training = true, .seed = 1 });
        graph_backward(whole.graph);
        feed(&whole, 1);
    }
    const size_t len = tensor_len(whole.images), image = len / 17;
    float *images = memcpy(malloc(len * sizeof *images), whole.images->data, len * sizeof *images);
    evaluate_images(&whole, &whole, images);
    for (int k = 0, first = 0; k < 3; first += sizes[k++]) {
        w.batch = sizes[k];
        struct model_net slice = build(&w, &se, how);
        evaluate_images(&slice, &whole, images + (size_t)first * image);
        ck_assert_mem_eq(slice.logits->data, whole.logits->data + first * CLASSES,
                         (size_t)(sizes[k] * CLASSES) * sizeof(float));
        graph_destroy(slice.graph);
    }
    free(images);
    graph_destroy(whole.graph);
}
END_TEST

/* Two steps' gradients, to the bit. */
START_TEST(threads_change_no_bit)
{
    const struct step step = { .training = true, .seed = 1 };
    struct se_settings se = { .reduction = { .all = 4 }, .bias = true, .min_hidden = 1 };
    float *first = NULL;
    size_t len;
    for (int threads = 1; threads <= 8; threads++) {
        parallel_use(threads);
        struct model_net n = build(network_of("resnet50"), &se, FUSED | TRAINING);
        feed_network(network_of("resnet50"), &n, 1);
        for (int k = 0; k < 2; k++) {
            graph_forward(n.graph, &step);
            graph_backward(n.graph);
        }
        graph_weights(n.graph, &len);
        if (!first)
            first =
                memcpy(malloc(len * sizeof *first), graph_gradients(n.graph), len * sizeof *first);
        ck_assert_mem_eq(first, graph_gradients(n.graph), len * sizeof *first);
        graph_destroy(n.graph);
    }
    free(first);
    parallel_use(0);
}
END_TEST

static size_t bytes_of(const struct network *w, bool fused)
{
    struct se_settings se = { .reduction = { .all = 16 }, .bias = true, .min_hidden = 1 };
    struct model_net n = build(w, &se, TRAINING | (fused ? FUSED : 0));
    size_t bytes = graph_bytes(n.graph, true, NULL);
    graph_destroy(n.graph);
    return bytes;
}

/* Outputs of so many elements an image are forgotten and made again (core/graph/plan.c), unless the
 * caller keeps them. Returns the bytes of the plan. */
static size_t large_step(bool keep_ends, unsigned how, struct model_net *net)
{
    static const struct network w = { "resnet50", 1, 144, .batch = 2 };
    const struct se_settings se = { .reduction = { .all = 16 }, .bias = true, .min_hidden = 1 };
    const struct step step = { .training = true, .seed = 1 };
    struct tensor *keep[16] = { NULL };
    size_t kept = 0;
    struct err e;
    *net = build_unplanned(&w, &se, how);
    keep[kept++] = net->loss;
    for (size_t i = 0; keep_ends && i < graph_node_count(net->graph); i++) {
        const struct node *n = graph_node(net->graph, i);
        if (n->op == &op_relu && n->out.c == 256 && n->out.h == 36)
            keep[kept++] = (struct tensor *)(uintptr_t)&n->out;
    }
    ck_assert_uint_eq(kept, keep_ends ? 4 : 1);
    const size_t bytes = graph_bytes(net->graph, true, keep);
    ck_assert_msg(graph_plan(net->graph, true, keep, &e), "%s", e.text);
    graph_init(net->graph, 7);
    feed(net, 1);
    for (int i = 0; i < 2; i++) {
        graph_forward(net->graph, &step);
        graph_backward(net->graph);
    }
    return bytes;
}

START_TEST(what_is_made_again_changes_no_bit)
{
    const unsigned how = FUSED | TRAINING | (_i ? BF16 : 0);
    struct model_net again, kept;
    const size_t less = large_step(false, how, &again), more = large_step(true, how, &kept);
    const size_t end = (size_t)2 * 36 * 36 * 256 * (_i ? 2 : 4);
    ck_assert_uint_ge(more, less + 2 * end);
    size_t len;
    graph_weights(again.graph, &len);
    const float *a = graph_gradients(again.graph), *b = graph_gradients(kept.graph);
    ck_assert_int_eq(memcmp(a, b, len * sizeof *a), 0);
    ck_assert_uint_eq(graph_weights_digest(again.graph), graph_weights_digest(kept.graph));
    graph_destroy(again.graph);
    graph_destroy(kept.graph);
}
END_TEST

/* At the sizes that networks are trained at; a norm's sums weigh more than images of a few pixels.
 */
START_TEST(fused_needs_less_memory)
{
    const struct network real[] = { { "resnet20", 1, 32, .batch = 16 },
                                    { "resnet50", 0.25, 112, .batch = 4 } };
    for (int k = 0; k < 2; k++) {
        size_t fused = bytes_of(&real[k], true), plain = bytes_of(&real[k], false);
        ck_assert_msg(fused < plain, "%s: %zu bytes, plain %zu", real[k].backbone, fused, plain);
    }
}
END_TEST

static size_t unfused_of(struct graph *g, struct tensor *kept)
{
    size_t passes = graph_unfused(g, (struct tensor *[]){ kept, NULL });
    graph_destroy(g);
    return passes;
}

/* A residual network leaves nothing, whatever the depth and with SE blocks, but a pass for each
 * gate that stands before a convolution; a ReLU that stands alone is one, and what has one pixel an
 * image is none. */
START_TEST(unfused_passes_are_counted)
{
    static const struct network depths[] = { { "resnet8", 0.5, 16, .batch = 4 },
                                             { "resnet20", 0.5, 16, .batch = 4 } };
    struct se_settings se;
    fields_default(se_fields, &se);
    for (int i = 0; i < 2; i++)
        for (se.reduction.all = 0; se.reduction.all < 5; se.reduction.all += 4) {
            struct model_net net = build_unplanned(&depths[i], &se, FUSED);
            ck_assert_uint_eq(unfused_of(net.graph, net.logits), 0);
        }
    se = (struct se_settings){ .reduction = { .all = 4 }, .placement = SE_PRE };
    struct model_net gated = build_unplanned(&depths[0], &se, FUSED);
    ck_assert_uint_eq(unfused_of(gated.graph, gated.logits), 3);
    struct net n = { .graph = graph_create() };
    struct tensor *x = nn_relu(&n, graph_input(n.graph, "x", 2, 8, 8, 3));
    x = nn_relu(&n, nn_global_avg_pool(&n, nn_add(&n, x, x)));
    ck_assert_uint_eq(unfused_of(n.graph, x), 1);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("fuse");
    TCase *c = tcase_create("variants");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, every_variant_is_the_same_fused, 0, networks_count());
    tcase_add_loop_test(c, without_se_is_the_same_fused, 0, networks_count());
    tcase_add_loop_test(c, an_evaluation_is_that_of_its_slices, 0, 4);
    tcase_add_loop_test(c, what_is_made_again_changes_no_bit, 0, 2);
    suite_add_tcase(s, c);
    unit_case(s, "machine", 120,
              UNIT_TESTS(fused_on_every_instruction_set, threads_change_no_bit,
                         fused_needs_less_memory, unfused_passes_are_counted));
    return s;
}
