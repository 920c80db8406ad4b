/* The footer. Each note is one sentence or a few about one thing, for a reader who sees the table
 * alone. */
#include "experiments/table/footnotes.h"
#include "experiments/table/conditions.h"
#include "experiments/table/direction.h"
#include "experiments/table/numbers.h"
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

/* What the means are over: "6 seeds", or "the runs that have a result: 3 to 4 of 6 seeds". */
static const char *seeds_done(struct pool *p, const struct results *r, const struct analysis *a)
{
    int least = r->n_seeds, most = 0;
    for (int i = 0; i < r->n_points; i++) {
        int done = a->rows[i].done;
        if (done < least) least = done;
        if (done > most) most = done;
    }
    const char *all = pool_textf(p, "%d seed%s", r->n_seeds, text_plural(r->n_seeds));
    if (least == r->n_seeds) return all;
    if (least == most) return pool_textf(p, "the runs that have a result: %d of %s", most, all);
    return pool_textf(p, "the runs that have a result: %d to %d of %s", least, most, all);
}

static void note_columns(struct table *t, const struct results *r, const struct analysis *a)
{
    note(t, pool_textf(&t->pool,
                       "Errors are percent of the test part, looked at once after the last epoch: "
                       "mean ± standard deviation over %s.",
                       seeds_done(&t->pool, r, a)));
    if (a->comparisons == 0) return;
    note(t,
         pool_textf(&t->pool,
                    "Δ: mean difference in points to %s, runs of one seed paired, with Student's "
                    "95 %% interval (none where all pairs differ alike); p: two-sided sign-flip "
                    "test of the "
                    "same pairs, Holm-corrected over %d comparison%s.",
                    r->points[r->baseline].label, a->comparisons, text_plural(a->comparisons)));
}

/* What so few pairs cannot show, whatever the truth is. */
static void note_power(struct table *t, const struct analysis *a)
{
    int n = a->pairs_most, m = a->comparisons;
    if (m == 0 || n > STATS_EXACT) return;
    double single = stats_smallest_p(n), corrected = fmin(1, single * m);
    struct text s = { 0 };
    text_addf(&s, "With %d pair%s the smallest possible p is %s", n, text_plural(n),
              format_p(&t->pool, single));
    if (m > 1) text_addf(&s, ", and %s after the correction", format_p(&t->pool, corrected));
    if (a->pairs_least < n) text_add(&s, " (rows marked * have fewer pairs and cannot get as low)");
    if (corrected > ANALYSIS_LEVEL)
        text_addf(
            &s, ": no row can reach %g, however large its difference; that takes at least %d seeds",
            ANALYSIS_LEVEL, stats_pairs_needed(ANALYSIS_LEVEL, m));
    note(t, pool_textf(&t->pool, "%s.", s.s));
    text_clear(&s);
}

static void note_bold(struct table *t, const struct results *r, const struct analysis *a)
{
    if (a->lowest < 0 || a->testable + a->untestable == 0) return;
    bool others = false; /* rows with fewer results, which are no candidates */
    for (int i = 0; i < r->n_points; i++)
        others = others || a->rows[i].done < a->rows[a->lowest].done;
    const char *best = pool_textf(&t->pool, "%s has the lowest mean%s", r->points[a->lowest].label,
                                  others ? " of the rows with most results" : "");
    if (a->testable == 0)
        note(t,
             pool_textf(&t->pool,
                        "No row is marked as best: %s, but with fewer than %d pairs no test at %g "
                        "can tell it from any other.",
                        best, stats_pairs_needed(ANALYSIS_LEVEL, 1), ANALYSIS_LEVEL));
    else
        note(t, pool_textf(
                    &t->pool,
                    "Bold: %s; with it every row that the sign-flip test against it cannot tell "
                    "from it (p > %g, each test for itself)%s.",
                    best, ANALYSIS_LEVEL,
                    a->untestable ? "; rows with too few pairs for that are not marked" : ""));
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
static void run_fate(struct text *out, uint64_t seed, const struct record *run)
{
    text_addf(out, "; seed %" PRIu64 " ", seed);
    if (run->status == RECORD_DIVERGED)
        text_addf(out, "diverged at step %" PRIu64, run->diverged_step);
    else
        text_add(out, run->status == RECORD_FAILED ? "failed" : "was interrupted");
    if (run->why) text_addf(out, ": %s", run->why);
}

static void row_fates(struct text *out, const struct results *r, int row)
{
    int waiting = 0;
    for (int s = 0; s < r->n_seeds; s++) {
        const struct record *run = r->points[row].runs[s];
        if (run && run->status != RECORD_COMPLETED) run_fate(out, r->seeds[s], run);
        waiting += run == NULL;
    }
    if (waiting > 0) text_addf(out, "; %d run%s not done", waiting, waiting == 1 ? " is" : "s are");
}

static void note_missing(struct table *t, const struct results *r, const struct analysis *a)
{
    for (int i = 0; i < r->n_points; i++) {
        int done = a->rows[i].done;
        if (done == r->n_seeds || a->rows[i].root != i) continue;
        struct text fates = { 0 };
        row_fates(&fates, r, i);
        const char *rest =
            done == 0   ? "It has no numbers."
            : done == 1 ? "Its numbers are those of the other run."
                        : pool_textf(&t->pool, "Its numbers are those of the other %d runs.", done);
        note(t, pool_textf(&t->pool, "* %s: %s. %s", r->points[i].label, fates.s + 2, rest));
        text_clear(&fates);
    }
}

/* What all points have under a key; "several" where they differ. */
static const char *setting_of(struct table *t, const struct results *r, const char *key)
{
    const char *first = mirror_setting(&r->points[0], key, &t->pool);
    for (int i = 1; i < r->n_points; i++) {
        const char *other = mirror_setting(&r->points[i], key, &t->pool);
        if (!first || !other || strcmp(first, other) != 0) return "several";
    }
    return first ? first : "unknown";
}

static void note_paper(struct table *t, const struct results *r, const struct analysis *a)
{
    const struct paper_table *p = r->mirrors ? paper_table_named(r->mirrors) : NULL;
    if (!p) return;
    const char *epochs = setting_of(t, r, "train.epochs");
    note(t,
         pool_textf(&t->pool,
                    "Paper: Table %s (\"%s\") of Hu et al., Squeeze-and-Excitation Networks, arXiv "
                    "1709.01507 v4. Not like for like: there ResNet-50 on ImageNet (224 x 224, "
                    "about 300 epochs, one run each, no spread given); here %s on data of format "
                    "\"%s\", %s epoch%s, %d seed%s. Compare the order and the direction of rows, "
                    "not the numbers.",
                    p->name + strlen("table"), p->title, setting_of(t, r, "model.backbone"),
                    setting_of(t, r, "dataset.name"), epochs, strcmp(epochs, "1") == 0 ? "" : "s",
                    r->n_seeds, text_plural(r->n_seeds)));
    const char *direction = direction_text(&t->pool, r, a);
    if (direction) note(t, direction);
    if (strcmp(t->columns[t->n_columns - 1].key, "paper_top5") != 0)
        note(t, "The paper's parameters count batch norm's running statistics, ours only what is "
                "trained.");
}

static bool table_shows(const struct table *t, const char *key)
{
    for (int c = 0; c < t->n_columns; c++)
        if (strcmp(t->columns[c].key, key) == 0) return true;
    return false;
}

/* Numbers or times that do not compare, since runs were not made alike. */
static void note_conditions(struct table *t, const struct results *r, const struct analysis *a)
{
    static const struct {
        enum condition of;
        const char *what, *so;
    } told[] = {
        { CONDITION_NUMERICS, "Versions of the numerics",
          "Programs of different versions compute different bits: these runs are not comparable to "
          "the bit." },
        { CONDITION_ISA, "Instruction sets",
          "They round differently: these runs are not comparable to the bit." },
        { CONDITION_PRECISION, "Precision",
          "Neither numbers nor times of different precision compare the variants alone." },
        { CONDITION_MACHINE, "Times were measured with",
          "Times of different machines, threads or jobs are not comparable." },
        { CONDITION_UNFUSED, "Passes over feature maps that a training step makes unfused",
          "Times compare how far the program fuses these networks, too, not the networks alone." },
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        if (told[i].of == CONDITION_PRECISION && table_shows(t, "train.precision")) continue;
        const char *how = condition_differences(&t->pool, r, a, told[i].of);
        if (how) note(t, pool_textf(&t->pool, "%s: %s. %s", told[i].what, how, told[i].so));
    }
}

void notes_write(struct table *t, const struct results *r, const struct analysis *a)
{
    note_columns(t, r, a);
    note_power(t, a);
    note_bold(t, r, a);
    note_sampling(t, a);
    note_same(t, r, a);
    note_missing(t, r, a);
    note_conditions(t, r, a);
    note_paper(t, r, a);
}
