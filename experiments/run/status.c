#include "experiments/run/status.h"
#include "core/base/order.h"
#include "experiments/run/run_one.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const standing_names[STANDING_STATES] = { "completed",   "diverged", "failed",
                                                             "interrupted", "running",  "waiting" };
const char *standing_name(enum standing_state s) { return standing_names[s]; }

static const char *standing_id(const struct results *r, int point, int seed)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(r->design, "points");
    const cJSON *runs = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(all, point), "runs");
    return cJSON_GetArrayItem(runs, seed)->valuestring;
}

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
    if (run_is_locked(r->dir, standing_id(r, point, seed))) return STANDING_RUNNING;
    return one ? of[one->status] : STANDING_WAITING;
}

static int epochs_of(const struct result_point *p)
{
    const cJSON *train = cJSON_GetObjectItemCaseSensitive(p->settings, "train");
    const cJSON *epochs = cJSON_GetObjectItemCaseSensitive(train, "epochs");
    return cJSON_IsNumber(epochs) ? epochs->valueint : 0;
}

double standing_pace(const struct results *r)
{
    double *all = mem_new((size_t)(r->n_points * r->n_seeds), sizeof *all);
    size_t n = 0;
    for (int p = 0; p < r->n_points; p++) {
        double work = r->points[p].macs * epochs_of(&r->points[p]);
        for (int s = 0; s < r->n_seeds; s++) {
            const struct record *one = r->points[p].runs[s];
            if (one && one->status == RECORD_COMPLETED && work > 0) all[n++] = one->seconds / work;
        }
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
    double pace = standing_pace(r);
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

int standing_find(const struct results *r, const struct design_point *p)
{
    struct text json = { 0 };
    spec_write(&p->spec, &json);
    cJSON *settings = cJSON_Parse(json.s);
    int found = -1;
    for (int i = 0; found < 0 && i < r->n_points; i++) {
        if (strcmp(r->points[i].label, p->label) != 0) continue;
        if (cJSON_Compare(settings, r->points[i].settings, true)) found = i;
    }
    cJSON_Delete(settings);
    text_clear(&json);
    return found;
}

int standing_done(const struct results *r, int point)
{
    int done = 0;
    for (int s = 0; s < r->n_seeds; s++) {
        const struct record *one = r->points[point].runs[s];
        done += one && (one->status == RECORD_COMPLETED || one->status == RECORD_DIVERGED);
    }
    return done;
}
