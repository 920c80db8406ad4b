/* Networks without running them: counts against the literature, names, structure digests, initial
 * weights, refusals. Counts of every family's members stand in tests/families. */
#include "core/ops/ops.h"
#include "tests/unit/families.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A network that is asked for: whatever is not set is as by default, but without SE. */
struct asked {
    const char *backbone;
    const char *options; /* of the family, "shortcut=identity"; or NULL */
    double width, dropout, smoothing;
    int batch, size, channels, classes;
    struct se_settings se; /* reduction all 0: none */
    bool no_bias;
};

static bool build(const struct asked *a, struct model_net *net, struct err *e)
{
    const struct backbone *b = backbone_named(a->backbone);
    ck_assert_ptr_nonnull(b);
    void *options = mem_new(1, b->family->options_size);
    model_options_default(b, options);
    options_set(b, options, a->options);
    struct model_settings m = { .width = a->width != 0 ? a->width : 1, .dropout = a->dropout };
    struct se_settings se = a->se;
    se.bias = !a->no_bias;
    se.min_hidden = se.min_hidden ? se.min_hidden : 1;
    struct model_request r = { .backbone = b,
                               .options = options,
                               .settings = &m,
                               .se = &se,
                               .batch = a->batch ? a->batch : 2,
                               .size = a->size ? a->size : b->input_size,
                               .channels = a->channels ? a->channels : 3,
                               .classes = a->classes            ? a->classes
                                          : b->input_size == 32 ? 10
                                                                : 1000,
                               .label_smoothing = a->smoothing };
    bool ok = model_build(&r, net, e);
    free(options);
    return ok;
}

static struct model_net built(struct asked a)
{
    struct model_net net;
    struct err e = { .text = "" };
    ck_assert_msg(build(&a, &net, &e), "%s", e.text);
    return net;
}

static struct model_counts counts_of(struct asked a)
{
    struct model_net net = built(a);
    struct model_counts c;
    model_count(net.graph, &c);
    graph_destroy(net.graph);
    return c;
}

/* A line of tests/families. */
struct backbone_count {
    const char *backbone, *options;
    const char *placement;                    /* NULL: standard */
    double trainable, statistics, macs, adds; /* plain; of statistics: what comes to the trained */
    double se_weights, se, scaling;           /* of SE blocks, r = 16 */
};
enum { COUNTS_ROOM = 256 };
struct count_list {
    struct backbone_count list[COUNTS_ROOM];
    int n, keys; /* each line has the last so many of count_keys */
    struct pool pool;
};
static const struct {
    const char *key;
    size_t at;
} count_keys[] = {
    { "trainable", offsetof(struct backbone_count, trainable) },
    { "statistics", offsetof(struct backbone_count, statistics) },
    { "macs", offsetof(struct backbone_count, macs) },
    { "adds", offsetof(struct backbone_count, adds) },
    { "se_weights", offsetof(struct backbone_count, se_weights) },
    { "se", offsetof(struct backbone_count, se) },
    { "scaling", offsetof(struct backbone_count, scaling) },
};
enum { COUNT_KEYS = sizeof count_keys / sizeof *count_keys, PLACE_KEYS = 3 };
static struct count_list counts = { .keys = COUNT_KEYS }, places = { .keys = PLACE_KEYS };

static void count_line(void *ctx, char *line)
{
    struct count_list *l = ctx;
    const char *key, *value;
    int given = 0;
    BUG_IF(l->n == COUNTS_ROOM, "more than %d lines", COUNTS_ROOM);
    struct backbone_count *c = &l->list[l->n++];
    while (word_next(&line, &key, &value)) {
        int k = COUNT_KEYS - l->keys;
        while (k < COUNT_KEYS && strcmp(key, count_keys[k].key) != 0) k++;
        if (k < COUNT_KEYS)
            *(double *)((char *)c + count_keys[k].at) = word_number(value), given++;
        else if (strcmp(key, "backbone") == 0)
            c->backbone = pool_text(&l->pool, value);
        else if (strcmp(key, "placement") == 0)
            c->placement = pool_text(&l->pool, value);
        else
            c->options = options_add(&l->pool, c->options, key, value);
    }
    BUG_IF(given != l->keys, "%s: %d of %d counts", c->backbone, given, l->keys);
}

static int counts_read(void)
{
    const struct model_family *f;
    for (int i = 0; (f = family_at(i)); i++) {
        family_lines(f, "count", count_line, &counts);
        family_lines(f, "place", count_line, &places);
    }
    return counts.n;
}

START_TEST(every_backbone_is_counted)
{
    const struct backbone *b;
    for (int i = 0; (b = backbone_at(i)); i++) {
        int found = 0;
        for (int k = 0; k < counts.n; k++) found += strcmp(counts.list[k].backbone, b->name) == 0;
        ck_assert_msg(found, "tests/families/%s.txt has no count of %s", b->family->name, b->name);
    }
}
END_TEST

static void check_count(const struct backbone_count *b, const char *what, uint64_t is,
                        double should)
{
    ck_assert_msg((double)is == should, "%s: %s %.0f, not %.0f", b->backbone, what, (double)is,
                  should);
}

START_TEST(plain_backbones)
{
    const struct backbone_count *b = &counts.list[_i];
    struct model_counts c =
        counts_of((struct asked){ .backbone = b->backbone, .options = b->options });
    check_count(b, "parameters", c.trainable, b->trainable);
    check_count(b, "parameters and statistics", c.with_statistics, b->trainable + b->statistics);
    check_count(b, "multiply-adds", c.conv_fc, b->macs);
    check_count(b, "sums", c.adds, b->adds);
    ck_assert_uint_eq(c.se + c.se_weights + c.se_fc + c.scaling, 0);
    for (int k = 0; k < SE_STAGES; k++) ck_assert_int_eq(c.hidden[k], 0);
}
END_TEST

START_TEST(with_se)
{
    const struct backbone_count *b = &counts.list[_i];
    struct asked a = { .backbone = b->backbone,
                       .options = b->options,
                       .se = { .reduction = { .all = 16 } } };
    struct model_counts c = counts_of(a);
    check_count(b, "parameters with SE", c.trainable, b->trainable + b->se);
    check_count(b, "parameters and statistics with SE", c.with_statistics,
                b->trainable + b->statistics + b->se);
    check_count(b, "parameters of SE", c.se, b->se);
    check_count(b, "weights of SE", c.se_weights, b->se_weights);
    check_count(b, "multiply-adds without SE", c.conv_fc, b->macs);
    check_count(b, "multiply-adds of SE", c.se_fc, b->se_weights);
    check_count(b, "scaling", c.scaling, b->scaling);
    a.no_bias = true;
    c = counts_of(a);
    check_count(b, "parameters with SE without biases", c.trainable, b->trainable + b->se_weights);
    check_count(b, "parameters of SE without biases", c.se, b->se_weights);
}
END_TEST

START_TEST(with_se_elsewhere)
{
    const struct backbone_count *b = &places.list[_i];
    struct asked a = { .backbone = b->backbone,
                       .options = b->options,
                       .se = { .reduction = { .all = 16 } } };
    setting(se_fields, &a.se, "placement", b->placement);
    struct model_counts c = counts_of(a);
    check_count(b, "weights of SE", c.se_weights, b->se_weights);
    check_count(b, "parameters of SE", c.se, b->se);
    check_count(b, "multiply-adds of SE", c.se_fc, b->se_weights);
    check_count(b, "scaling", c.scaling, b->scaling);
}
END_TEST

/* Tables 10, 13, 15 and 16: SE-ResNet-50. */
static const struct variant_count {
    struct se_settings se;
    size_t weights, biases;
    uint64_t se_fc; /* 0: as many as weights */
    int hidden[4];  /* stages 2 .. 5 */
} variant_counts[] = {
    { { .reduction = { .all = 2 } }, 20119552, 22656, 0, { 128, 256, 512, 1024 } },
    { { .reduction = { .all = 4 } }, 10059776, 18880, 0, { 64, 128, 256, 512 } },
    { { .reduction = { .all = 8 } }, 5029888, 16992, 0, { 32, 64, 128, 256 } },
    { { .reduction = { .all = 16 } }, 2514944, 16048, 0, { 16, 32, 64, 128 } },
    { { .reduction = { .all = 32 } }, 1257472, 15576, 0, { 8, 16, 32, 64 } },
    { { .reduction = { .all = 16 }, .stages = 1 << 2 }, 24576, 816, 0, { 16, 0, 0, 0 } },
    { { .reduction = { .all = 16 }, .stages = 1 << 3 }, 131072, 2176, 0, { 0, 32, 0, 0 } },
    { { .reduction = { .all = 16 }, .stages = 1 << 4 }, 786432, 6528, 0, { 0, 0, 64, 0 } },
    { { .reduction = { .all = 16 }, .stages = 1 << 5 }, 1572864, 6528, 0, { 0, 0, 0, 128 } },
    { { .reduction = { .stage = { 0, 0, 16, 16 } } }, 155648, 2992, 0, { 16, 32, 0, 0 } },
    { { .reduction = { .all = 16 }, .placement = SE_CONV3X3 }, 157184, 4012, 0, { 4, 8, 16, 32 } },
    { { .reduction = { .all = 16 }, .placement = SE_PRE }, 1991168, 13940, 0, { 16, 32, 64, 128 } },
    { { .reduction = { .all = 16 }, .placement = SE_POST },
      2514944,
      16048,
      0,
      { 16, 32, 64, 128 } },
    { { .reduction = { .all = 16 }, .placement = SE_IDENTITY },
      2514944,
      16048,
      0,
      { 16, 32, 64, 128 } },
    { { .reduction = { .all = 16 }, .squeeze = SE_SQUEEZE_MAX },
      2514944,
      16048,
      0,
      { 16, 32, 64, 128 } },
    { { .reduction = { .all = 16 }, .squeeze = SE_SQUEEZE_NONE },
      2514944,
      16048,
      411041792,
      { 16, 32, 64, 128 } },
};
enum { VARIANT_COUNTS = sizeof variant_counts / sizeof *variant_counts };

START_TEST(variants_of_the_paper)
{
    const struct variant_count *v = &variant_counts[_i];
    struct model_counts c = counts_of((struct asked){ .backbone = "resnet50", .se = v->se });
    ck_assert_uint_eq(c.se_weights, v->weights);
    ck_assert_uint_eq(c.se, v->weights + v->biases);
    ck_assert_uint_eq(c.trainable, 25557032 + v->weights + v->biases);
    ck_assert_uint_eq(c.with_statistics, 25557032 + 53120 + v->weights + v->biases);
    ck_assert_uint_eq(c.conv_fc, 3857973248);
    ck_assert_uint_eq(c.se_fc, v->se_fc ? v->se_fc : v->weights);
    for (int k = 0; k < 4; k++) ck_assert_int_eq(c.hidden[k + 2], v->hidden[k]);
}
END_TEST

/* Multiply-adds are for one image, whatever the batch; the squeeze reads every element. */
START_TEST(counts_of_one_image)
{
    struct asked a = { .backbone = "resnet50", .se = { .reduction = { .all = 16 } } };
    struct model_counts one, many;
    one = counts_of(a);
    a.batch = 32;
    many = counts_of(a);
    ck_assert_mem_eq(&one, &many, sizeof one);
    ck_assert_uint_eq(one.pooling, 5519360 + 7 * 7 * 2048);
    a.se.squeeze = SE_SQUEEZE_NONE;
    ck_assert_uint_eq(counts_of(a).pooling, 7 * 7 * 2048);
}
END_TEST

START_TEST(min_hidden_and_width)
{
    struct asked a = { .backbone = "resnet20",
                       .se = { .reduction = { .all = 32 }, .min_hidden = 4 } };
    struct model_counts c = counts_of(a);
    ck_assert_int_eq(c.hidden[2], 4);
    ck_assert_int_eq(c.hidden[4], 4);
    a.se.min_hidden = 1;
    a.width = 1.53; /* 24.48, 48.96, 97.92 channels */
    c = counts_of(a);
    ck_assert_int_eq(c.hidden[2], 1);
    ck_assert_int_eq(c.hidden[4], 3);
    struct model_net net = built(a);
    for (size_t i = 0; i < graph_param_count(net.graph); i++) {
        const struct param *p = graph_param_at(net.graph, i);
        if (!strcmp(p->name, "conv1.weight")) ck_assert_int_eq(p->tensor->c, 24);
        if (!strcmp(p->name, "layer2.0.conv1.weight")) ck_assert_int_eq(p->tensor->c, 49);
        if (!strcmp(p->name, "fc.weight")) ck_assert_int_eq(p->tensor->w, 98);
    }
    graph_destroy(net.graph);
    a.width = 0.01;
    ck_assert_uint_gt(counts_of(a).trainable, 0);
}
END_TEST

static const char *const unit_names[] = {
    "layer2.0.conv1.weight",
    "layer2.0.bn1.weight",
    "layer2.0.bn1.bias",
    "layer2.0.bn1.running_mean",
    "layer2.0.bn1.running_var",
    "layer2.0.conv2.weight",
    "layer2.0.bn2.weight",
    "layer2.0.bn2.bias",
    "layer2.0.bn2.running_mean",
    "layer2.0.bn2.running_var",
    "layer2.0.conv3.weight",
    "layer2.0.bn3.weight",
    "layer2.0.bn3.bias",
    "layer2.0.bn3.running_mean",
    "layer2.0.bn3.running_var",
    "layer2.0.se.fc1.weight",
    "layer2.0.se.fc1.bias",
    "layer2.0.se.fc2.weight",
    "layer2.0.se.fc2.bias",
    "layer2.0.downsample.0.weight",
    "layer2.0.downsample.1.weight",
    "layer2.0.downsample.1.bias",
    "layer2.0.downsample.1.running_mean",
    "layer2.0.downsample.1.running_var",
    "layer2.1.conv1.weight",
};

static int text_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of torchvision, with timm's for SE blocks, each once. */
START_TEST(names)
{
    struct model_net net =
        built((struct asked){ .backbone = "resnet50", .se = { .reduction = { .all = 16 } } });
    size_t n = graph_param_count(net.graph), at = 0;
    const char **all = mem_new(n, sizeof *all);
    for (size_t i = 0; i < n; i++) all[i] = graph_param_at(net.graph, i)->name;
    ck_assert_uint_eq(n, 161 + 106 + 64); /* torchvision's weights, statistics, 4 a gate */
    ck_assert_str_eq(all[0], "conv1.weight");
    ck_assert_str_eq(all[4], "bn1.running_var");
    ck_assert_str_eq(all[n - 2], "fc.weight");
    ck_assert_str_eq(all[n - 1], "fc.bias");
    while (strcmp(all[at], unit_names[0]) != 0) at++;
    for (size_t i = 0; i < sizeof unit_names / sizeof *unit_names; i++)
        ck_assert_str_eq(all[at + i], unit_names[i]);
    qsort(all, n, sizeof *all, text_order);
    for (size_t i = 1; i < n; i++) ck_assert_str_ne(all[i - 1], all[i]);
    free(all);
    graph_destroy(net.graph);
}
END_TEST

static uint64_t digest_of_asked(struct asked a)
{
    struct model_net net = built(a);
    uint64_t d = graph_digest(net.graph);
    graph_destroy(net.graph);
    return d;
}

#define SE16 .se.reduction.all = 16
static const struct asked all_different[] = {
    { .backbone = "resnet20" },
    { .backbone = "resnet32" },
    { .backbone = "resnet20", .options = "shortcut=identity" },
    { .backbone = "resnet20", .width = 0.5 },
    { .backbone = "resnet20", .dropout = 0.2 },
    { .backbone = "resnet20", .dropout = 0.3 },
    { .backbone = "resnet20", .smoothing = 0.1 },
    { .backbone = "resnet20", .size = 28 },
    { .backbone = "resnet20", .channels = 1 },
    { .backbone = "resnet20", .classes = 100 },
    { .backbone = "resnet20", SE16 },
    { .backbone = "resnet20", .se.reduction.all = 8 },
    { .backbone = "resnet20", SE16, .no_bias = true },
    { .backbone = "resnet20", SE16, .se.min_hidden = 2 },
    { .backbone = "resnet20", SE16, .se.stages = 1 << 2 },
    { .backbone = "resnet20", SE16, .se.squeeze = SE_SQUEEZE_MAX },
    { .backbone = "resnet20", SE16, .se.squeeze = SE_SQUEEZE_NONE },
    { .backbone = "resnet20", SE16, .se.excitation = SE_TANH },
    { .backbone = "resnet20", SE16, .se.excitation = SE_RELU },
    { .backbone = "resnet20", SE16, .se.placement = SE_PRE },
    { .backbone = "resnet20", SE16, .se.placement = SE_POST },
    { .backbone = "resnet20", SE16, .se.placement = SE_IDENTITY },
    { .backbone = "resnet20", SE16, .se.placement = SE_CONV3X3 },
    { .backbone = "resnet50" },
    { .backbone = "resnet50", .options = "stride_in=conv3x3" },
    { .backbone = "mobilenet" },
    { .backbone = "mobilenet", .options = "activation=relu6" },
};
enum { ALL_DIFFERENT = sizeof all_different / sizeof *all_different };

START_TEST(digests_differ)
{
    uint64_t d[ALL_DIFFERENT];
    for (int i = 0; i < ALL_DIFFERENT; i++) {
        d[i] = digest_of_asked(all_different[i]);
        for (int k = 0; k < i; k++) ck_assert_msg(d[i] != d[k], "%d and %d have one digest", i, k);
    }
}
END_TEST

/* Different settings of one network: where no SE block is, where all stages are listed, where
 * every hidden width comes out the same. */
START_TEST(digests_agree)
{
    struct asked plain = { .backbone = "resnet20" }, other = plain;
    other.batch = 64;
    other.se = (struct se_settings){ .squeeze = SE_SQUEEZE_MAX, .placement = SE_PRE };
    ck_assert(digest_of_asked(plain) == digest_of_asked(other));
    struct asked se = { .backbone = "resnet20", SE16 }, listed = se;
    listed.se.stages = 1 << 2 | 1 << 3 | 1 << 4;
    ck_assert(digest_of_asked(se) == digest_of_asked(listed));
    struct asked r64 = { .backbone = "resnet20", .se.reduction.all = 64 }, r100 = r64;
    r100.se.reduction.all = 100;
    ck_assert(digest_of_asked(r64) == digest_of_asked(r100));
}
END_TEST

static struct model_net started(struct asked a, uint64_t seed)
{
    struct model_net net = built(a);
    struct err e;
    ck_assert(graph_plan(net.graph, true, NULL, &e));
    graph_init(net.graph, seed);
    return net;
}

static const struct param *param_named(const struct graph *g, const char *name)
{
    for (size_t i = 0; i < graph_param_count(g); i++)
        if (!strcmp(graph_param_at(g, i)->name, name)) return graph_param_at(g, i);
    return NULL;
}

/* Every parameter of the plain network begins bit for bit as the one of that name with SE. */
START_TEST(shared_layers_begin_alike)
{
    struct model_net plain = started((struct asked){ .backbone = "resnet20" }, 7), se;
    for (int placement = 0; placement < SE_PLACEMENTS; placement++) {
        se = started((struct asked){ .backbone = "resnet20", SE16, .se.placement = placement }, 7);
        for (size_t i = 0; i < graph_param_count(plain.graph); i++) {
            const struct param *a = graph_param_at(plain.graph, i),
                               *b = param_named(se.graph, a->name);
            ck_assert_ptr_nonnull(b);
            ck_assert_mem_eq(a->tensor->data, b->tensor->data,
                             tensor_len(a->tensor) * sizeof(float));
        }
        graph_destroy(se.graph);
    }
    struct model_net again = started((struct asked){ .backbone = "resnet20", .batch = 9 }, 7);
    struct model_net other = started((struct asked){ .backbone = "resnet20" }, 8);
    ck_assert(graph_weights_digest(plain.graph) == graph_weights_digest(again.graph));
    ck_assert(graph_weights_digest(plain.graph) != graph_weights_digest(other.graph));
    graph_destroy(plain.graph);
    graph_destroy(again.graph);
    graph_destroy(other.graph);
}
END_TEST

static void moments(const struct graph *g, const char *name, double *mean, double *sd)
{
    const struct tensor *t = param_named(g, name)->tensor;
    double sum = 0, squares = 0, n = (double)tensor_len(t);
    for (size_t i = 0; i < tensor_len(t); i++) {
        sum += (double)t->data[i];
        squares += (double)t->data[i] * (double)t->data[i];
    }
    *mean = sum / n;
    *sd = sqrt(squares / n - *mean * *mean);
}

START_TEST(initial_distributions)
{
    struct model_net net = started((struct asked){ .backbone = "resnet18", SE16, .size = 32 }, 1);
    static const struct {
        const char *name;
        double mean, sd;
    } all[] = {
        { "layer3.0.conv1.weight", 0, 0.0294628 },     /* sqrt(2 / (9 * 256)) */
        { "layer4.0.downsample.0.weight", 0, 0.0625 }, /* sqrt(2 / 512) */
        { "fc.weight", 0, 0.0255155 },                 /* 1 / sqrt(512) / sqrt(3) */
        { "layer4.0.se.fc1.weight", 0, 0.0255155 },
        { "layer4.0.se.fc2.weight", 0, 0.1020621 }, /* 1 / sqrt(32) / sqrt(3) */
        { "fc.bias", 0, 0 },
        { "layer4.0.se.fc1.bias", 0, 0 },
        { "bn1.weight", 1, 0 },
        { "bn1.bias", 0, 0 },
        { "bn1.running_mean", 0, 0 },
        { "bn1.running_var", 1, 0 },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        double mean, sd, n = (double)tensor_len(param_named(net.graph, all[i].name)->tensor);
        moments(net.graph, all[i].name, &mean, &sd);
        ck_assert_msg(fabs(mean - all[i].mean) <= 5 * all[i].sd / sqrt(n), "%s: mean %g",
                      all[i].name, mean);
        ck_assert_msg(fabs(sd - all[i].sd) <= 5 * all[i].sd / sqrt(2 * n), "%s: sd %g", all[i].name,
                      sd);
    }
    graph_destroy(net.graph);
}
END_TEST

/* Wide ResNets begin by the fan-in: sqrt(2 / (kernel x kernel x input channels)). */
START_TEST(wide_resnets_begin_by_fan_in)
{
    static const struct {
        const char *name;
        double sd;
    } all[] = {
        { "layer1.0.conv1.weight", 0.1178511 },        /* sqrt(2 / (9 * 16)) */
        { "layer3.0.conv1.weight", 0.0416667 },        /* sqrt(2 / (9 * 128)) */
        { "layer3.0.downsample.0.weight", 0.1250000 }, /* sqrt(2 / 128) */
        { "fc.weight", 0.0360844 },                    /* 1 / sqrt(256) / sqrt(3) */
        { "layer3.0.se.fc2.weight", 0.1443376 },       /* 1 / sqrt(16) / sqrt(3) */
    };
    struct model_net net = started((struct asked){ .backbone = "wrn16-4", SE16 }, 1);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        double mean, sd, n = (double)tensor_len(param_named(net.graph, all[i].name)->tensor);
        moments(net.graph, all[i].name, &mean, &sd);
        ck_assert_msg(fabs(sd - all[i].sd) <= 5 * all[i].sd / sqrt(2 * n), "%s: sd %g", all[i].name,
                      sd);
    }
    graph_destroy(net.graph);
}
END_TEST

/* The call that reads this tensor as its first input. */
static const struct node *reader_of(const struct graph *g, const struct tensor *x)
{
    for (size_t i = 0; i < graph_node_count(g); i++)
        if (graph_node(g, i)->op && graph_node(g, i)->call.in[0] == x) return graph_node(g, i);
    return NULL;
}

static const char *weight_name(const struct graph *g, const struct tensor *t)
{
    for (size_t i = 0; i < graph_param_count(g); i++)
        if (graph_param_at(g, i)->tensor == t) return graph_param_at(g, i)->name;
    return "";
}

/* In every unit of a wide ResNet between the second ReLU and the second convolution. */
START_TEST(unit_dropout_is_before_conv2)
{
    struct model_net net =
        built((struct asked){ .backbone = "wrn16-4", .options = "unit_dropout=0.3" });
    int found = 0;
    for (size_t i = 0; i < graph_node_count(net.graph); i++) {
        const struct node *d = graph_node(net.graph, i), *conv = reader_of(net.graph, &d->out);
        if (d->op != &op_dropout) continue;
        const double rate = ((const struct dropout_attr *)d->call.attr)->rate;
        ck_assert_ptr_nonnull(strstr(weight_name(net.graph, conv->call.in[1]), ".conv2.weight"));
        ck_assert_ptr_eq(graph_node(net.graph, i - 1)->op, &op_relu);
        ck_assert_ptr_eq(d->call.in[0], &graph_node(net.graph, i - 1)->out);
        ck_assert_double_eq(rate, 0.3);
        found++;
    }
    ck_assert_int_eq(found, 6);
    graph_destroy(net.graph);
}
END_TEST

/* Of 8 groups, and depthwise: as torchvision's, kernel x kernel x all output channels. */
START_TEST(groups_begin_as_the_whole)
{
    struct net n = { .graph = graph_create() };
    struct err e;
    struct tensor *x = graph_input(n.graph, "images", 1, 4, 4, 256);
    x = nn_conv(&n, x, "grouped", (struct conv_layer){ .channels = 512, 3, .groups = 8 });
    nn_conv(&n, x, "depthwise", (struct conv_layer){ .channels = 512, 3, .groups = 512 });
    ck_assert(graph_plan(n.graph, true, NULL, &e));
    graph_init(n.graph, 1);
    for (int i = 0; i < 2; i++) {
        double mean, sd;
        moments(n.graph, i ? "depthwise.weight" : "grouped.weight", &mean, &sd);
        ck_assert_double_eq_tol(sd, sqrt(2.0 / (9 * 512)), i ? 1e-3 : 1e-4);
    }
    graph_destroy(n.graph);
}
END_TEST

/* Deep branches have long names, and none is cut. */
START_TEST(names_are_whole)
{
    struct se_settings se = { .reduction = { .all = 4 }, .min_hidden = 1 };
    struct net n = { .graph = graph_create(), .se = &se };
    char block[300], want[340];
    memset(block, 'b', sizeof block);
    block[sizeof block - 1] = 0;
    net_stage(&n, 1);
    ck_assert_ptr_nonnull(
        se_apply(&n, graph_input(n.graph, "images", 1, 4, 4, 8), SE_STANDARD, block));
    for (int k = 1; k <= 2; k++) {
        snprintf(want, sizeof want, "%s.se.fc%d.weight", block, k);
        ck_assert_ptr_nonnull(param_named(n.graph, want));
    }
    graph_destroy(n.graph);
}
END_TEST

static const struct {
    struct asked asked;
    const char *message;
} refused[] = {
    { { .backbone = "resnet50", .size = 28 },
      "resnet50: images of 28 x 28 are too small: this network halves them 5 times and needs at "
      "least 32 x 32 (model.input_size)" },
    { { .backbone = "resnet20", .size = 3 },
      "resnet20: images of 3 x 3 are too small: this network halves them 2 times and needs at "
      "least 4 x 4 (model.input_size)" },
    { { .backbone = "resnet20", SE16, .se.stages = 1 << 5 },
      "model.se.stages: stage 5 is asked for, but this network has stages 2, 3, 4" },
    { { .backbone = "resnet20", SE16, .se.stages = 1 << 1 | 1 << 2 },
      "model.se.stages: stage 1 is asked for, but this network has stages 2, 3, 4" },
    { { .backbone = "resnet20", .se.reduction.stage = { 0, 0, 8, 0, 0, 4 } },
      "model.se.reduction: stage 5 is asked for, but this network has stages 2, 3, 4" },
    { { .backbone = "resnet20", .se.reduction.stage = { 0, 0, 8, 4 }, .se.stages = 1 << 2 },
      "model.se.stages leaves out stage 3, to which model.se.reduction gives a ratio: use one of "
      "the two" },
    { { .backbone = "resnet20", .se.reduction.stage = { 0, 0, 8 }, .se.stages = 1 << 2 | 1 << 3 },
      "model.se.stages: stage 3 has no ratio in model.se.reduction" },
    { { .backbone = "mobilenet", .size = 31 },
      "mobilenet: images of 31 x 31 are too small: this network halves them 5 times and needs at "
      "least 32 x 32 (model.input_size)" },
    { { .backbone = "mobilenet-cifar", .size = 15 },
      "mobilenet-cifar: images of 15 x 15 are too small: this network halves them 4 times and "
      "needs at least 16 x 16 (model.input_size)" },
    { { .backbone = "mobilenet", SE16, .se.placement = SE_IDENTITY },
      "model.se.placement: this network has no place identity for SE blocks; it has standard, pre, "
      "conv3x3" },
    { { .backbone = "mobilenet", SE16, .se.stages = 1 << 1 | 1 << 6 },
      "model.se.stages: stage 6 is asked for, but this network has stages 1, 2, 3, 4, 5" },
    { { .backbone = "wrn16-4", .options = "depth=17" },
      "wrn16-4: 17 layers are not 6 n + 4 (model.depth)" },
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(refusals)
{
    struct model_net net;
    struct err e = { .text = "" };
    ck_assert(!build(&refused[_i].asked, &net, &e));
    ck_assert_str_eq(e.text, refused[_i].message);
    ck_assert_ptr_null(net.graph);
}
END_TEST

/* Of the ResNets, stride_in is a setting of those with bottlenecks alone. */
START_TEST(options_that_apply)
{
    for (const struct backbone *b = family_resnet.backbones; b->name; b++) {
        void *options = mem_new(1, b->family->options_size);
        model_options_default(b, options);
        const struct field *f = field_named(b->family->fields, "stride_in");
        ck_assert(f->applies(options) == (strstr(b->meaning, "bottlenecks") != NULL));
        free(options);
    }
}
END_TEST

/* Options begin with the backbone, which is no row. */
START_TEST(no_row_is_the_backbone)
{
    const struct backbone *b;
    for (int i = 0; (b = backbone_at(i)); i++)
        for (const struct field *f = b->family->fields; f->key; f++)
            ck_assert_msg(f->at >= sizeof(struct model_options), "%s: %s", b->family->name, f->key);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("models");
    TCase *c = tcase_create("counts");
    tcase_set_timeout(c, 20);
    tcase_add_test(c, every_backbone_is_counted);
    tcase_add_loop_test(c, plain_backbones, 0, counts_read());
    tcase_add_loop_test(c, with_se, 0, counts.n);
    tcase_add_loop_test(c, with_se_elsewhere, 0, places.n);
    tcase_add_loop_test(c, variants_of_the_paper, 0, VARIANT_COUNTS);
    tcase_add_loop_test(c, refusals, 0, REFUSED);
    suite_add_tcase(s, c);
    unit_case(s, "structure", 30,
              UNIT_TESTS(unit_dropout_is_before_conv2, counts_of_one_image, min_hidden_and_width,
                         names, digests_differ, digests_agree, options_that_apply,
                         no_row_is_the_backbone));
    unit_case(s, "initial weights", 60,
              UNIT_TESTS(shared_layers_begin_alike, initial_distributions,
                         wide_resnets_begin_by_fan_in, groups_begin_as_the_whole, names_are_whole));
    return s;
}
