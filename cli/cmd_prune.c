/* prune: takes out of a results folder what nothing needs any more. */
#include "cli/command.h"
#include "cli/draw.h"
#include "cli/listing.h"
#include "core/base/lock.h"
#include "experiments/run/prune.h"
#include <unistd.h>

static const struct listing_column prune_columns[] = {
    { "what", "what", false }, { "name", "name", false }, { "megabytes", "MB", true },
    { "about", "", false },    { "in_use", "", false },   { 0 },
};

static void prune_print(const struct prune *p, const struct invocation *v)
{
    struct listing l = { .columns = prune_columns };
    for (int i = 0; i < p->n; i++) {
        const struct prune_item *one = &p->items[i];
        listing_add(&l, "%s", prune_kind_name(one->kind));
        listing_add(&l, "%s", one->path);
        listing_add(&l, "%.3f", (double)one->bytes / 1e6);
        listing_add(&l, "%s", one->about);
        listing_add(&l, "%s", one->busy ? "a process is at work on it: it stays" : "");
    }
    if (v->json)
        listing_print_json(&l, stdout);
    else if (p->n)
        listing_print(&l, stdout);
    listing_clear(&l);
}

static void prune_sum(const struct prune *p, const struct invocation *v)
{
    double bytes = 0;
    int n = 0;
    for (int i = 0; i < p->n; i++) {
        if (p->items[i].busy) continue;
        bytes += (double)p->items[i].bytes;
        n++;
    }
    if (n == 0)
        prose_print(stdout, "nothing to remove in %s", p->dir);
    else
        prose_print(stdout, "%.3f MB %s%s", bytes / 1e6,
                    v->yes ? "were removed" : "would go; nothing was removed",
                    v->yes ? "" : " (--yes removes what is listed)");
}

static bool prune_do(const struct invocation *v, struct err *e)
{
    struct prune p;
    bool ok = prune_find(v->words[0], v->design, &p, e);
    if (!ok) return false;
    if (v->yes) ok = prune_remove(&p, e);
    prune_print(&p, v);
    if (ok && !v->json) prune_sum(&p, v);
    prune_clear(&p);
    return ok;
}

/* A folder that holds no design is refused before anything is made in it. */
static bool prune_locked(const struct invocation *v, struct err *e)
{
    struct prune p;
    if (!prune_find(v->words[0], v->design, &p, e)) return false;
    prune_clear(&p);
    int lock = designs_lock(v->words[0], false, e);
    if (lock == LOCK_BUSY)
        return err_set(e, "%s: another process begins to work there just now; try again",
                       v->words[0]);
    bool ok = lock >= 0 && prune_do(v, e);
    if (lock >= 0) close(lock);
    return ok;
}

static int prune_run(const struct invocation *v)
{
    struct err e;
    bool ok = v->yes ? prune_locked(v, &e) : prune_do(v, &e);
    return ok ? EXIT_DONE : say_error(EXIT_DATA, "%s", e.text);
}

const struct command command_prune = {
    .name = "prune",
    .arguments = "DIR",
    .summary = "what nothing needs any more in a results folder; --yes removes it",
    .help = "Lists, and with --yes removes: records that no design of the folder names;\n"
            "checkpoints of completed runs; temporary files of killed processes. With --design,\n"
            "that design goes as well, with its tables and the runs that no other design has.\n"
            "What a process is at work on stays.",
    .options = "design yes json",
    .min_words = 1,
    .max_words = 1,
    .run = prune_run,
};
