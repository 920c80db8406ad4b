/* See lines.h. As in table.c a column is a row of a list: what it is called, how a cell is filled.
 */
#include "experiments/table/lines.h"
#include "experiments/table/numbers.h"
#include "experiments/table/paper_rows.h"
#include <math.h>

/* What one row tells of. */
struct line {
    struct pool *pool;
    const struct results *r;
    int point, seed;          /* indices */
    const struct record *run; /* NULL: not done */
    const cJSON *epoch;       /* of the run's history, or NULL */
};

struct line_kind {
    struct column column;
    void (*fill)(struct cell *c, const struct line *l);
};

static const struct result_point *point_of(const struct line *l) { return &l->r->points[l->point]; }

/* Nothing is the same as "no text"; writers leave it out. */
static void fill_text(struct cell *c, const char *s)
{
    c->value = NAN;
    c->text = s ? s : FORMAT_NONE;
}

static void fill_number(struct cell *c, double v, const char *text)
{
    c->value = v;
    c->text = text;
}

static double json_number(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    return cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
}

static const char *json_string(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

static const cJSON *json_member(const struct line *l, const char *key)
{
    return l->run ? cJSON_GetObjectItemCaseSensitive(l->run->json, key) : NULL;
}

#define FILL_TEXT(name, s) \
    static void fill_##name(struct cell *c, const struct line *l) { fill_text(c, s); }
#define FILL_NUMBER(name, number, format)                         \
    static void fill_##name(struct cell *c, const struct line *l) \
    {                                                             \
        double v = number;                                        \
        fill_number(c, v, format);                                \
    }
#define RUN_NUMBER(member) (l->run ? l->run->member : (double)NAN)
#define FIXED(decimals) format_fixed(l->pool, v, decimals)

static const char *same_as(const struct line *l)
{
    int same = point_of(l)->same_as;
    return same < 0 ? NULL : l->r->points[same].label;
}

FILL_TEXT(label, point_of(l)->label)
FILL_TEXT(same_as, same_as(l))
FILL_NUMBER(seed, (double)l->r->seeds[l->seed], FIXED(0))
FILL_TEXT(id, point_of(l)->ids[l->seed])
FILL_TEXT(status, l->run ? record_status_name(l->run->status) : "not done")
FILL_TEXT(why, l->run ? l->run->why : NULL)
FILL_NUMBER(top1, RUN_NUMBER(top1), FIXED(2))
FILL_NUMBER(top5, RUN_NUMBER(top5), FIXED(2))
FILL_NUMBER(loss, RUN_NUMBER(loss), FIXED(4))
FILL_NUMBER(epochs, l->run ? l->run->epochs : (double)NAN, FIXED(0))
FILL_NUMBER(diverged, json_number(l->run ? l->run->json : NULL, "diverged_step"), FIXED(0))
FILL_NUMBER(seconds, RUN_NUMBER(seconds), format_seconds(l->pool, v))
FILL_NUMBER(speed, RUN_NUMBER(images_per_second), FIXED(0))
FILL_NUMBER(parameters, point_of(l)->parameters, format_whole(l->pool, v))
FILL_NUMBER(se_parameters, point_of(l)->se_parameters, format_whole(l->pool, v))
FILL_NUMBER(with_statistics, point_of(l)->parameters_with_statistics, format_whole(l->pool, v))
FILL_NUMBER(macs, point_of(l)->macs, format_scaled(l->pool, v))
FILL_NUMBER(numerics, l->run ? l->run->numerics : (double)NAN, FIXED(0))
FILL_TEXT(cpu, json_string(json_member(l, "machine"), "cpu"))
FILL_TEXT(isa, json_string(json_member(l, "machine"), "isa"))
FILL_NUMBER(threads, json_number(json_member(l, "machine"), "threads"), FIXED(0))
FILL_NUMBER(jobs, json_number(json_member(l, "machine"), "jobs"), FIXED(0))
FILL_TEXT(revision, json_string(json_member(l, "program"), "revision"))
FILL_NUMBER(epoch, json_number(l->epoch, "epoch"), FIXED(0))
FILL_NUMBER(lr, json_number(l->epoch, "lr"),
            isnan(v) ? FORMAT_NONE : pool_textf(l->pool, "%.3g", v))
FILL_NUMBER(train_loss, json_number(l->epoch, "train_loss"), FIXED(4))
FILL_NUMBER(train_error, json_number(l->epoch, "train_error"), FIXED(2))
FILL_NUMBER(validation_loss, json_number(l->epoch, "validation_loss"), FIXED(4))
FILL_NUMBER(validation_error, json_number(l->epoch, "validation_error"), FIXED(2))
FILL_NUMBER(epoch_seconds, json_number(l->epoch, "seconds"), format_seconds(l->pool, v))
FILL_NUMBER(epoch_speed, json_number(l->epoch, "images_per_second"), FIXED(0))

static const struct line_kind run_kinds[] = {
    { { "seed", NULL, "seed", true, false }, fill_seed },
    { { "status", NULL, "status", false, false }, fill_status },
    { { "top-1 error", "%", "top1", true, false }, fill_top1 },
    { { "top-5 error", "%", "top5", true, false }, fill_top5 },
    { { "test loss", NULL, "loss", true, false }, fill_loss },
    { { "epochs done", NULL, "epochs", true, false }, fill_epochs },
    { { "time", NULL, "seconds", true, false }, fill_seconds },
    { { "images per second", NULL, "images_per_second", true, false }, fill_speed },
    { { "diverged at step", NULL, "diverged_step", true, true }, fill_diverged },
    { { "why", NULL, "why", false, true }, fill_why },
    { { "parameters", NULL, "parameters", true, true }, fill_parameters },
    { { "SE parameters", NULL, "se_parameters", true, true }, fill_se_parameters },
    { { "with batch-norm statistics", NULL, "parameters_with_statistics", true, true },
      fill_with_statistics },
    { { "multiply-adds", NULL, "macs", true, true }, fill_macs },
    { { "version of the numerics", NULL, "numerics", true, true }, fill_numerics },
    { { "instruction set", NULL, "isa", false, true }, fill_isa },
    { { "CPU", NULL, "cpu", false, true }, fill_cpu },
    { { "threads", NULL, "threads", true, true }, fill_threads },
    { { "jobs", NULL, "jobs", true, true }, fill_jobs },
    { { "revision", NULL, "revision", false, true }, fill_revision },
    { { "run", NULL, "id", false, true }, fill_id },
    { { "network of", NULL, "same_as", false, true }, fill_same_as },
};

static const struct line_kind epoch_kinds[] = {
    { { "seed", NULL, "seed", true, false }, fill_seed },
    { { "epoch", NULL, "epoch", true, false }, fill_epoch },
    { { "learning rate", NULL, "lr", true, false }, fill_lr },
    { { "training loss", NULL, "train_loss", true, false }, fill_train_loss },
    { { "training error", "%", "train_error", true, false }, fill_train_error },
    { { "validation loss", NULL, "validation_loss", true, false }, fill_validation_loss },
    { { "validation error", "%", "validation_error", true, false }, fill_validation_error },
    { { "time", NULL, "seconds", true, false }, fill_epoch_seconds },
    { { "images per second", NULL, "images_per_second", true, false }, fill_epoch_speed },
    { { "run", NULL, "id", false, true }, fill_id },
    { { "network of", NULL, "same_as", false, true }, fill_same_as },
};

/* A table in the making, of one of the two lists. */
struct making {
    struct table *t;
    const struct line_kind *kinds;
    int n_kinds;
    size_t room; /* rows that there is memory for */
};

/* The label and a column for each axis stand before the list's; people read the label. */
static void columns_make(struct making *m, const struct results *r)
{
    struct table *t = m->t;
    t->n_columns = 1 + r->n_axis_keys + m->n_kinds;
    t->columns = pool_new(&t->pool, (size_t)t->n_columns, sizeof *t->columns);
    struct column *c = t->columns;
    *c++ = (struct column){ "variant", NULL, "label", false, false };
    for (int k = 0; k < r->n_axis_keys; k++)
        *c++ = (struct column){ r->axis_keys[k], NULL, r->axis_keys[k], false, true };
    for (int k = 0; k < m->n_kinds; k++) *c++ = m->kinds[k].column;
}

static void line_add(struct making *m, const struct line *l)
{
    struct table *t = m->t;
    BUG_IF((size_t)t->n_rows >= m->room, "more rows than were counted");
    struct cell *c = &t->cells[(size_t)t->n_rows++ * (size_t)t->n_columns];
    fill_label(c++, l);
    for (int k = 0; k < l->r->n_axis_keys; k++)
        fill_text(c++, mirror_setting(point_of(l), l->r->axis_keys[k], l->pool));
    for (int k = 0; k < m->n_kinds; k++) m->kinds[k].fill(c++, l);
}

static size_t epochs_count(const struct results *r)
{
    size_t n = 0;
    for (int i = 0; i < r->n_points; i++)
        for (int s = 0; s < r->n_seeds; s++)
            if (r->points[i].runs[s]) n += (size_t)r->points[i].runs[s]->epochs;
    return n;
}

static void run_epochs_add(struct making *m, const struct line *run)
{
    struct line l = *run;
    cJSON_ArrayForEach(l.epoch, json_member(run, "history")) { line_add(m, &l); }
}

static void lines_make(struct making *m, const struct results *r,
                       void (*add)(struct making *m, const struct line *l))
{
    struct table *t = m->t;
    columns_make(m, r);
    t->cells = pool_new(&t->pool, m->room * (size_t)t->n_columns, sizeof *t->cells);
    for (int i = 0; i < r->n_points; i++)
        for (int s = 0; s < r->n_seeds; s++)
            add(m, &(struct line){ &t->pool, r, i, s, r->points[i].runs[s], NULL });
}

#define COUNT(list) (int)(sizeof(list) / sizeof *(list))

void lines_runs(struct table *t, const struct results *r)
{
    *t = (struct table){ .title = r->experiment, .question = r->question, .rows = TABLE_RUNS };
    struct making m = { t, run_kinds, COUNT(run_kinds), (size_t)r->n_points * (size_t)r->n_seeds };
    lines_make(&m, r, line_add);
}

void lines_epochs(struct table *t, const struct results *r)
{
    *t = (struct table){ .title = r->experiment, .question = r->question, .rows = TABLE_EPOCHS };
    struct making m = { t, epoch_kinds, COUNT(epoch_kinds), epochs_count(r) };
    lines_make(&m, r, run_epochs_add);
}
