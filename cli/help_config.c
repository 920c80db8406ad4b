#include "cli/help_config.h"
#include "experiments/spec/example.h"
#include <stdio.h>

static const char *const rules[] = {
    "An experiment file. This one is complete: every key there is, settings at their defaults.",
    "  senet-exp help config >mine.yaml     # to begin with: delete what you do not change",
    "  senet-exp plan mine.yaml             # what it would run",
    "",
    "Settings. model: {se: {reduction: 4}}, model.se: {reduction: 4} and model.se.reduction: 4 say "
    "the",
    "same. Of what is chosen by a name, the name may stand for the section: schedule: cosine. A "
    "setting",
    "that changes nothing is refused, as is one that belongs to another choice than the one made.",
    "",
    "SE blocks are where something asks for them: any setting of model.se, or the backbone's name",
    "(se-resnet20). Without, the network is the plain one; reduction: none says so.",
    "",
    "Points. sweep: a point for each value; several settings make a grid, their product, the last "
    "one",
    "changing fastest. variants: points with names, each a map of settings, {} for none; with a "
    "sweep,",
    "each variant at each of its points. Every point is trained with every seed, and seeds: 3 is "
    "short",
    "for [1, 2, 3]. A point is called as its variant, or after its values: \"reduction=4, "
    "epochs=2\".",
    "",
    "extends: the settings of that file hold where this one gives none, one by one: a section here "
    "adds",
    "to the section there. sweep, variants, baseline, seeds, question and mirrors replace those of "
    "that",
    "file as a whole; sweep: {} and variants: {} leave it without. A file may extend one that "
    "extends",
    "another. What was given for a choice that this file changes (another schedule's settings) is "
    "left",
    "behind.",
    "",
    "The command line wins over all files: KEY=VALUE with any key of this list, seeds=1,2,3 "
    "included. A",
    "setting that is swept becomes that one value. senet-exp sweep FILE KEY=V1,V2 makes or "
    "replaces one",
    "axis of the sweep; baseline=\"reduction=4, epochs=2\" or baseline=none where no point fits "
    "any more.",
    "",
    "Paths (dataset.path, extends) are seen from the folder of the file they are written in; on "
    "the",
    "command line, like --out and the results (results/NAME), from the current directory.",
    NULL,
};

static const char head[] =
    "\n"
    "experiment: mine                   # names the results: results/mine; without it the file's "
    "name\n"
    "question: What is asked?           # the headline of the table\n"
    "# extends: base.yaml               # see above\n"
    "# mirrors: table10                 # a table of the paper to stand beside ours: table10 to "
    "table16\n"
    "\n"
    "sweep:\n"
    "  model.se.reduction: [none, 16]   # a list of values for each setting\n"
    "# variants:\n"
    "#   plain: {model.se.reduction: none}\n"
    "#   max: {model.se.squeeze: max, model.se.stages: [3, 4]}\n"
    "baseline: {model.se.reduction: none} # settings that fit one point, a point's name, or none\n"
    "seeds: [1, 2, 3]                   # six are the fewest with which p can be below 0.05\n"
    "\n";

void help_config(void)
{
    struct text t = { 0 };
    for (const char *const *r = rules; *r; r++) printf("#%s%s\n", **r ? " " : "", *r);
    fputs(head, stdout);
    example_write(&t);
    fputs(t.s, stdout);
    text_clear(&t);
}
