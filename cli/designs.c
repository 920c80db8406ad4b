#include "cli/designs.h"
#include "cli/draw.h"
#include "cli/listing.h"
#include "experiments/results/differences.h"
#include "experiments/run/prune.h"
#include <string.h>

static const struct listing_column designs_columns[] = {
    { "design", "design", false },
    { "points", "points", true },
    { "seeds", "seeds", true },
    { "done", "done", true },
    { "is", "", false },
    { "differs", "", false },
    { 0 },
};

/* What it is to the folder: "newest, main". */
static const char *design_is(const struct designs *all, int i)
{
    if (i == all->newest) return i == all->main ? "newest, main" : "newest";
    return i == all->main ? "main" : "";
}

/* Runs that need no more training, of all. */
static void design_done(struct listing *l, const struct results *r)
{
    int done = 0, runs = 0;
    for (int p = 0; p < r->n_points; p++) {
        for (int s = 0; s < r->n_seeds && r->points[p].same_as < 0; s++, runs++) {
            const struct record *one = r->points[p].runs[s];
            done += one && (one->status == RECORD_COMPLETED || one->status == RECORD_DIVERGED);
        }
    }
    listing_add(l, "%d/%d", done, runs);
}

static void design_row(struct listing *l, const struct designs *all, int i,
                       const struct results *shown)
{
    struct results other;
    struct err e;
    bool same = strcmp(all->all[i].digest, shown->digest) == 0;
    listing_add(l, "%.8s", all->all[i].digest);
    if (!results_read(shown->dir, all->all[i].digest, &other, &e)) {
        for (int column = 0; column < 3; column++) listing_add(l, "%s", "");
        listing_add(l, "%s", design_is(all, i));
        listing_add(l, "%s", e.text);
        return;
    }
    struct text differs = { 0 };
    if (!same) designs_differ(&differs, shown, &other);
    listing_add(l, "%d", other.n_points);
    listing_add(l, "%d", other.n_seeds);
    design_done(l, &other);
    listing_add(l, "%s", design_is(all, i));
    listing_add(l, "%s", same ? "shown here" : differs.len ? differs.s : "the same settings");
    text_clear(&differs);
    results_clear(&other);
}

void designs_print(const struct results *shown, FILE *to)
{
    struct designs all;
    struct err e;
    if (!designs_read(shown->dir, &all, &e)) return; /* the one shown was just read from there */
    if (all.n > 1) {
        struct listing l = { .columns = designs_columns };
        for (int i = 0; i < all.n; i++) design_row(&l, &all, i, shown);
        prose_print(to, "%d designs were run in %s; --design names another one:", all.n,
                    shown->dir);
        listing_print(&l, to);
        listing_clear(&l);
    }
    designs_clear(&all);
}

static const struct listing_column stray_columns[] = {
    { "run", "run", false },
    { "about", "", false },
    { 0 },
};

void strays_print(const char *dir, FILE *to)
{
    struct prune p;
    struct err e;
    struct listing l = { .columns = stray_columns };
    if (!prune_find(dir, NULL, &p, &e)) {
        prose_print(to, "Which records no design names is not known: %s", e.text);
        return;
    }
    for (int i = 0; i < p.n; i++) {
        if (p.items[i].kind != PRUNE_RUN) continue;
        listing_add(&l, "%s", p.items[i].id);
        listing_add(&l, "%s%s", p.items[i].about, p.items[i].busy ? ", in use" : "");
    }
    if (l.n_cells) {
        prose_print(to, "Runs that no design names; `senet-exp prune %s --yes` removes them:", dir);
        listing_print(&l, to);
    }
    listing_clear(&l);
    prune_clear(&p);
}
