#ifndef EXPERIMENTS_SPEC_SPEC_H
#define EXPERIMENTS_SPEC_SPEC_H
#include "experiments/spec/diag.h"
#include "experiments/spec/run_spec.h"

/* A section is a table of rows at a prefix: "model.se" + se_fields + &spec->se. Walking the
 * sections walks every setting there is, the four names included. A prefix comes after the one it
 * continues, and all tables of one prefix stand together. */
struct section {
    const char *prefix;
    const struct field *fields;
    void *into;
    size_t size; /* of the struct */
};
enum {
#define COMPONENT(prefix, key, label, member, what) SECTION_NAME_##member,
#define ROWS(prefix, fields, member) SECTION_##member,
#define BROUGHT(prefix, from, fields, size, member) SECTION_##member,
#include "experiments/spec/sections.def"
    SPEC_SECTIONS
};
int spec_sections(const struct run_spec *s, struct section out[SPEC_SECTIONS]);

/* One assignment, KEY = value: "model.se.squeeze" and what was written for it. */
struct setting {
    const char *key;
    const struct value *value;
};

/* Defaults, then the names in the list (dataset.name, model.backbone, train.optimizer.name,
 * train.schedule.name), since they decide which other keys exist, and whether there are SE blocks
 * (a backbone se-..., or any setting of model.se). A name that does not exist is left for
 * spec_assign to refuse. Memory comes from p. */
void spec_start(struct run_spec *s, const struct setting *list, int n, struct pool *p);

/* The row of a key in s as it is; NULL where there is none. into: the struct it belongs to. */
const struct field *spec_field(const struct run_spec *s, const char *key, void **into);

/* Reads one setting into its place. Refused: e says why (key included) and e->at is the value.
 * Foreign: the key belongs to another choice than this one. */
enum assigned { ASSIGNED, ASSIGN_REFUSED, ASSIGN_FOREIGN, ASSIGN_UNKNOWN };
enum assigned spec_assign(struct run_spec *s, const struct setting *x, struct pool *p,
                          struct err *e);

/* The same without changing s: the value is added to json in its canonical form. */
enum assigned spec_try(const struct run_spec *s, const struct setting *x, struct text *json,
                       struct err *e);

/* Says what came of an assignment that failed. */
void spec_complain(const struct run_spec *s, const struct setting *x, enum assigned a,
                   const struct err *e, struct diags *d);

/* All of it for one run: false with every problem in d. */
bool spec_resolve(struct run_spec *s, const struct setting *list, int n, struct pool *p,
                  struct diags *d);

/* The complete resolved settings as one canonical JSON object, nested as in an experiment file;
 * nothing that does not apply. */
void spec_write(const struct run_spec *s, struct text *json);

/* The settings of a run that its network's structure does not hold, and that the data's digest
 * does not: everything but the model and dataset.path. Canonical. */
void spec_write_training(const struct run_spec *s, struct text *json);

/* The other part: sections model and model.se. Canonical. */
void spec_write_network(const struct run_spec *s, struct text *json);

/* Section dataset, and the size that images come out in: equal texts are the same data. */
void spec_write_data(const struct run_spec *s, const struct data_shape *shape, struct text *t);

/* The part of it that decides which images there are, before any is chosen: format, its settings,
 * path, size. Equal texts can share what is read. */
void spec_write_images(const struct run_spec *s, const struct data_shape *shape, struct text *t);

/* The network of a spec for data of this shape. */
bool spec_build(const struct run_spec *s, int batch, const struct data_shape *shape,
                struct model_net *out, struct err *e);
/* Bytes of a training step of it, and of what the optimiser keeps of so many weights. */
struct graph_needs spec_net_needs(const struct model_net *n, int short_images); /* graph_short */
uint64_t spec_state_bytes(const struct run_spec *s, size_t weights);
size_t spec_net_unfused(const struct model_net *n); /* graph_unfused of that step */
/* Bytes of images that its data set keeps in memory, as far as that can be told. */
uint64_t spec_images(const struct run_spec *s, const struct data_shape *shape);
/* Images in each part of its data set; false where the data are not at hand. */
bool spec_images_count(const struct run_spec *s, uint64_t count[DATA_PARTS]);
bool spec_shape(const struct run_spec *s, struct data_shape *out, struct err *e);
#endif
