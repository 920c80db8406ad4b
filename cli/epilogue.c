#include "cli/epilogue.h"
#include "cli/draw.h"
#include "core/base/clock.h"
#include "core/base/escape.h"
#include "experiments/table/analysis.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Adds a word of a command, in quotes where a shell would read it otherwise. */
static void word_add(struct text *line, const char *word)
{
    text_add(line, " ");
    if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-+=./,:@%")]) {
        text_add(line, word);
        return;
    }
    text_add(line, "'");
    for (; *word; word++) text_addf(line, *word == '\'' ? "'\\''" : "%c", *word);
    text_add(line, "'");
}

static void say_place(const struct epilogue *of)
{
    char took[DURATION_TEXT];
    struct text line = { 0 };
    if (of->main)
        text_addf(&line, "This table is in %s/table.md and table.csv", of->dir);
    else
        text_addf(&line,
                  "This table is in %s/designs/%s.md and .csv; table.md is that of another design: "
                  "`%s status",
                  of->dir, of->design, program_invocation_name);
    if (!of->main) {
        word_add(&line, of->dir);
        text_add(&line, "` lists both");
    }
    duration_text(of->seconds, took);
    text_addf(&line, ". The runs are in %s/runs. Total time: %s.", of->dir, took);
    prose_print(stderr, "%s", line.s);
    text_clear(&line);
}

/* The seeds that were asked for, and the smallest others up to so many in all. */
static void seeds_add(struct text *line, const struct results *r, int wanted)
{
    struct text seeds = { 0 };
    text_add(&seeds, "seeds=[");
    for (int i = 0; i < r->n_seeds; i++) text_addf(&seeds, "%s%" PRIu64, i ? "," : "", r->seeds[i]);
    uint64_t next = 1;
    for (int n = r->n_seeds; n < wanted; next++) {
        bool there = false;
        for (int i = 0; i < r->n_seeds; i++) there = there || r->seeds[i] == next;
        if (there) continue;
        text_addf(&seeds, ",%" PRIu64, next);
        n++;
    }
    text_add(&seeds, "]");
    word_add(line, seeds.s);
    text_clear(&seeds);
}

/* The command that was given, with other seeds. */
static void command_add(struct text *line, const struct invocation *v, const struct results *r,
                        int wanted)
{
    const char *const options[][2] = { { "--out", v->out }, { "--isa", v->isa } };
    text_addf(line, "%s %s", program_invocation_name, v->command);
    for (int i = 0; i < v->n_words; i++)
        if (strncmp(v->words[i], "seeds=", 6) != 0) word_add(line, v->words[i]);
    seeds_add(line, r, wanted);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!options[i][1]) continue;
        text_addf(line, " %s", options[i][0]);
        word_add(line, options[i][1]);
    }
    if (v->threads) text_addf(line, " --threads %d", v->threads);
    if (v->jobs) text_addf(line, " --jobs %d", v->jobs);
}

static int networks(const struct analysis *a, int rows)
{
    int n = 0;
    for (int i = 0; i < rows; i++) n += a->rows[i].root == i;
    return n;
}

static int runs_missing(const struct analysis *a, const struct results *r)
{
    int n = 0;
    for (int i = 0; i < r->n_points; i++)
        if (a->rows[i].root == i) n += r->n_seeds - a->rows[i].done;
    return n;
}

/* Runs that failed come before seeds that are too few: both keep the table from an answer. */
static void say_next(const struct invocation *v, const struct epilogue *of, const struct results *r)
{
    struct analysis a;
    struct text line = { 0 }, command = { 0 };
    analysis_make(&a, r);
    int missing = runs_missing(&a, r);
    int needed = stats_pairs_needed(ANALYSIS_LEVEL, a.comparisons ? a.comparisons : 1);
    if (missing) {
        text_addf(&line, "%d run%s did not complete: `%s status", missing, missing == 1 ? "" : "s",
                  program_invocation_name);
        word_add(&line, of->dir);
        text_add(&line, "` says why.");
    } else if (networks(&a, r->n_points) > 1 && r->n_seeds < needed) {
        text_addf(&line, "%d seed%s cannot separate any rows; %d can:", r->n_seeds,
                  r->n_seeds == 1 ? "" : "s", needed);
        command_add(&command, v, r, needed);
    }
    if (line.len) prose_print(stderr, "%s", line.s);
    if (command.len)
        fprintf(stderr, "  %s\n", text_escape(&command)); /* to be copied: it is not wrapped */
    text_clear(&line);
    text_clear(&command);
    analysis_clear(&a);
}

void epilogue_print(const struct invocation *v, const struct epilogue *of)
{
    struct results r;
    struct err e;
    fflush(stdout); /* the table stands above */
    if (terminal_of(STDERR_FILENO).is) fputs("\n", stderr);
    say_place(of);
    if (!results_read(of->dir, of->design, &r, &e)) return; /* it was read for the table just now */
    say_next(v, of, &r);
    results_clear(&r);
}
