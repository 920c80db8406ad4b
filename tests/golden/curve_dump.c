/* Trains for some steps and writes everything that another framework needs to do the same: initial
 * weights, batches, learning rates; and the losses, for comparison. curve.py reads it.
 *
 *   make build/tests/golden/curve_dump
 *   build/tests/golden/curve_dump DIR small                 (the run of tests/unit/test_curve.c)
 *   build/tests/golden/curve_dump DIR cifar10 DATA STEPS LR (SE-ResNet-20 on class folders)
 *   python3 tests/golden/curve.py DIR
 *
 * DIR gets curve.json, weights.f32 (parameters in the order of curve.json, our layout) and
 * batches.f32 (a step: images NHWC, then labels; with
 * zeros where the last one of an epoch has fewer). */
#include "core/base/file.h"
#include "core/kernels/kernels.h"
#include "tests/golden/curve.h"
#include <stdio.h>

static const struct rig_request curve_cifar10 = {
    .format = "images",
    .size = 32,
    .backbone = "resnet20",
    .reduction = 16,
    .augment = true,
    .epochs = 30,
    .batch = 128,
    .warmup_epochs = 1,
    .weight_decay = 5e-4,
    .seed = 1,
};

struct dump {
    struct rig rig;
    const struct rig_request *request;
    struct curve curve;
    FILE *batches;
    struct text json;
};

static FILE *dump_open(const char *dir, const char *name)
{
    struct text path = { 0 };
    text_addf(&path, "%s/%s", dir, name);
    FILE *f = fopen(path.s, "wb");
    BUG_IF(!f, "%s cannot be written", path.s);
    text_clear(&path);
    return f;
}

static void dump_floats(FILE *f, const struct tensor *t)
{
    size_t n = tensor_len(t);
    BUG_IF(fwrite(t->data, sizeof(float), n, f) != n, "a file cannot be written");
}

/* Initial weights and states, and their names. */
static void dump_weights(struct dump *d, const char *dir)
{
    struct graph *g = d->rig.net.graph;
    FILE *f = dump_open(dir, "weights.f32");
    graph_init(g, d->request->seed);
    text_add(&d->json, "\"params\":[");
    for (size_t i = 0; i < graph_param_count(g); i++) {
        const struct param *p = graph_param_at(g, i);
        const struct tensor *t = p->tensor;
        dump_floats(f, t);
        text_addf(&d->json, "%s{\"name\":\"%s\",\"shape\":[%d,%d,%d,%d],\"state\":%s}",
                  i ? "," : "", p->name, t->n, t->h, t->w, t->c,
                  p->kind == PARAM_STATE ? "true" : "false");
    }
    text_add(&d->json, "],");
    BUG_IF(fclose(f), "weights.f32 cannot be written");
}

static void dump_batch(void *ctx, const struct train_progress *p)
{
    struct dump *d = ctx;
    (void)p;
    curve_add(&d->curve);
    dump_floats(d->batches, d->rig.net.images);
    dump_floats(d->batches, d->rig.net.labels);
}

static void dump_numbers(struct dump *d, const char *key, const double *x, int n)
{
    text_addf(&d->json, "\"%s\":[", key);
    for (int i = 0; i < n; i++) {
        if (i) text_add(&d->json, ",");
        text_real(&d->json, x[i]);
    }
    text_add(&d->json, "],");
}

static void dump_run(struct dump *d, int steps)
{
    struct err e;
    struct train_result result;
    struct train_job *job = &d->rig.job;
    d->curve = (struct curve){ &d->rig, digest_create(), mem_new((size_t)steps, sizeof(float)), 0 };
    job->watch = (struct train_watch){ .ctx = d, .batch = dump_batch };
    job->steps_max = steps;
    BUG_IF(!train_run(job, &result, &e), "%s", e.text);
    BUG_IF(result.status != TRAIN_COMPLETED || d->curve.count != steps, "only %d steps",
           d->curve.count);
    printf("%s %s: test error %.2f %% after %d steps\n", kernels->isa, d->request->backbone,
           result.test.top1, steps);
    train_result_clear(&result);
}

/* Learning rates, images and losses by step. */
static void dump_curve(struct dump *d)
{
    const struct rig_request *q = d->request;
    const struct train_job *job = &d->rig.job;
    int n = d->curve.count;
    const int rest = train_short(job->settings, d->rig.split.train.count),
              per_epoch = (int)d->rig.split.train.count / q->batch + (rest > 0);
    double *x = mem_new((size_t)n, sizeof *x);
    for (int i = 0; i < n; i++)
        x[i] =
            q->lr * job->schedule->factor(job->schedule_settings, (double)i / per_epoch, q->epochs);
    dump_numbers(d, "lr", x, n);
    for (int i = 0; i < n; i++) x[i] = rest && i % per_epoch == per_epoch - 1 ? rest : q->batch;
    dump_numbers(d, "images", x, n);
    for (int i = 0; i < n; i++) x[i] = (double)d->curve.losses[i];
    dump_numbers(d, "losses", x, n);
    text_addf(&d->json, "\"inputs\":\"%016llx\",", (unsigned long long)digest_end(d->curve.inputs));
    free(x);
}

int main(int argc, char **argv)
{
    BUG_IF(argc < 3, "curve_dump DIR small, or curve_dump DIR cifar10 DATA STEPS LR");
    bool small = strcmp(argv[2], "small") == 0;
    BUG_IF(!small && argc != 6, "curve_dump DIR cifar10 DATA STEPS LR");
    struct rig_request q = small ? curve_small : curve_cifar10;
    if (!small) q.path = argv[3], q.lr = atof(argv[5]);
    int steps = small ? q.epochs * 6 : atoi(argv[4]); /* 90 images, 16 a step: 6 an epoch */
    struct dump d = { .request = &q };
    rig_make(&d.rig, &q);
    text_add(&d.json, "{");
    dump_weights(&d, argv[1]);
    d.batches = dump_open(argv[1], "batches.f32");
    dump_run(&d, steps);
    BUG_IF(fclose(d.batches), "batches.f32 cannot be written");
    dump_curve(&d);
    text_addf(&d.json, "\"batch\":%d,\"size\":%d,\"channels\":%d,\"blocks\":%d,\"momentum\":0.9,",
              q.batch, d.rig.data.size, d.rig.data.channels, (atoi(q.backbone + 6) - 2) / 6);
    text_addf(&d.json, "\"weight_decay\":%.17g,\"label_smoothing\":%.17g}\n", q.weight_decay,
              q.label_smoothing);
    FILE *f = dump_open(argv[1], "curve.json");
    fputs(d.json.s, f);
    BUG_IF(fclose(f), "curve.json cannot be written");
    text_clear(&d.json);
    free(d.curve.losses);
    rig_clear(&d.rig);
    return 0;
}
