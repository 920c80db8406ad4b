/* Checkpoints come back to the bit, or are refused with nothing changed. */
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/numerics.h"
#include "core/base/rng.h"
#include "core/kernels/kernels.h"
#include "core/nn/nn.h"
#include "core/train/checkpoint.h"
#include "tests/unit/unit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static void path_make(void)
{
    strcpy(path, "/tmp/checkpoint-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void path_drop(void) { unlink(path); }

static struct graph *graph_named(int classes, const char *name)
{
    struct net n = { .graph = graph_create() };
    struct tensor *x = graph_input(n.graph, "images", 2, 1, 1, 3);
    struct tensor *labels = graph_input(n.graph, "labels", 2, 1, 1, 1);
    x = nn_linear(&n, nn_batch_norm(&n, x, "bn"), name,
                  (struct linear_layer){ .out = classes, .bias = true });
    nn_softmax_loss(&n, x, labels, 0);
    ck_assert_msg(!n.failed, "%s", n.e.text);
    ck_assert(graph_plan(n.graph, true, NULL, &n.e));
    graph_init(n.graph, 1);
    return n.graph;
}

static struct graph *small_graph(int classes) { return graph_named(classes, "fc"); }

/* A run of `epochs` finished epochs, its numbers drawn by seed. */
static struct checkpoint made_up(struct graph *g, uint64_t seed, int epochs)
{
    struct rng r = rng_stream(seed, RNG_TEST, 0, 0);
    struct checkpoint c = { .identity = 77, .graph = g, .epochs = epochs };
    graph_weights(g, &c.optimizer_len);
    c.optimizer = mem_new(c.optimizer_len, sizeof *c.optimizer);
    c.history = mem_new((size_t)epochs + 1, sizeof *c.history);
    for (size_t i = 0; i < c.optimizer_len; i++) c.optimizer[i] = (float)rng_normal(&r);
    for (int i = 0; i < epochs; i++)
        c.history[i] = (struct epoch_record){ i + 1,
                                              rng_uniform(&r),
                                              rng_uniform(&r),
                                              rng_uniform(&r),
                                              NAN,
                                              rng_uniform(&r),
                                              rng_uniform(&r),
                                              rng_uniform(&r),
                                              rng_u32(&r) * UINT64_C(0x100000001) };
    return c;
}

static void made_up_free(struct checkpoint *c)
{
    free(c->optimizer);
    free(c->history);
    graph_destroy(c->graph);
}

static void write_bytes(const unsigned char *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    ck_assert(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
}

START_TEST(test_round_trip)
{
    struct err e;
    for (int epochs = 0; epochs < 4; epochs++) {
        struct checkpoint a = made_up(small_graph(5), 3, epochs);
        struct checkpoint b = made_up(small_graph(5), 4, 1);
        size_t len;
        graph_states(a.graph, &len)[1] = 0.25f;
        graph_init(b.graph, 9);
        ck_assert(graph_weights_digest(a.graph) != graph_weights_digest(b.graph));
        ck_assert_msg(checkpoint_write(path, &a, &e), "%s", e.text);
        ck_assert_int_eq(checkpoint_read(path, &b, &e), CHECKPOINT_READ);
        ck_assert(graph_weights_digest(a.graph) == graph_weights_digest(b.graph));
        ck_assert_mem_eq(a.optimizer, b.optimizer, a.optimizer_len * sizeof(float));
        ck_assert_int_eq(b.epochs, epochs);
        for (int i = 0; i < epochs; i++) {
            const struct epoch_record *x = &a.history[i], *y = &b.history[i];
            ck_assert(x->epoch == y->epoch && x->lr == y->lr && x->train_loss == y->train_loss);
            ck_assert(x->train_error == y->train_error && isnan(y->validation_loss));
            ck_assert(x->validation_error == y->validation_error && x->seconds == y->seconds);
            ck_assert(x->images_per_second == y->images_per_second);
            ck_assert(x->weights_digest == y->weights_digest);
        }
        made_up_free(&a);
        made_up_free(&b);
    }
}
END_TEST

/* The bytes of a sound checkpoint, and a reader that they do not belong to yet. */
struct tampering {
    struct checkpoint reader;
    struct bytes good;
    unsigned char *bad;
    uint64_t before;
};

static struct tampering tampering_begin(void)
{
    struct err e;
    struct tampering t = { .reader = made_up(small_graph(5), 8, 1) };
    struct checkpoint a = made_up(small_graph(5), 3, 2);
    ck_assert(checkpoint_write(path, &a, &e) && file_read(path, &t.good, &e));
    graph_init(t.reader.graph, 2);
    t.before = graph_weights_digest(t.reader.graph);
    t.bad = mem_new(t.good.len + 8, 1);
    memcpy(t.bad, t.good.data, t.good.len);
    made_up_free(&a);
    return t;
}

static void tampering_refused(struct tampering *t, size_t len, const char *what)
{
    struct err e = { .text = "" };
    write_bytes(t->bad, len);
    ck_assert_msg(checkpoint_read(path, &t->reader, &e) == CHECKPOINT_REFUSED,
                  "%s: taken, %zu bytes", what, len);
    ck_assert_msg(strncmp(e.text, path, strlen(path)) == 0, "%s", e.text);
    ck_assert(graph_weights_digest(t->reader.graph) == t->before && t->reader.epochs == 1);
}

static void tampering_end(struct tampering *t)
{
    struct err e;
    write_bytes(t->good.data, t->good.len);
    ck_assert_int_eq(checkpoint_read(path, &t->reader, &e), CHECKPOINT_READ);
    ck_assert(graph_weights_digest(t->reader.graph) != t->before);
    free(t->good.data);
    free(t->bad);
    made_up_free(&t->reader);
}

START_TEST(test_truncation)
{
    struct tampering t = tampering_begin();
    for (size_t len = 0; len < t.good.len; len++) tampering_refused(&t, len, "truncation");
    for (size_t more = 1; more <= 8; more++) tampering_refused(&t, t.good.len + more, "extension");
    tampering_end(&t);
}
END_TEST

/* One bit in every byte, then bursts of several bits. */
START_TEST(test_bit_flips)
{
    struct tampering t = tampering_begin();
    struct rng r = rng_stream(5, RNG_TEST, 0, 0);
    for (size_t i = 0; i < t.good.len; i++) {
        t.bad[i] ^= (unsigned char)(1u << rng_below(&r, 8));
        tampering_refused(&t, t.good.len, "flip");
        t.bad[i] = t.good.data[i];
    }
    for (int i = 0; i < 500; i++) {
        for (int k = 0; k < 4; k++)
            t.bad[rng_below(&r, (uint32_t)t.good.len)] ^= (unsigned char)(1 + rng_below(&r, 255));
        if (memcmp(t.bad, t.good.data, t.good.len) != 0) tampering_refused(&t, t.good.len, "burst");
        memcpy(t.bad, t.good.data, t.good.len);
    }
    tampering_end(&t);
}
END_TEST

/* Counts that overflow, in a file whose digest fits. */
START_TEST(test_forged_counts)
{
    struct tampering t = tampering_begin();
    static const uint64_t counts[] = { 0,
                                       1,
                                       1000,
                                       UINT64_C(1) << 31,
                                       UINT64_C(1) << 60,
                                       UINT64_MAX,
                                       UINT64_MAX / 72 + 1,
                                       UINT64_MAX / 4 + 1 };
    for (size_t place = 56; place < 88; place += 8)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            memcpy(t.bad + place, &counts[i], 8);
            uint64_t digest = digest_of(t.bad, t.good.len - 8);
            memcpy(t.bad + t.good.len - 8, &digest, 8);
            tampering_refused(&t, t.good.len, "forged count");
            memcpy(t.bad, t.good.data, t.good.len);
        }
    tampering_end(&t);
}
END_TEST

static void refused_for(struct checkpoint *c, const char *why)
{
    struct err e;
    ck_assert_int_eq(checkpoint_read(path, c, &e), CHECKPOINT_REFUSED);
    ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
}

START_TEST(test_foreign)
{
    struct err e;
    struct checkpoint a = made_up(small_graph(5), 3, 2), other = made_up(small_graph(6), 3, 2);
    ck_assert(checkpoint_write(path, &a, &e));
    refused_for(&other, "holds another network or optimiser");
    struct checkpoint renamed = made_up(graph_named(5, "head"), 3, 2); /* as large */
    refused_for(&renamed, "holds another network or optimiser");
    made_up_free(&renamed);
    a.optimizer_len--;
    refused_for(&a, "holds another network or optimiser");
    a.optimizer_len++;
    a.identity++;
    refused_for(&a, "belongs to another run (other settings, data or seed)");
    a.identity--;
    ck_assert_int_eq(checkpoint_read(path, &a, &e), CHECKPOINT_READ);
    if (kernels_at(1)) {
        kernels_use(kernels_at(1)->isa);
        refused_for(&a, "goes on from it");
        kernels_use(NULL);
    }
    write_bytes(
        (const unsigned char *)"not one of ours, but long enough for a head of eighty-eight bytes "
                               "and its digest, so that it is read",
        100);
    refused_for(&a, "no checkpoint of senet-exp");
    unlink(path);
    ck_assert_int_eq(checkpoint_read(path, &a, &e), CHECKPOINT_NONE);
    ck_assert(!checkpoint_write("/nowhere/at/all", &a, &e));
    ck_assert_msg(strstr(e.text, "/nowhere/at/all") != NULL, "%s", e.text);
    made_up_free(&a);
    made_up_free(&other);
}
END_TEST

START_TEST(test_version)
{
    struct tampering t = tampering_begin();
    t.bad[8] = 1;
    write_bytes(t.bad, t.good.len);
    refused_for(&t.reader, "version 1 of the format, this program reads version 2");
    t.bad[8] = 2;
    memcpy(t.bad + 12, "\1\2\3\4", 4);
    write_bytes(t.bad, t.good.len);
    refused_for(&t.reader, "another byte order");
    tampering_end(&t);
}
END_TEST

/* A whole file of other numerics, under the id of the run that reads it or of another: both are
 * refused for what differs, with both versions. */
START_TEST(test_numerics)
{
    static const uint64_t versions[] = { 0, NUMERICS_VERSION - 1, NUMERICS_VERSION + 1,
                                         UINT64_MAX };
    struct tampering t = tampering_begin();
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        for (int other_id = 0; other_id < 2; other_id++) {
            char want[128];
            memcpy(t.bad + 16, &versions[i], 8);
            t.bad[24] = (unsigned char)(t.good.data[24] + other_id);
            uint64_t digest = digest_of(t.bad, t.good.len - 8);
            memcpy(t.bad + t.good.len - 8, &digest, 8);
            tampering_refused(&t, t.good.len, "other numerics");
            snprintf(want, sizeof want,
                     "under version %llu of the numerics, this program computes by version %d",
                     (unsigned long long)versions[i], NUMERICS_VERSION);
            refused_for(&t.reader, want);
        }
    tampering_end(&t);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("checkpoint");
    TCase *c = tcase_create("checkpoint");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, path_make, path_drop);
    tcase_add_test(c, test_round_trip);
    tcase_add_test(c, test_truncation);
    tcase_add_test(c, test_bit_flips);
    tcase_add_test(c, test_forged_counts);
    tcase_add_test(c, test_foreign);
    tcase_add_test(c, test_version);
    tcase_add_test(c, test_numerics);
    suite_add_tcase(s, c);
    return s;
}
