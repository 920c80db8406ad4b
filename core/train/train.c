/* The training loop. A run is a function of its job: the same weights come out, to the bit, for any
 * number of threads and however often it was stopped and continued. */
#include "core/base/clock.h"
#include "core/base/escape.h"
#include "core/train/checkpoint.h"
#include "core/train/loop.h"
#include "core/train/metrics.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const precisions[] = { "fp32", "bf16", NULL };
static const char *const last_batches[] = { "use", "drop", NULL };

const struct field train_fields[] = {
    INT(train_settings, epochs, 30, 1, 100000, "passes over the training images"),
    INT(train_settings, batch_size, 128, 1, 65536, "images in a step"),
    CHOICE(train_settings, last_batch, last_batches, LAST_BATCH_USE,
           "what becomes of the images at the end of an epoch that fill no batch. use: a step of "
           "its own on two or more of them, its loss their mean; drop: left out"),
    CHOICE(
        train_settings, precision, precisions, PRECISION_FP32,
        "of activations; weights, statistics, gates and sums are fp32 always. bf16 halves the "
        "memory of activations and their traffic; processors with avx512_bf16 multiply it as such, "
        "others as floats"),
    REAL(train_settings, label_smoothing, 0, 0, 0.99,
         "share of the target spread evenly over all classes"),
    REAL(train_settings, clip_norm, 0, 0, 1e9, "largest joint L2 norm of the gradients, 0: any"),
    FIELDS_END,
};

int train_short(const struct train_settings *s, uint32_t images)
{
    return loader_short(images, s->batch_size, s->last_batch == LAST_BATCH_DROP);
}

struct training { /* a run under way; result->status tells whether it goes on */
    const struct train_job *job;
    struct train_result *result;
    struct loader *loader;
    float *state; /* the optimiser's */
    size_t state_len, per_epoch;
    uint64_t steps, steps_before; /* done; of them before this program took over */
    double began;                 /* seconds */
    struct {
        double began, seconds, lr, loss; /* loss: summed over images */
        uint64_t images, wrong;
    } epoch;
};

static bool training_stop(const struct training *t)
{
    const struct train_watch *w = &t->job->watch;
    return w->stop && w->stop(w->ctx);
}

static bool training_spent(const struct training *t)
{
    return t->job->steps_max && t->steps >= (uint64_t)t->job->steps_max;
}

static void training_diverged(struct training *t)
{
    t->result->status = TRAIN_DIVERGED;
    t->result->diverged_step = t->steps;
}

/* Adds a batch of b->count images to the sums of the epoch. */
static void training_count(struct training *t, const struct batch *b, double loss)
{
    const struct tensor *logits = t->job->net.logits;
    for (int i = 0; i < b->count; i++) {
        const float *z = logits->data + (size_t)i * (size_t)logits->c;
        t->epoch.wrong += metric_rank(z, logits->c, (int)b->labels[i]) >= 1;
    }
    t->epoch.images += (uint64_t)b->count;
    t->epoch.loss += loss * b->count;
}

/* One step; a loss or a gradient that is not finite moves nothing and ends the run. */
static void training_step(struct training *t, const struct batch *b)
{
    const struct train_job *job = t->job;
    struct graph *g = job->net.graph;
    struct step step = {
        .training = true, .seed = job->seed, .index = t->steps, .images = b->count
    };
    double epoch = (double)t->steps / (double)t->per_epoch;
    double lr = *(const double *)job->optimizer_settings; /* the first member of all of them */

    batch_load(&job->net, b);
    graph_forward(g, &step);
    t->steps++;
    double loss = (double)job->net.loss->data[0];
    if (!isfinite(loss)) {
        training_diverged(t);
        return;
    }
    training_count(t, b, loss);
    graph_backward(g);
    if (job->settings->clip_norm > 0 && !isfinite(gradients_clip(g, job->settings->clip_norm))) {
        training_diverged(t);
        return;
    }
    t->epoch.lr = lr * job->schedule->factor(job->schedule_settings, epoch, job->settings->epochs);
    job->optimizer->step(job->optimizer_settings, g, t->state, t->epoch.lr);
}

static void training_report(struct training *t, size_t batch)
{
    const struct train_job *job = t->job;
    double now = clock_seconds(), images = (double)t->epoch.images;
    double total = (double)t->per_epoch * job->settings->epochs;
    if (job->steps_max && job->steps_max < total) total = job->steps_max;
    double each = (now - t->began) / (double)(t->steps - t->steps_before);
    t->epoch.seconds = now - t->epoch.began;
    struct train_progress p = {
        .epoch = t->result->epochs + 1,
        .epochs = job->settings->epochs,
        .batch = batch,
        .batches = t->per_epoch,
        .images_per_second = images / t->epoch.seconds,
        .loss = t->epoch.loss / images,
        .error = 100 * (double)t->epoch.wrong / images,
        .seconds_left = each * (total - (double)t->steps),
    };
    if (job->watch.batch) job->watch.batch(job->watch.ctx, &p);
}

/* The steps of one epoch; ends early where the run diverges, is stopped or has spent its steps. */
static bool training_steps(struct training *t, struct err *e)
{
    struct batch b;
    t->epoch.loss = 0;
    t->epoch.images = t->epoch.wrong = 0;
    t->epoch.began = clock_seconds();
    loader_begin(t->loader, (uint32_t)t->result->epochs);
    for (size_t i = 1; i <= t->per_epoch && !training_spent(t); i++) {
        if (!loader_next(t->loader, &b, e)) return false;
        training_step(t, &b);
        if (t->result->status != TRAIN_COMPLETED) return true;
        training_report(t, i);
        if (i < t->per_epoch && training_stop(t)) {
            t->result->status = TRAIN_INTERRUPTED;
            return true;
        }
    }
    return true;
}

static bool floats_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

static bool training_finite(struct graph *g)
{
    size_t weights, states;
    const float *w = graph_weights(g, &weights), *s = graph_states(g, &states);
    return floats_finite(w, weights) && floats_finite(s, states);
}

/* Validation and the record of a finished epoch. */
static bool training_record(struct training *t, struct err *e)
{
    const struct train_job *job = t->job;
    struct train_result *r = t->result;
    struct evaluation v = { .loss = NAN, .top1 = NAN };
    bool valid = job->split->validation.count > 0;
    if (valid && !train_evaluate(job, &job->split->validation, &v, e)) return false;
    if (valid && !isfinite(v.loss)) {
        training_diverged(t);
        return true;
    }
    r->history = mem_grow(r->history, (size_t)r->epochs + 1, sizeof *r->history);
    r->history[r->epochs] = (struct epoch_record){
        .epoch = r->epochs + 1,
        .lr = t->epoch.lr,
        .train_loss = t->epoch.loss / (double)t->epoch.images,
        .train_error = 100 * (double)t->epoch.wrong / (double)t->epoch.images,
        .validation_loss = v.loss,
        .validation_error = v.top1,
        .seconds = t->epoch.seconds,
        .images_per_second = (double)t->epoch.images / t->epoch.seconds,
        .weights_digest = graph_weights_digest(job->net.graph),
    };
    r->epochs++;
    return true;
}

static struct checkpoint training_state(const struct training *t)
{
    return (struct checkpoint){
        .identity = t->job->identity,
        .graph = t->job->net.graph,
        .optimizer = t->state,
        .optimizer_len = t->state_len,
        .history = t->result->history,
        .epochs = t->result->epochs,
    };
}

static bool training_epoch(struct training *t, struct err *e)
{
    const struct train_job *job = t->job;
    struct train_result *r = t->result;
    if (!training_steps(t, e)) return false;
    if (r->status == TRAIN_COMPLETED && !training_finite(job->net.graph)) training_diverged(t);
    if (r->status == TRAIN_COMPLETED && !training_record(t, e)) return false;
    if (r->status != TRAIN_COMPLETED) return true;
    if (job->checkpoint && t->steps == (uint64_t)r->epochs * t->per_epoch) {
        struct checkpoint c = training_state(t);
        if (!checkpoint_write(job->checkpoint, &c, e)) return false;
    }
    if (job->watch.epoch) job->watch.epoch(job->watch.ctx, &r->history[r->epochs - 1]);
    if (training_stop(t)) r->status = TRAIN_INTERRUPTED;
    return true;
}

static void training_warn(const struct training *t, const char *why)
{
    const struct train_watch *w = &t->job->watch;
    struct text s = { 0 };
    text_addf(&s, "%s; the run begins anew", why);
    if (w->warn)
        w->warn(w->ctx, s.s);
    else
        fprintf(stderr, "senet-exp: warning: %s\n", text_escape(&s));
    text_clear(&s);
}

/* Initial weights, or those of the checkpoint. */
static void training_begin(struct training *t)
{
    struct err why;
    struct train_result *r = t->result;
    graph_init(t->job->net.graph, t->job->seed);
    if (t->job->checkpoint) {
        struct checkpoint c = training_state(t);
        switch (checkpoint_read(t->job->checkpoint, &c, &why)) {
        case CHECKPOINT_READ:
            r->history = c.history;
            r->epochs = c.epochs;
            break;
        case CHECKPOINT_REFUSED:
            training_warn(t, why.text);
            break;
        case CHECKPOINT_NONE:
            break;
        }
    }
    t->steps = t->steps_before = (uint64_t)r->epochs * t->per_epoch;
    t->began = clock_seconds();
}

static bool training_test(struct training *t, struct err *e)
{
    const struct data_view *view = &t->job->split->test;
    struct evaluation *test = &t->result->test;
    if (view->count == 0) return true;
    test->label = mem_new(view->count, sizeof *test->label);
    test->predicted = mem_new(view->count, sizeof *test->predicted);
    if (!train_evaluate(t->job, view, test, e)) return false;
    if (!isfinite(test->loss)) training_diverged(t);
    return true;
}

static bool training_run(struct training *t, struct err *e)
{
    struct train_result *r = t->result;
    training_begin(t);
    while (r->epochs < t->job->settings->epochs && !training_spent(t)) {
        if (!training_epoch(t, e)) return false;
        if (r->status != TRAIN_COMPLETED) return true;
    }
    return training_test(t, e);
}

static bool train_check(const struct train_job *job, struct err *e)
{
    int batch = job->settings->batch_size;
    BUG_IF(job->net.images->n != batch, "a network for %d images trains with batches of %d",
           job->net.images->n, batch);
    if ((uint32_t)batch > job->split->train.count)
        return err_set(e,
                       "train.batch_size: %d is more than the %u training images; choose a smaller "
                       "batch or more images",
                       batch, job->split->train.count);
    return schedule_check(job->schedule, job->schedule_settings, job->settings->epochs, e);
}

bool train_run(const struct train_job *job, struct train_result *r, struct err *e)
{
    struct training t = { .job = job, .result = r };
    size_t weights;
    *r = (struct train_result){ .status = TRAIN_COMPLETED };
    if (!train_check(job, e)) return false;
    graph_weights(job->net.graph, &weights);
    t.state_len = weights * (size_t)job->optimizer->state_per_weight;
    t.state = mem_map((t.state_len + 1) * sizeof(float));
    if (!t.state) return err_set(e, "no memory for the state of the optimiser");
    t.loader = loader_for(job, &job->split->train, job->augment);
    t.per_epoch = loader_batches(t.loader);
    bool ok = training_run(&t, e);
    loader_destroy(t.loader);
    mem_unmap(t.state, (t.state_len + 1) * sizeof(float));
    if (!ok) train_result_clear(r);
    return ok;
}

void train_result_clear(struct train_result *r)
{
    free(r->history);
    free(r->test.label);
    free(r->test.predicted);
    *r = (struct train_result){ .status = TRAIN_COMPLETED };
}
