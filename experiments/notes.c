/* The footer. Each note is one sentence or a few about one thing, for a reader who sees the table
 * alone. */
#include "experiments/notes.h"
#include "experiments/format.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void note(struct table *t, const char *text)
{
    const char **all = pool_new(&t->pool, (size_t)t->n_notes + 1, sizeof *all);
    for (int i = 0; i < t->n_notes; i++) all[i] = t->notes[i];
    all[t->n_notes++] = text;
    t->notes = all;
}

static void note_columns(struct table *t, const struct results *r, const struct analysis *a)
{
    note(t, pool_textf(&t->pool,
                       "Errors are percent of the test part, looked at once after the last epoch: "
                       "mean ± standard deviation over %d seed%s.",
                       r->n_seeds, r->n_seeds == 1 ? "" : "s"));
    if (a->baseline < 0) return;
    note(t,
         pool_textf(&t->pool,
                    "Δ: mean difference in points to %s, runs of one seed paired, with Student's "
                    "95 %% interval; p: two-sided sign-flip test of the same pairs, "
                    "Holm-corrected over %d comparison%s.",
                    r->points[r->baseline].label, a->comparisons, a->comparisons == 1 ? "" : "s"));
}

/* What so few pairs cannot show, whatever the truth is. */
static void note_power(struct table *t, const struct analysis *a)
{
    if (a->comparisons == 0 || a->pairs > STATS_EXACT) return;
    double single = stats_smallest_p(a->pairs), corrected = fmin(1, single * a->comparisons);
    int needed = stats_pairs_needed(ANALYSIS_LEVEL, a->comparisons);
    const char *smallest =
        pool_textf(&t->pool, "With %d pair%s the smallest possible p is %s", a->pairs,
                   a->pairs == 1 ? "" : "s", format_p(&t->pool, single));
    if (a->comparisons > 1)
        smallest = pool_textf(&t->pool, "%s, and %s after the correction", smallest,
                              format_p(&t->pool, corrected));
    if (corrected > ANALYSIS_LEVEL)
        note(t, pool_textf(&t->pool,
                           "%s: no row can reach 0.05, however large its difference; that takes at "
                           "least %d seeds.",
                           smallest, needed));
    else
        note(t, pool_textf(&t->pool, "%s.", smallest));
}

static void note_bold(struct table *t, const struct results *r, const struct analysis *a)
{
    if (a->lowest < 0 || a->testable + a->untestable == 0) return;
    const char *best = r->points[a->lowest].label;
    if (a->testable == 0)
        note(t,
             pool_textf(&t->pool,
                        "No row is marked as best: %s has the lowest mean, but with fewer than %d "
                        "pairs no test at 0.05 can tell it from any other.",
                        best, stats_pairs_needed(ANALYSIS_LEVEL, 1)));
    else
        note(t, pool_textf(
                    &t->pool,
                    "Bold: %s, which has the lowest mean, and every row that the sign-flip "
                    "test against it (p > 0.05, each test for itself) cannot tell from it%s.",
                    best,
                    a->untestable ? "; rows with too few pairs for that test are not marked" : ""));
}

static void note_sampling(struct table *t, const struct analysis *a)
{
    if (a->test_count == 0 || isnan(a->error)) return;
    note(t, pool_textf(&t->pool,
                       "The test part has %s images: an error of %.2f %% is known to ± %.2f points "
                       "of the true one (95 %%, Wilson), in addition to what the seeds show; "
                       "differences on the same images are known better.",
                       format_whole(&t->pool, a->test_count), a->error,
                       stats_sampling_error(a->error, a->test_count)));
}

static void note_same(struct table *t, const struct results *r, const struct analysis *a)
{
    for (int i = 0; i < r->n_points; i++)
        if (a->rows[i].root != i)
            note(t,
                 pool_textf(&t->pool,
                            "%s builds the same network as %s: trained once, shown in both rows.",
                            r->points[i].label, r->points[a->rows[i].root].label));
}

/* "seed 3 diverged at step 120" */
static const char *run_fate(struct pool *p, uint64_t seed, const struct record *run)
{
    if (!run) return pool_textf(p, "seed %" PRIu64 " is not done", seed);
    if (run->status == RECORD_DIVERGED)
        return pool_textf(p, "seed %" PRIu64 " diverged at step %" PRIu64, seed,
                          run->diverged_step);
    const char *colon = run->why && *run->why ? ": " : "", *why = run->why ? run->why : "";
    return pool_textf(p, "seed %" PRIu64 " %s%s%s", seed,
                      run->status == RECORD_FAILED ? "failed" : "was interrupted", colon, why);
}

static void note_missing(struct table *t, const struct results *r, const struct analysis *a)
{
    for (int i = 0; i < r->n_points; i++) {
        if (a->rows[i].done == r->n_seeds || a->rows[i].root != i) continue;
        const char *list = "";
        for (int s = 0; s < r->n_seeds; s++) {
            const struct record *run = r->points[i].runs[s];
            if (run && run->status == RECORD_COMPLETED) continue;
            list = pool_textf(&t->pool, "%s%s%s", list, *list ? "; " : "",
                              run_fate(&t->pool, r->seeds[s], run));
        }
        note(t, pool_textf(&t->pool, "* %s: %s. Its numbers are those of the other %d run%s.",
                           r->points[i].label, list, a->rows[i].done,
                           a->rows[i].done == 1 ? "" : "s"));
    }
}

static const char *setting_of(struct table *t, const struct results *r, const char *key)
{
    const char *first = mirror_setting(&r->points[0], key, &t->pool);
    for (int i = 1; i < r->n_points; i++) {
        const char *other = mirror_setting(&r->points[i], key, &t->pool);
        if (!first || !other || strcmp(first, other) != 0) return "several";
    }
    return first ? first : "unknown";
}

static void note_paper(struct table *t, const struct results *r)
{
    const struct paper_table *p = r->mirrors ? paper_table_named(r->mirrors) : NULL;
    if (!p) return;
    note(t,
         pool_textf(&t->pool,
                    "Paper: Table %s (\"%s\") of Hu et al., Squeeze-and-Excitation Networks, arXiv "
                    "1709.01507 v4. Not like for like: there ResNet-50 on ImageNet (224 x 224, "
                    "about 300 epochs, one run each, no spread given); here %s on %s, %s epochs, "
                    "%d seed%s. Compare the order and the direction of rows, not the numbers.",
                    p->name + strlen("table"), p->title, setting_of(t, r, "model.backbone"),
                    setting_of(t, r, "dataset.name"), setting_of(t, r, "train.epochs"), r->n_seeds,
                    r->n_seeds == 1 ? "" : "s"));
    if (strcmp(t->columns[t->n_columns - 1].key, "paper_top5") != 0)
        note(t, "The paper's parameters count batch norm's running statistics, ours only what is "
                "trained.");
}

void notes_write(struct table *t, const struct results *r, const struct analysis *a)
{
    note_columns(t, r, a);
    note_power(t, a);
    note_bold(t, r, a);
    note_sampling(t, a);
    note_same(t, r, a);
    note_missing(t, r, a);
    note_paper(t, r);
}
