#include "experiments/table/direction.h"
#include "core/base/text.h"
#include <math.h>

const struct paper_row **mirror_rows(const struct results *r, struct pool *pool)
{
    const struct paper_table *paper = r->mirrors ? paper_table_named(r->mirrors) : NULL;
    if (!paper) return NULL;
    const struct paper_row **rows = pool_new(pool, (size_t)r->n_points, sizeof *rows);
    for (int i = 0; i < r->n_points; i++) rows[i] = mirror_row(paper, &r->points[i]);
    return rows;
}

double mirror_delta(const struct paper_row *const *paper, const struct results *r, int point)
{
    const struct paper_row *base = r->baseline >= 0 ? paper[r->baseline] : NULL;
    if (!base || !paper[point]) return NAN;
    return round((paper[point]->top1 - base->top1) * 100) / 100; /* both have two decimals */
}

/* Why a row's directions cannot be compared; NULL: they can. Equal means may differ by rounding. */
static const char *incomparable(double paper, const struct analysis_row *row)
{
    static const double least = 1e-9;
    if (isnan(paper)) return "the paper has no such row";
    if (isnan(row->delta.delta)) return "no result yet";
    if (fabs(row->delta.delta) < least) return "no difference here";
    return fabs(paper) < least ? "no difference in the paper" : NULL;
}

/* Labels after the first are set off by commas. */
static void list_add(struct text *list, const char *label)
{
    text_addf(list, "%s%s", list->len ? ", " : "", label);
}

struct directions {
    int rows, same;            /* compared; of them in the paper's direction */
    struct text against, left; /* labels: of the others; of rows that cannot be compared, and why */
};

static void directions_count(struct directions *d, const struct results *r,
                             const struct analysis *a, const struct paper_row *const *paper)
{
    for (int i = 0; i < r->n_points; i++) {
        const struct analysis_row *row = &a->rows[i];
        if (row->root == a->baseline) continue;
        double theirs = mirror_delta(paper, r, i);
        const char *why = incomparable(theirs, row), *label = r->points[i].label;
        if (why) {
            list_add(&d->left, label);
            text_addf(&d->left, " (%s)", why);
            continue;
        }
        d->rows++;
        if ((row->delta.delta < 0) == (theirs < 0))
            d->same++;
        else
            list_add(&d->against, label);
    }
}

static const char *directions_say(struct pool *pool, const struct directions *d, const char *base)
{
    struct text s = { 0 };
    text_addf(&s,
              "Paper Δ: difference of the paper's top-1 errors to its row \"%s\", one run each. ",
              base);
    if (d->rows)
        text_addf(&s, "Ours has the same direction in %d of %d row%s", d->same, d->rows,
                  text_plural(d->rows));
    else
        text_add(&s, "No row's direction can be compared");
    if (d->against.len) text_addf(&s, " (not in: %s)", d->against.s);
    if (d->left.len) text_addf(&s, "; not compared: %s", d->left.s);
    text_add(&s, ". Whether ours is more than chance is said by its interval and p.");
    const char *copy = pool_text(pool, s.s);
    text_clear(&s);
    return copy;
}

const char *direction_text(struct pool *pool, const struct results *r, const struct analysis *a)
{
    const struct paper_row **paper = mirror_rows(r, pool);
    if (!paper || r->baseline < 0 || !paper[r->baseline]) return NULL;
    struct directions d = { 0 };
    directions_count(&d, r, a, paper);
    const char *text =
        d.rows || d.left.len ? directions_say(pool, &d, paper[r->baseline]->label) : NULL;
    text_clear(&d.against);
    text_clear(&d.left);
    return text;
}
