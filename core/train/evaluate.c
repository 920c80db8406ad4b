/* Loss and errors over a part of the data, with the running statistics of batch norms. */
#include "core/train/loop.h"
#include "core/train/metrics.h"
#include <string.h>

void batch_load(const struct train_net *net, const struct batch *b)
{
    memcpy(net->images->data, b->images, tensor_len(net->images) * sizeof(float));
    memcpy(net->labels->data, b->labels, tensor_len(net->labels) * sizeof(float));
}

/* Preparing a batch costs a small share of a step: one thread in four keeps up. */
int train_loaders(int threads) { return (threads + 3) / 4; }

struct loader *loader_for(const struct train_job *job, const struct data_view *view,
                          const struct augment_settings *augment)
{
    return loader_create(
        &(struct loader_plan){ .data = job->data,
                               .split = job->split,
                               .view = view,
                               .augment = augment,
                               .batch_size = job->settings->batch_size,
                               .drop_last = job->settings->last_batch == LAST_BATCH_DROP,
                               .seed = job->seed,
                               .threads = train_loaders(parallel_threads()) });
}

struct tally { /* sums over images */
    double loss;
    uint32_t wrong, wrong_top;
};

/* Adds one batch; its first image is number t->count of the view. */
static void evaluate_batch(const struct train_net *net, const struct batch *b, struct tally *sum,
                           struct evaluation *t)
{
    int classes = net->logits->c;
    for (int i = 0; i < b->count; i++) {
        const float *z = net->logits->data + (size_t)i * (size_t)classes;
        int label = (int)b->labels[i], rank = metric_rank(z, classes, label);
        sum->loss += metric_loss(z, classes, label);
        sum->wrong += rank >= 1;
        sum->wrong_top += rank >= METRIC_TOP;
        if (t->label) t->label[t->count] = (uint16_t)label;
        if (t->predicted) t->predicted[t->count] = (uint16_t)metric_best(z, classes);
        t->count++;
    }
}

static bool evaluate_all(const struct train_job *job, struct loader *l, struct evaluation *t,
                         struct err *e)
{
    struct step step = { .training = false, .seed = job->seed };
    struct tally sum = { 0 };
    struct batch b;
    t->count = 0;
    loader_begin(l, 0);
    for (;;) {
        if (!loader_next(l, &b, e)) return false;
        if (b.count == 0) break;
        batch_load(&job->net, &b);
        graph_forward(job->net.graph, &step);
        evaluate_batch(&job->net, &b, &sum, t);
    }
    t->loss = sum.loss / t->count;
    t->top1 = 100.0 * sum.wrong / t->count;
    t->top5 = 100.0 * sum.wrong_top / t->count;
    return true;
}

bool train_evaluate(const struct train_job *job, const struct data_view *view, struct evaluation *t,
                    struct err *e)
{
    struct loader *l = loader_for(job, view, NULL);
    bool ok = evaluate_all(job, l, t, e);
    loader_destroy(l);
    return ok;
}
