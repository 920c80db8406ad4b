#ifndef EXPERIMENTS_DESIGN_DESIGN_H
#define EXPERIMENTS_DESIGN_DESIGN_H
#include "experiments/spec/spec.h"

/* An experiment: points (variants) x seeds. */
struct design_point {
    const char
        *label; /* a variant's name, or "model.se.reduction=16" written short: "reduction=16" */
    struct setting *axes; /* what this point sets, in the order of the axes */
    int n_axes;
    struct run_spec spec;
    struct data_shape shape;
    struct model_counts counts;
    uint64_t structure;    /* graph_digest */
    size_t unfused;        /* graph_unfused of a training step */
    uint32_t train_images; /* that it is trained on; 0 where its data are not at hand */
    uint64_t bytes;        /* of a training step at its batch size, with the optimiser's state */
    uint64_t scratch;      /* of each thread while it computes */
    int data_set;          /* points of one number read the same images: below design.n_data_sets */
    /* Bytes of images in memory while its runs train: of its data set, and of those that other
     * points use and that are open then. read: of them, those that opening has read already. */
    uint64_t images, images_read;
    int same_as; /* an earlier point whose runs are the same runs, or -1 */
};

struct design {
    const char *experiment;         /* its name; letters, digits, '-', '_', '.' */
    const char *question, *mirrors; /* or NULL */
    struct design_point *points;
    int n_points, n_data_sets;
    int baseline;                 /* index of the point the others are compared with, or -1 */
    const char *const *axis_keys; /* every key that some point sets */
    int n_axis_keys;
    uint64_t *seeds;
    int n_seeds;
    struct pool pool;
};

struct design_request {
    const char *path;               /* of the experiment file; NULL: none, only assignments */
    const char *text;               /* its contents where they are at hand (path then only names
                                     * it, and it cannot extend another file), or NULL */
    const char *const *assignments; /* KEY=VALUE of the command line; win over the file */
    int n_assignments;
    bool sweep;   /* KEY=V1,V2,... makes an axis */
    bool network; /* only the network is wanted: what is asked of data is not held against them */
};

/* Reads, resolves and checks everything; false with every problem in d. */
bool design_read(struct design *out, const struct design_request *r, struct diags *d);
void design_clear(struct design *d);

/* A run's identity: settings in force (but names of points), network structure, data digest and
 * numerics version (core/base/numerics.h). Equal ids are the same run, to the bit. */
enum { RUN_ID = 17 };
void run_id(const struct design_point *p, uint64_t seed, uint64_t data_digest, char out[RUN_ID]);

/* The design as JSON, results/NAME/designs/DIGEST.json: points with labels, axes, settings, counts
 * and the ids of their runs (n_points x n_seeds of them, row by row). */
void design_write(const struct design *d, const char (*ids)[RUN_ID], struct text *json);

/* What a point sets, as a JSON object of keys and values. */
void point_write_axes(const struct design_point *p, struct text *json);
#endif
