/* Activations stored as bf16: every op gives what it gives on floats, rounded; whole steps of every
 * SE variant stay close to the float step; bits depend on no number of threads. */
#include "core/base/mem.h"
#include "core/base/parallel.h"
#include "core/kernels/kernels.h"
#include "tests/unit/op_cases.h"
#include "tests/unit/small_nets.h"

/* Cosine of the angle between two gradients: rounding flips the masks of ReLUs, which moves single
 * elements far, but not the whole. */
static double alike(const float *a, const float *b, size_t len)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < len; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb + 1e-30);
}

static void step_both(const struct network *w, struct model_net *const both[2], bool training)
{
    const struct step step = { .training = training, .seed = 1 };
    for (int i = 0; i < 2; i++) {
        size_t states;
        float *s = graph_states(both[i]->graph, &states);
        for (size_t k = 0; k < states && !training; k++) s[k] = 0.5f + 0.01f * (float)(k % 37);
        feed_network(w, both[i], 1);
        graph_forward(both[i]->graph, &step);
        if (training) graph_backward(both[i]->graph);
    }
}

/* least: of the cosine. */
static void compare_training(const struct network *w, const struct se_settings *se, unsigned how,
                             double least)
{
    struct model_net half = build(w, se, how | BF16 | TRAINING), full = build(w, se, TRAINING);
    step_both(w, (struct model_net *const[]){ &half, &full }, true);
    double loss = (double)half.loss->data[0], want = (double)full.loss->data[0];
    ck_assert_msg(fabs(loss / want - 1) < w->bf16_loss, "%s: loss %.9g, not %.9g", se_name(w, se),
                  loss, want);
    size_t len, states;
    graph_weights(full.graph, &len);
    double same = alike(graph_gradients(half.graph), graph_gradients(full.graph), len);
    ck_assert_msg(same > least, "%s: gradients at an angle of cosine %g", se_name(w, se), same);
    const float *moved = graph_states(half.graph, &states);
    double state = apart(moved, graph_states(full.graph, NULL), states);
    ck_assert_msg(state < 1e-2, "%s: running statistics differ by %g", se_name(w, se), state);
    graph_destroy(half.graph);
    graph_destroy(full.graph);
}

static void compare_evaluation(const struct network *w, const struct se_settings *se, unsigned how)
{
    struct model_net half = build(w, se, how | BF16), full = build(w, se, 0);
    step_both(w, (struct model_net *const[]){ &half, &full }, false);
    double d = apart(half.logits->data, full.logits->data, tensor_len(full.logits));
    ck_assert_msg(d < 2e-2, "%s: logits differ by %g", se_name(w, se), d);
    graph_destroy(half.graph);
    graph_destroy(full.graph);
}

/* Gradients of deeper networks at their first step amplify any rounding; where SE blocks scale the
 * shortcuts too, the loss alone is held to the float step's. */
START_TEST(every_variant_is_close_to_float)
{
    const struct network *w = network_at(_i);
    for (int p = 0; p < SE_PLACEMENTS; p++)
        for (int q = 0; q < SE_SQUEEZES && network_has(w, p); q++) {
            struct se_settings se = { .reduction = { .all = 4 },
                                      .squeeze = q,
                                      .placement = p,
                                      .bias = true,
                                      .min_hidden = 2 };
            compare_training(w, &se, FUSED, w->bf16);
            compare_evaluation(w, &se, FUSED);
            compare_training(w, &se, 0, w->bf16);
        }
}
END_TEST

START_TEST(bf16_on_every_instruction_set)
{
    struct se_settings se = { .reduction = { .all = 4 }, .bias = true, .min_hidden = 1 };
    for (int i = 0; kernels_at(i); i++) {
        kernels_use(kernels_at(i)->isa);
        for (int k = 0; k < networks_count(); k++)
            compare_training(network_at(k), &se, FUSED, network_at(k)->bf16_standard);
    }
    kernels_use(NULL);
}
END_TEST

static void round_to_bf16(float *x, size_t len)
{
    bf16 *narrow = mem_new(len, sizeof *narrow);
    bf16_narrow(narrow, x, len);
    bf16_widen(x, narrow, len);
    free(narrow);
}

/* What is stored as x holds the floats `want`, rounded where x is bf16: to the bit. A convolution
 * may multiply pairs of bf16 and sum in another order: its floats are close before they are rounded
 * (tests/unit/test_conv_bf16.c says how close). */
static void check_values(const struct trial *t, const struct tensor *x, const void *stored,
                         float *want)
{
    const size_t len = tensor_len(x);
    const bool near = t->of->op == OP_conv2d;
    float *got = mem_new(len, sizeof *got);
    double squares = 0;
    if (x->bf16) {
        round_to_bf16(want, len);
        bf16_widen(got, stored, len);
    } else {
        memcpy(got, stored, len * sizeof *got);
    }
    for (size_t i = 0; i < len; i++) squares += (double)want[i] * (double)want[i];
    const double size = sqrt(squares / (double)len), most = x->bf16 ? 1.0 / 128 : 1e-5;
    for (size_t i = 0; i < len; i++) {
        const double w = (double)want[i], apart = fabs((double)got[i] - w);
        if (near ? apart <= most * (fabs(w) + size) : memcmp(&got[i], &want[i], sizeof *got) == 0)
            continue;
        ck_abort_msg("%s (%s) of %dx%dx%dx%d: element %zu of %zu is %.9g, not %.9g", t->op->name,
                     kernels->isa, t->in[0].n, t->in[0].h, t->in[0].w, t->in[0].c, i, len,
                     (double)got[i], w);
    }
    free(got);
}

/* Both trials hold what bf16 can hold, and gradients begin at 1/4. */
static void even_out(struct trial *half, struct trial *full)
{
    round_to_bf16(full->out.grad, tensor_len(&full->out));
    for (int i = 0; i < full->n_in; i++) {
        struct tensor *narrow = &half->in[i], *wide = &full->in[i];
        const bool weights = full->of->op == OP_conv2d && i == 1; /* may be rounded in use */
        if (weights) round_to_bf16(narrow->data, tensor_len(narrow));
        if (weights || narrow->bf16) round_to_bf16(wide->data, tensor_len(wide));
        for (size_t j = 0; wide->grad && j < tensor_len(wide); j++) {
            tensor_grad_add(narrow, j, 0.25f);
            tensor_grad_add(wide, j, 0.25f);
        }
    }
}

/* twice: both inputs are one tensor. */
static void check_op(const struct trial_case *c, bool twice)
{
    struct trial_case stored = *c;
    struct trial half, full;
    stored.bf16 = true;
    trial_begin(&half, &stored), trial_begin(&full, c);
    even_out(&half, &full);
    if (twice) half.call.in[1] = half.call.in[0], full.call.in[1] = full.call.in[0];
    op_forward(half.op, &half.call), op_forward(full.op, &full.call);
    check_values(&half, &half.out, half.out.data, full.out.data);
    trial_backward(&half), trial_backward(&full);
    for (int i = 0; i < half.n_in; i++) {
        const struct tensor *x = &half.in[i];
        check_values(&half, x, x->data, full.in[i].data); /* a batch norm moves its statistics */
        if (x->grad) check_values(&half, x, x->grad, full.in[i].grad);
    }
    trial_end(&half), trial_end(&full);
}

/* The ops of a fused step (core/ops/fused.h) share state with their neighbours in a graph:
 * every_variant_is_close_to_float runs them. */
START_TEST(every_op_gives_what_it_gives_on_floats)
{
    ck_assert(kernels_use(kernels_at(_i)->isa));
    for (int i = 0; i < OP_CASES; i++)
        for (int evaluation = 0; evaluation < 2; evaluation++) {
            struct trial_case c = op_cases[i];
            c.evaluation = evaluation;
            check_op(&c, false);
            if (c.op == OP_add) check_op(&c, true);
        }
    kernels_use(NULL);
}
END_TEST

START_TEST(bf16_takes_about_half_the_memory)
{
    struct se_settings se = { .reduction = { .all = 16 }, .bias = true, .min_hidden = 1 };
    const struct network w = { "resnet20", 1, 32, .batch = 32 };
    size_t bytes[2];
    for (int i = 0; i < 2; i++) {
        struct model_net n = build(&w, &se, FUSED | TRAINING | (i ? BF16 : 0));
        bytes[i] = graph_bytes(n.graph, true, NULL);
        graph_destroy(n.graph);
    }
    ck_assert_msg(bytes[1] < bytes[0] * 65 / 100, "%zu bytes, %zu as float", bytes[1], bytes[0]);
}
END_TEST

Suite *suite(void)
{
    int tables = 0;
    while (kernels_at(tables)) tables++;
    Suite *s = suite_create("bf16");
    TCase *ops_case = tcase_create("ops");
    tcase_set_timeout(ops_case, 120);
    tcase_add_loop_test(ops_case, every_op_gives_what_it_gives_on_floats, 0, tables);
    suite_add_tcase(s, ops_case);
    TCase *c = tcase_create("variants");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, every_variant_is_close_to_float, 0, networks_count());
    suite_add_tcase(s, c);
    unit_case(s, "machine", 120,
              UNIT_TESTS(bf16_on_every_instruction_set, bf16_takes_about_half_the_memory));
    return s;
}
