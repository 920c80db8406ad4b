#include "experiments/run/status.h"
#include "core/base/order.h"
#include "experiments/run/run_one.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const standing_names[STANDING_STATES] = { "completed",   "diverged", "failed",
                                                             "interrupted", "running",  "waiting" };
const char *standing_name(enum standing_state s) { return standing_names[s]; }

enum standing_state standing_of_run(const struct results *r, int point, int seed)
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

struct standing standing_of(const struct results *r)
{
    struct standing all = { 0 };
    double pace = standing_pace(r->records, r->n_records);
    for (int p = 0; p < r->n_points; p++) {
        if (r->points[p].same_as >= 0) continue;
        for (int s = 0; s < r->n_seeds; s++) {
            enum standing_state state = standing_of_run(r, p, s);
            all.runs++;
            all.count[state]++;
            if (state == STANDING_COMPLETED || state == STANDING_DIVERGED) continue;
            all.seconds_left += standing_seconds(pace, r->points[p].macs, epochs_of(&r->points[p]));
        }
    }
    return all;
}
