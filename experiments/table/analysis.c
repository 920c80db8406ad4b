/* Means, differences and tests of the rows of a table. Arms with one seed are paired: they share
 * the order of the data, the augmentation and the initial weights of common layers. */
#include "experiments/table/analysis.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One number of each run of a point, in the order of the seeds; NAN where there is none. */
enum quantity { TOP1, TOP5, SECONDS, SPEED };

static double *sample(const struct results *r, int point, enum quantity q)
{
    double *x = mem_new((size_t)r->n_seeds, sizeof *x);
    for (int s = 0; s < r->n_seeds; s++) {
        const struct record *run = r->points[point].runs[s];
        x[s] = NAN;
        if (!run || run->status != RECORD_COMPLETED) continue;
        x[s] = q == TOP1    ? run->top1
               : q == TOP5  ? run->top5
               : q == SPEED ? run->images_per_second
                            : run->seconds;
    }
    return x;
}

static struct summary summarise(const struct results *r, int point, enum quantity q)
{
    double *x = sample(r, point, q);
    struct summary s = stats_summary(x, r->n_seeds);
    free(x);
    return s;
}

static struct comparison compare(const struct results *r, int a, int b)
{
    double *x = sample(r, a, TOP1), *y = sample(r, b, TOP1);
    struct comparison c = stats_paired(x, y, r->n_seeds);
    free(x);
    free(y);
    return c;
}

static const struct comparison no_comparison = { 0, NAN, NAN, NAN, NAN };

static void analysis_row(struct analysis *a, const struct results *r, int i)
{
    struct analysis_row *row = &a->rows[i];
    int same = r->points[i].same_as;
    row->root = same < 0 ? i : a->rows[same].root;
    row->top1 = summarise(r, i, TOP1);
    row->top5 = summarise(r, i, TOP5);
    row->seconds = summarise(r, i, SECONDS).mean;
    row->images_per_second = summarise(r, i, SPEED).mean;
    row->done = row->top1.n;
    row->delta = row->to_best = no_comparison;
    row->p = NAN;
    for (int s = 0; s < r->n_seeds; s++) {
        const struct record *run = r->points[i].runs[s];
        if (run && run->classes > a->classes) a->classes = run->classes;
        if (run && run->test_count > a->test_count) a->test_count = run->test_count;
    }
}

/* Rows that lost runs are no candidates while others have all of theirs: what is left of a row
 * whose worst seeds diverged looks better than it is. */
static void analysis_lowest(struct analysis *a, int n)
{
    int most = 1;
    for (int i = 0; i < n; i++)
        if (a->rows[i].done > most) most = a->rows[i].done;
    for (int i = 0; i < n; i++)
        if (a->rows[i].root == i && a->rows[i].done == most &&
            (a->lowest < 0 || a->rows[i].top1.mean < a->rows[a->lowest].top1.mean))
            a->lowest = i;
}

/* Each network once, and not the baseline's: repeating a row must not cost the others power. */
static void analysis_deltas(struct analysis *a, const struct results *r)
{
    double *p = mem_new((size_t)r->n_points, sizeof *p);
    for (int i = 0; i < r->n_points; i++) {
        struct analysis_row *row = &a->rows[i];
        p[i] = NAN;
        if (row->root == a->baseline || row->root != i) continue;
        row->delta = compare(r, i, a->baseline);
        p[i] = row->delta.p;
        if (row->delta.n < 1) continue;
        a->comparisons++;
        if (a->comparisons == 1 || row->delta.n < a->pairs_least) a->pairs_least = row->delta.n;
        if (row->delta.n > a->pairs_most) a->pairs_most = row->delta.n;
    }
    stats_holm(p, r->n_points);
    for (int i = 0; i < r->n_points; i++) {
        a->rows[i].p = p[a->rows[i].root];
        a->rows[i].delta = a->rows[a->rows[i].root].delta;
    }
    free(p);
}

/* Where the pairs are too few for any p below the level, "cannot be told apart" is true of every
 * row and says nothing: then no row is marked. */
static void analysis_best(struct analysis *a, const struct results *r)
{
    for (int i = 0; i < r->n_points; i++) {
        struct analysis_row *row = &a->rows[i];
        if (row->root != i || i == a->lowest || row->done == 0) continue;
        row->to_best = compare(r, i, a->lowest);
        bool enough = row->to_best.n > 0 && stats_smallest_p(row->to_best.n) <= ANALYSIS_LEVEL;
        row->best = enough && row->to_best.p > ANALYSIS_LEVEL;
        if (enough)
            a->testable++;
        else
            a->untestable++;
    }
    a->rows[a->lowest].best = a->testable > 0;
    for (int i = 0; i < r->n_points; i++) a->rows[i].best = a->rows[a->rows[i].root].best;
}

void analysis_make(struct analysis *a, const struct results *r)
{
    *a = (struct analysis){ .baseline = -1, .lowest = -1, .error = NAN };
    a->rows = mem_new((size_t)r->n_points, sizeof *a->rows);
    for (int i = 0; i < r->n_points; i++) analysis_row(a, r, i);
    analysis_lowest(a, r->n_points);
    if (r->baseline >= 0) {
        a->baseline = a->rows[r->baseline].root;
        analysis_deltas(a, r);
    }
    if (a->lowest >= 0) {
        a->error = a->rows[a->lowest].top1.mean;
        analysis_best(a, r);
    }
}

void analysis_clear(struct analysis *a)
{
    free(a->rows);
    memset(a, 0, sizeof *a);
}
