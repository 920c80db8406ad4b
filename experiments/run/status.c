#include "experiments/run/status.h"
#include "core/base/order.h"
#include "experiments/run/run_one.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const standing_names[STANDING_STATES] = { "completed",   "diverged", "failed",
                                                             "interrupted", "running",  "waiting" };
const char *standing_name(enum standing_state s) { return standing_names[s]; }

static enum standing_state run_state(const struct results *r, int point, int seed)
{
    static const enum standing_state of[RECORD_STATUSES] = { [RECORD_COMPLETED] =
                                                                 STANDING_COMPLETED,
                                                             [RECORD_DIVERGED] = STANDING_DIVERGED,
                                                             [RECORD_FAILED] = STANDING_FAILED,
                                                             [RECORD_INTERRUPTED] =
                                                                 STANDING_INTERRUPTED };
    const struct record *one = r->points[point].runs[seed];
    if (one && (one->status == RECORD_COMPLETED || one->status == RECORD_DIVERGED))
        return of[one->status];
    if (run_is_locked(r->dir, r->points[point].ids[seed])) return STANDING_RUNNING;
    return one ? of[one->status] : STANDING_WAITING;
}

static int epochs_of(const struct result_point *p)
{
    const cJSON *train = cJSON_GetObjectItemCaseSensitive(p->settings, "train");
    const cJSON *epochs = cJSON_GetObjectItemCaseSensitive(train, "epochs");
    return cJSON_IsNumber(epochs) ? epochs->valueint : 0;
}

/* Multiply-adds of an image times epochs. */
static double work_of(const struct record *one)
{
    const cJSON *backbone = cJSON_GetObjectItemCaseSensitive(one->json, "backbone");
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(one->json, "settings");
    const cJSON *train = cJSON_GetObjectItemCaseSensitive(settings, "train");
    const cJSON *conv_fc = cJSON_GetObjectItemCaseSensitive(backbone, "conv_fc");
    const cJSON *se_fc = cJSON_GetObjectItemCaseSensitive(backbone, "se_fc");
    const cJSON *epochs = cJSON_GetObjectItemCaseSensitive(train, "epochs");
    bool known = cJSON_IsNumber(conv_fc) && cJSON_IsNumber(se_fc) && cJSON_IsNumber(epochs);
    return known ? (conv_fc->valuedouble + se_fc->valuedouble) * epochs->valuedouble : 0;
}

double standing_pace(struct record *const *records, int n_records)
{
    double *all = mem_new((size_t)n_records + 1, sizeof *all);
    size_t n = 0;
    for (int i = 0; i < n_records; i++) {
        double work = work_of(records[i]);
        if (records[i]->status == RECORD_COMPLETED && work > 0)
            all[n++] = records[i]->seconds / work;
    }
    qsort(all, n, sizeof *all, order_doubles);
    double pace = n ? all[n / 2] : (double)NAN;
    free(all);
    return pace;
}

double standing_seconds(double pace, double macs, int epochs) { return pace * macs * epochs; }

/* Multiply-adds of an image times epochs, of a run of the point. */
static double point_work(const struct result_point *p) { return p->macs * epochs_of(p); }

/* What all runs do, and how far those in hand are. */
static void runs_look(struct standing *all, const struct results *r)
{
    for (int p = 0; p < r->n_points; p++) {
        if (r->points[p].same_as >= 0) continue;
        for (int s = 0; s < r->n_seeds; s++) {
            struct standing_run *one = &all->of[p * r->n_seeds + s];
            one->state = run_state(r, p, s);
            one->seen = one->state == STANDING_RUNNING &&
                        glimpse_read(r->dir, r->points[p].ids[s], &one->now);
            if (one->seen && one->now.jobs > all->at_once) all->at_once = one->now.jobs;
            all->runs++;
            all->count[one->state]++;
        }
    }
}

/* That of the running processes, where no record tells it: the median of their paces. */
static double pace_seen(const struct standing *all, const struct results *r)
{
    double *paces = mem_new((size_t)(r->n_points * r->n_seeds), sizeof *paces);
    size_t n = 0;
    for (int i = 0; i < r->n_points * r->n_seeds; i++) {
        double work = point_work(&r->points[i / r->n_seeds]);
        if (all->of[i].seen && work > 0) paces[n++] = all->of[i].now.seconds / work;
    }
    qsort(paces, n, sizeof *paces, order_doubles);
    double pace = n ? paces[n / 2] : (double)NAN;
    free(paces);
    return pace;
}

/* Runs that are not over, shared out among as many as are trained at a time. */
static void time_left(struct standing *all, const struct results *r, double pace)
{
    double sum = 0, most = 0;
    int rest = all->runs - all->count[STANDING_COMPLETED] - all->count[STANDING_DIVERGED];
    for (int i = 0; i < r->n_points * r->n_seeds; i++) {
        const struct standing_run *one = &all->of[i];
        if (r->points[i / r->n_seeds].same_as >= 0 || one->state == STANDING_COMPLETED ||
            one->state == STANDING_DIVERGED)
            continue;
        double left =
            one->seen ? one->now.seconds_left : pace * point_work(&r->points[i / r->n_seeds]);
        sum += left;
        most = fmax(most, left);
    }
    if (all->at_once < all->count[STANDING_RUNNING]) all->at_once = all->count[STANDING_RUNNING];
    if (all->at_once > rest) all->at_once = rest;
    if (all->at_once < 1) all->at_once = 1;
    sum /= all->at_once;
    all->seconds_left = sum < most ? most : sum;
}

void standing_of(struct standing *all, const struct results *r)
{
    *all = (struct standing){ 0 };
    all->of = mem_new((size_t)(r->n_points * r->n_seeds) + 1, sizeof *all->of);
    runs_look(all, r);
    double pace = standing_pace(r->records, r->n_records);
    time_left(all, r, isnan(pace) ? pace_seen(all, r) : pace);
}

void standing_clear(struct standing *all)
{
    free(all->of);
    *all = (struct standing){ 0 };
}
