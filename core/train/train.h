#ifndef CORE_TRAIN_TRAIN_H
#define CORE_TRAIN_TRAIN_H
#include "core/data/loader.h"
#include "core/optim/optim.h"

/* Section `train`, without the parts that optimiser and schedule bring. */
enum { PRECISION_FP32, PRECISION_BF16 };
enum { LAST_BATCH_USE, LAST_BATCH_DROP };
struct train_settings {
    int epochs, batch_size;
    int last_batch; /* LAST_BATCH_... */
    int precision;  /* PRECISION_... */
    double label_smoothing;
    double clip_norm; /* 0: off */
};
extern const struct field train_fields[];

/* The size of the incomplete batch that an epoch over so many training images ends with, 0: none.
 */
int train_short(const struct train_settings *s, uint32_t images);
int train_loaders(int threads); /* that prepare batches beside so many that compute */

/* A network that is ready to be trained: planned for training with logits and loss kept, with its
 * ends. Its batch size is train_settings.batch_size, its graph_short that of train_short. train_run
 * gives it its initial weights. */
struct train_net {
    struct graph *graph;
    struct tensor *images, *labels, *logits, *loss; /* loss: mean over the batch, one number */
};

struct epoch_record {
    int epoch;                      /* from 1 */
    double lr;                      /* at its last step */
    double train_loss, train_error; /* error in percent, top-1, running over the epoch's batches */
    double validation_loss, validation_error; /* NAN where there is no validation part */
    double seconds, images_per_second;        /* of training alone, without the validation */
    uint64_t weights_digest;
};

struct train_progress { /* after each batch */
    int epoch, epochs;
    size_t batch, batches;
    double images_per_second, loss, error;
    double seconds_left; /* of this run */
};

/* Whoever watches. Any member may be NULL. */
struct train_watch {
    void *ctx;
    void (*batch)(void *ctx, const struct train_progress *p);
    void (*epoch)(void *ctx, const struct epoch_record *r);
    /* True: return as soon as the step is done. Work since the last checkpoint is lost: the epoch
     * is repeated, to the same bits, when the run goes on. */
    bool (*stop)(void *ctx);
    void (*warn)(void *ctx, const char *text); /* NULL: to standard error */
};

struct train_job {
    struct train_net net;
    const struct dataset *data;
    const struct data_split *split;
    const struct train_settings *settings;
    const struct augment_settings *augment;
    const struct optimizer *optimizer;
    const void *optimizer_settings;
    const struct schedule *schedule;
    const void *schedule_settings;
    uint64_t seed;
    /* A path: continued from where it exists, written after each epoch; NULL: none. One of another
     * run, or a damaged one, is ignored with a warning: the run begins anew and replaces it. */
    const char *checkpoint;
    uint64_t identity; /* of the run */
    struct train_watch watch;
    int steps_max; /* end after so many steps of the run: an epoch that this cuts short is recorded
                    * but not saved; 0: after settings->epochs */
};

/* Diverged: a loss or gradient norm that is not finite at a step, or weights or a validation loss
 * that are not at the end of an epoch (then the step is its last). */
enum train_status { TRAIN_COMPLETED, TRAIN_DIVERGED, TRAIN_INTERRUPTED };

struct evaluation {
    double loss;       /* mean cross-entropy, without label smoothing */
    double top1, top5; /* errors in percent; top5 is of the min(5, classes) best classes.
                        * Of equal logits the lower class number wins. */
    uint32_t count;
    uint16_t *label, *predicted; /* of each test image, in order */
};

struct train_result {
    enum train_status status;
    uint64_t diverged_step; /* from 1 */
    struct epoch_record *history;
    int epochs;
    struct evaluation test; /* of the completed run, looked at once, at the end */
};

/* Trains and tests. False with e filled where data or disk failed; result is then empty. */
bool train_run(const struct train_job *job, struct train_result *r, struct err *e);
void train_result_clear(struct train_result *r);

/* Loss and errors over a view, with running statistics. t->label and t->predicted have room for
 * view->count numbers and are filled, or are NULL. */
bool train_evaluate(const struct train_job *job, const struct data_view *view, struct evaluation *t,
                    struct err *e);
#endif
