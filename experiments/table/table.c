/* Turns results into text cells. Columns are rows of a list: what it is called, when it is wanted,
 * how a cell is filled. */
#include "experiments/table/table.h"
#include "experiments/table/analysis.h"
#include "experiments/table/conditions.h"
#include "experiments/table/direction.h"
#include "experiments/table/footnotes.h"
#include "experiments/table/lines.h"
#include "experiments/table/numbers.h"
#include <math.h>
#include <string.h>

/* A table in the making. */
struct making {
    struct table *t;
    const struct results *r;
    struct analysis a;
    bool grid; /* a column for each axis instead of the label */
    /* Of each row, NULL for none; NULL where the experiment mirrors nothing. */
    const struct paper_row **paper;
};

struct column_kind {
    struct column column;
    bool (*wanted)(const struct making *m); /* NULL: always */
    void (*fill)(struct cell *c, struct making *m, int row);
};

static void cell_set(struct cell *c, double value, const char *text)
{
    c->value = value;
    c->text = text;
}

static bool wants_top5(const struct making *m) { return m->a.classes > 5; }
static bool wants_delta(const struct making *m) { return m->a.baseline >= 0 && m->r->n_points > 1; }
static bool wants_paper(const struct making *m) { return m->paper != NULL; }

static bool wants_paper_delta(const struct making *m)
{
    return wants_delta(m) && m->paper && m->paper[m->r->baseline];
}

static double paper_params(const struct paper_row *row) { return row->params; }
static double paper_gflops(const struct paper_row *row) { return row->gflops; }

static bool paper_gives(const struct making *m, double (*number)(const struct paper_row *))
{
    for (int i = 0; m->paper && i < m->r->n_points; i++)
        if (m->paper[i] && !isnan(number(m->paper[i]))) return true;
    return false;
}
static bool wants_paper_params(const struct making *m) { return paper_gives(m, paper_params); }
static bool wants_paper_gflops(const struct making *m) { return paper_gives(m, paper_gflops); }

static void fill_top1(struct cell *c, struct making *m, int row)
{
    const struct analysis_row *a = &m->a.rows[row];
    cell_set(c, a->top1.mean, format_mean(&m->t->pool, a->top1.mean, a->top1.sd, 2));
    c->best = a->best;
}

static void fill_top5(struct cell *c, struct making *m, int row)
{
    const struct summary *s = &m->a.rows[row].top5;
    cell_set(c, s->mean, format_mean(&m->t->pool, s->mean, s->sd, 2));
}

static void fill_n(struct cell *c, struct making *m, int row)
{
    int done = m->a.rows[row].done, asked = m->r->n_seeds;
    cell_set(c, done, pool_textf(&m->t->pool, done < asked ? "%d/%d*" : "%d", done, asked));
}

static void fill_delta(struct cell *c, struct making *m, int row)
{
    const struct analysis_row *a = &m->a.rows[row];
    const struct comparison *d = &a->delta;
    const char *text = format_delta(&m->t->pool, d->delta, d->low, d->high);
    if (a->root == m->a.baseline) text = row == m->r->baseline ? "baseline" : "same network";
    cell_set(c, d->delta, text);
}

static void fill_paper_delta(struct cell *c, struct making *m, int row)
{
    double v = mirror_delta(m->paper, m->r, row);
    const char *text = format_delta(&m->t->pool, v, NAN, NAN);
    cell_set(c, row == m->r->baseline ? (double)NAN : v, row == m->r->baseline ? "baseline" : text);
}

static void fill_p(struct cell *c, struct making *m, int row)
{
    cell_set(c, m->a.rows[row].p, format_p(&m->t->pool, m->a.rows[row].p));
}

/* Widths of the stages that have SE blocks in some row: "1/2/4", "–/2/–". */
static void fill_hidden(struct cell *c, struct making *m, int row)
{
    struct text all = { 0 };
    bool any = false;
    for (int k = 0; k < SE_STAGES; k++) {
        bool used = false;
        for (int i = 0; i < m->r->n_points; i++) used = used || m->r->points[i].hidden[k] > 0;
        if (!used) continue;
        int width = m->r->points[row].hidden[k];
        if (all.len > 0) text_add(&all, "/");
        if (width > 0) text_addf(&all, "%d", width);
        if (width == 0) text_add(&all, FORMAT_NONE);
        any = any || width > 0;
    }
    cell_set(c, NAN, any ? pool_text(&m->t->pool, all.s) : FORMAT_NONE);
    text_clear(&all);
}

static void fill_parameters(struct cell *c, struct making *m, int row)
{
    double v = m->r->points[row].parameters;
    cell_set(c, v, format_whole(&m->t->pool, v));
}

static void fill_macs(struct cell *c, struct making *m, int row)
{
    double v = m->r->points[row].macs;
    cell_set(c, v, format_scaled(&m->t->pool, v));
}

static void fill_seconds(struct cell *c, struct making *m, int row)
{
    double v = m->a.rows[row].seconds;
    cell_set(c, v, format_seconds(&m->t->pool, v));
}

/* Columns for machines: the number as it is. */
#define FILL_NUMBER(name, number)                                      \
    static void fill_##name(struct cell *c, struct making *m, int row) \
    {                                                                  \
        (void)row;                                                     \
        cell_set(c, number, "");                                       \
    }
FILL_NUMBER(top1_sd, m->a.rows[row].top1.sd)
FILL_NUMBER(top5_sd, m->a.rows[row].top5.sd)
FILL_NUMBER(seeds, m->r->n_seeds)
FILL_NUMBER(delta_low, m->a.rows[row].delta.low)
FILL_NUMBER(delta_high, m->a.rows[row].delta.high)
FILL_NUMBER(p_single, m->a.rows[row].delta.p)
FILL_NUMBER(se_parameters, m->r->points[row].se_parameters)
FILL_NUMBER(with_statistics, m->r->points[row].parameters_with_statistics)
FILL_NUMBER(speed, m->a.rows[row].images_per_second)

#define FILL_CONDITION(name, condition)                                        \
    static void fill_##name(struct cell *c, struct making *m, int row)         \
    {                                                                          \
        cell_set(c, NAN, condition_of_row(&m->t->pool, m->r, row, condition)); \
    }
FILL_CONDITION(numerics, CONDITION_NUMERICS)
FILL_CONDITION(isa, CONDITION_ISA)
FILL_CONDITION(precision, CONDITION_PRECISION)
FILL_CONDITION(machine, CONDITION_MACHINE)
FILL_CONDITION(unfused, CONDITION_UNFUSED)

static void fill_paper_row(struct cell *c, struct making *m, int row)
{
    cell_set(c, NAN, m->paper[row] ? m->paper[row]->label : "");
}

#define FILL_PAPER(name, decimals)                                           \
    static void fill_paper_##name(struct cell *c, struct making *m, int row) \
    {                                                                        \
        double v = m->paper[row] ? m->paper[row]->name : (double)NAN;        \
        cell_set(c, v, format_fixed(&m->t->pool, v, decimals));              \
    }
FILL_PAPER(top1, 2)
FILL_PAPER(top5, 2)
FILL_PAPER(params, 1)
FILL_PAPER(gflops, 2)

static const struct column_kind kinds[] = {
    { { "top-1 error", "%", "top1_mean", true, false }, NULL, fill_top1 },
    { { "sd", "%", "top1_sd", true, true }, NULL, fill_top1_sd },
    { { "top-5 error", "%", "top5_mean", true, false }, wants_top5, fill_top5 },
    { { "sd", "%", "top5_sd", true, true }, wants_top5, fill_top5_sd },
    { { "n", NULL, "n", true, false }, NULL, fill_n },
    { { "seeds", NULL, "seeds", true, true }, NULL, fill_seeds },
    { { "Δ top-1 (95 % interval)", NULL, "delta", true, false }, wants_delta, fill_delta },
    { { "paper Δ", NULL, "paper_delta", true, false }, wants_paper_delta, fill_paper_delta },
    { { "low", "points", "delta_low", true, true }, wants_delta, fill_delta_low },
    { { "high", "points", "delta_high", true, true }, wants_delta, fill_delta_high },
    { { "p", NULL, "p_holm", true, false }, wants_delta, fill_p },
    { { "p, uncorrected", NULL, "p", true, true }, wants_delta, fill_p_single },
    { { "hidden", NULL, "hidden", false, false }, NULL, fill_hidden },
    { { "parameters", NULL, "parameters", true, false }, NULL, fill_parameters },
    { { "SE parameters", NULL, "se_parameters", true, true }, NULL, fill_se_parameters },
    { { "with batch-norm statistics", NULL, "parameters_with_statistics", true, true },
      NULL,
      fill_with_statistics },
    { { "multiply-adds", NULL, "macs", true, false }, NULL, fill_macs },
    { { "time per run", NULL, "seconds", true, false }, NULL, fill_seconds },
    { { "images per second", NULL, "images_per_second", true, true }, NULL, fill_speed },
    { { "version of the numerics", NULL, "numerics", false, true }, NULL, fill_numerics },
    { { "instruction set", NULL, "isa", false, true }, NULL, fill_isa },
    { { "precision", NULL, "precision", false, true }, NULL, fill_precision },
    { { "times measured with", NULL, "machine", false, true }, NULL, fill_machine },
    { { "unfused passes", NULL, "unfused", false, true }, NULL, fill_unfused },
    { { "paper's row", NULL, "paper_row", false, true }, wants_paper, fill_paper_row },
    { { "paper top-1", "%", "paper_top1", true, false }, wants_paper, fill_paper_top1 },
    { { "paper top-5", "%", "paper_top5", true, false }, wants_paper, fill_paper_top5 },
    { { "paper params", "M", "paper_params", true, false }, wants_paper_params, fill_paper_params },
    { { "paper GFLOPs", NULL, "paper_gflops", true, false },
      wants_paper_gflops,
      fill_paper_gflops },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* "model.se.reduction" is called "reduction", unless another key ends alike. */
static const char *axis_title(const struct results *r, int key)
{
    const char *full = r->axis_keys[key], *dot = strrchr(full, '.'), *last = dot ? dot + 1 : full;
    for (int i = 0; i < r->n_axis_keys; i++) {
        const char *other = strrchr(r->axis_keys[i], '.');
        other = other ? other + 1 : r->axis_keys[i];
        if (i != key && strcmp(other, last) == 0) return full;
    }
    return last;
}

/* A grid has a value for every key in every row, and labels that only repeat them ("reduction=16");
 * named variants need their names. */
static bool is_grid(const struct results *r)
{
    bool grid = r->n_axis_keys > 0;
    struct pool pool = { 0 };
    for (int i = 0; i < r->n_points; i++)
        for (int k = 0; grid && k < r->n_axis_keys; k++) {
            const char *key = r->axis_keys[k], *dot = strrchr(key, '.');
            const char *repeated = pool_textf(&pool, "%s=", dot ? dot + 1 : key);
            grid = strstr(r->points[i].label, repeated) &&
                   cJSON_GetObjectItemCaseSensitive(r->points[i].axes, key);
        }
    pool_clear(&pool);
    return grid;
}

static void columns_choose(struct making *m)
{
    struct table *t = m->t;
    int n = m->grid ? m->r->n_axis_keys : 1;
    t->columns = pool_new(&t->pool, (size_t)n + KINDS, sizeof *t->columns);
    t->columns[0] = (struct column){ "variant", NULL, "label", false, false };
    for (int k = 0; m->grid && k < n; k++)
        t->columns[k] =
            (struct column){ axis_title(m->r, k), NULL, m->r->axis_keys[k], false, false };
    for (int k = 0; k < KINDS; k++)
        if (!kinds[k].wanted || kinds[k].wanted(m)) t->columns[n++] = kinds[k].column;
    t->n_columns = n;
}

static void row_fill(struct making *m, int row)
{
    struct table *t = m->t;
    struct cell *c = &t->cells[row * t->n_columns];
    const struct result_point *p = &m->r->points[row];
    if (!m->grid) cell_set(c++, NAN, p->label);
    for (int k = 0; m->grid && k < m->r->n_axis_keys; k++)
        cell_set(c++, NAN, mirror_setting(p, m->r->axis_keys[k], &t->pool));
    for (int k = 0; k < KINDS; k++)
        if (!kinds[k].wanted || kinds[k].wanted(m)) kinds[k].fill(c++, m, row);
}

void table_build(struct table *t, const struct results *r)
{
    *t = (struct table){ .title = r->experiment, .question = r->question, .n_rows = r->n_points };
    struct making m = { .t = t, .r = r, .grid = is_grid(r) };
    analysis_make(&m.a, r);
    m.paper = mirror_rows(r, &t->pool);
    columns_choose(&m);
    t->cells = pool_new(&t->pool, (size_t)t->n_rows * (size_t)t->n_columns, sizeof *t->cells);
    for (int i = 0; i < t->n_rows; i++) row_fill(&m, i);
    notes_write(t, r, &m.a);
    analysis_clear(&m.a);
}

const char *const table_rows_names[TABLE_ROWS] = { "points", "runs", "epochs" };

void table_build_rows(struct table *t, const struct results *r, enum table_rows rows)
{
    static void (*const builders[TABLE_ROWS])(struct table *, const struct results *) = {
        [TABLE_POINTS] = table_build,
        [TABLE_RUNS] = lines_runs,
        [TABLE_EPOCHS] = lines_epochs,
    };
    builders[rows](t, r);
}

void table_clear(struct table *t)
{
    pool_clear(&t->pool);
    *t = (struct table){ 0 };
}
