#ifndef EXPERIMENTS_SPEC_PAPER_H
#define EXPERIMENTS_SPEC_PAPER_H

/* The ablation tables of "Squeeze-and-Excitation Networks" (Hu et al., arXiv 1709.01507 v4), as
 * data: ImageNet validation, single 224 x 224 crop, SE-ResNet-50 unless the row says otherwise. */
struct paper_row {
    const char *label;       /* as printed */
    const char *key, *value; /* the setting that makes it: "model.se.reduction", "16" (as JSON) */
    double top1, top5;       /* error, percent */
    double params, gflops;   /* millions; 1e9 multiply-adds; NAN where the paper gives none */
};
struct paper_table {
    const char *name; /* "table10" */
    const char *title;
    const struct paper_row *rows; /* label NULL past the last */
};
extern const struct paper_table paper_tables[]; /* name NULL past the last */
const struct paper_table *paper_table_named(const char *name);
#endif
