#ifndef EXPERIMENTS_DESIGN_BUILDER_H
#define EXPERIMENTS_DESIGN_BUILDER_H
#include "core/base/lookup.h"
#include "experiments/design/design.h"
#include "experiments/spec/components.h"

/* A design in the making; only the design_*.c files include this. They run in this order:
 *   files    layers: the files that extend one another, deepest base first, then the command line
 *   settings every layer taken apart into KEY = value; what a later layer says wins
 *   axes     sweep and variants
 *   product  points: one for each variant and swept value
 *   points   every point resolved; keys that do not exist or change nothing
 *   probes   data shape, network and other things that settings must agree on
 *   data     data sets that points share, and what of them is in memory at one time
 *   final    baseline, and points that are the same runs
 * Each reports all it finds; the later ones pass over what the earlier ones refused. */

/* What an experiment may have, so that any file is answered in about two seconds.
 * CALLS_MAX: calls in the graphs of all different networks; 300 of ResNet-152. */
enum {
    LAYERS = 18,
    POINTS_MAX = 10000,
    SEEDS_MAX = 1000,
    RUNS_MAX = 100000,
    CALLS_MAX = 500000,
    UNKNOWN_MAX = 100 /* unknown keys that are spoken of one by one */
};

/* A setting as it was written. One value swept over is one given, whichever points use it. */
struct given {
    struct setting set;
    int layer;
    bool assigned;       /* to some point */
    bool works;          /* changes something at some point, or might at one that was refused */
    bool unknown;        /* there is no such setting under any choice */
    int foreign_at;      /* 1 + a point whose choices lack it, 0: none */
    const char *meaning; /* of its row, once assigned */
};

struct givens {
    struct given *list;
    int n, room;
};

/* A swept key; its values, one given each. */
struct axis {
    const char *key, *label; /* label: the short form of key */
    const struct value *at;
    int layer;
    struct givens values;
};

struct variant {
    const char *name;
    struct givens settings;
};

/* The keys of an experiment that are no settings. */
enum top {
#define TOP(id, key, def, form, what) TOP_##id,
#include "experiments/spec/sections.def"
    TOPS
};

struct draft {
    struct design *out;
    const struct design_request *request;
    struct diags *d;
    struct pool *pool; /* out's */
    const struct value *layers[LAYERS];
    int n_layers;
    const struct value *axes_layer; /* KEY=V1,V2,... of the command line, as a sweep */
    const struct value *top[TOPS];
    int top_layer[TOPS];
    struct givens base;
    bool new_axes;       /* the command line sweeps what no file does */
    struct givens swept; /* sweep, one given a key; its value is the list */
    struct axis *axes;
    int n_axes;
    struct variant *variants;
    int n_variants;           /* 0: the experiment has no variants */
    struct lookup variant_at; /* by name */
    const char **keys;        /* of all settings there are, sorted */
    int n_keys, n_unknown;
    bool *resolved; /* of each point: all its settings could be read */
};

/* design_files.c */
bool draft_files(struct draft *f);

/* design_settings.c */
void draft_settings(struct draft *f);
struct given *givens_find(const struct givens *g, const char *key);
/* Takes a map apart. sweeping: a list may stand where a name is expected. */
void givens_add_map(struct draft *f, struct givens *g, const struct value *map, int layer,
                    bool sweeping);

/* design_top.c */
void draft_top(struct draft *f);

/* design_axes.c */
void draft_axes(struct draft *f);

/* design_product.c */
void draft_product(struct draft *f);
/* Where the sweep begins in the file, for what is wrong with all of it; NULL: there is none. */
const struct value *draft_first(const struct draft *f);
/* What is in force at a point: base, variant, axes. out has room for draft_settings_max. */
int draft_settings_max(const struct draft *f);
int draft_settings_at(const struct draft *f, int point, struct given **out);
/* "a; b; and 4 more": labels of points; points NULL: of all. */
const char *draft_labels(const struct draft *f, const int *points, int n);
void value_text(const struct value *v, struct text *t); /* on one line, as in YAML */

/* design_points.c */
void draft_points(struct draft *f);
/* Resolves settings of which some may be left out (a NULL), without a word. */
bool draft_try(struct given *const *list, int n, struct run_spec *s, struct pool *p);

/* design_probes.c */
void draft_probes(struct draft *f);

/* datasets.c */
void draft_data(struct draft *f);

/* design_final.c */
void draft_final(struct draft *f);
uint64_t design_point_digest(const struct design_point *p);

/* networks.c: what is known of each data set and each network of an experiment. */
struct data_facts {
    char *why; /* the shape is refused */
    struct data_shape shape;
    bool counted; /* its files are at hand: images of each part */
    uint64_t count[DATA_PARTS];
};
struct net_facts {
    bool built;
    bool beyond; /* not tried: those before it have CALLS_MAX calls together */
    char *why;   /* it was not */
    size_t calls;
    struct model_counts counts;
    uint64_t structure;
    struct graph_needs needs;
    size_t unfused;
};
struct facts {
    bool network; /* design_request.network */
    struct data_facts *data;
    struct net_facts *nets;
    int data_room, nets_room;
    struct lookup data_at, net_at;
    size_t calls; /* of all networks */
};
/* Found out where no equal one was before. Valid until the next call. */
const struct data_facts *facts_data(struct facts *f, const struct run_spec *s);
const struct net_facts *facts_net(struct facts *f, const struct run_spec *s); /* that has a shape */
/* What is trained on; 0 where that is not known. */
uint32_t facts_train_images(const struct data_facts *d, const struct run_spec *s);
void facts_clear(struct facts *f);
#endif
