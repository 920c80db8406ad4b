#ifndef CORE_MODELS_MODEL_H
#define CORE_MODELS_MODEL_H
#include "core/base/fields.h"
#include "core/nn/nn.h"
#include "core/nn/se.h"

/* A family of networks: its options, and the builder. One family a file, core/models/NAME.c. */
struct model_shape { /* what every family is told */
    double width;    /* multiplier on the channels of every layer */
    double dropout;  /* before the classifier */
    int classes;
    const void *options; /* of the family */
};

struct backbone;

/* What a family's options begin with; whether a row applies may depend on it. model_options_default
 * sets it. */
struct model_options {
    const struct backbone *backbone;
};

/* A family, in core/models/NAME.c with a line MODEL(NAME) in models.def. Its options are a struct
 * that begins with struct model_options: SIZE_LED_BY holds it to that. */
struct model_family {
    const char *name;
    const struct backbone *backbones; /* its members; name NULL past the last */
    const struct field *fields;
    size_t options_size; /* SIZE_LED_BY(..., struct model_options, model) */
    /* Returns the logits (n, 1, 1, classes). */
    struct tensor *(*build)(struct net *n, struct tensor *images, const struct model_shape *s);
};
const struct model_family *family_at(int i); /* in the order of models.def; NULL past the last */

/* What a person names: resnet20, se-resnet50, ... */
struct backbone {
    const char *name;
    const struct model_family *family;
    int input_size; /* natural input: 32 or 224 */
    const char *meaning;
    const void *kind; /* the family's own: what makes this member of it */
    bool se;          /* it has SE blocks, unless settings say otherwise */
};
#define SE_PREFIX "se-"
/* The rows of a network in its family's list: plain, and as it is named with SE blocks. The kind
 * comes last, since it may hold commas. */
#define BACKBONE(of, member, size, what, ...)               \
    { member, of, size, what, __VA_ARGS__, false },         \
    {                                                       \
        SE_PREFIX member, of, size, what, __VA_ARGS__, true \
    }

/* The plain ones of all families, in the order of models.def; NULL past the last. */
const struct backbone *backbone_at(int i);
const struct backbone *backbone_named(const char *name); /* with or without se-; or NULL */
const char *backbone_nearest(const char *name); /* what it may be a misspelling of, or NULL */

/* What was built: the network's name with se- where it has SE blocks. And the same with their
 * settings, for people: "se-resnet50 (r = 16)". */
void backbone_built(const struct backbone *b, const struct se_settings *se, struct text *name);
void backbone_title(const struct backbone *b, const struct se_settings *se, struct text *title);

/* Options of backbone->family->options_size bytes: the backbone, and every row at its default.
 * Comes before the rows are read. */
void model_options_default(const struct backbone *b, void *options);

#define MODEL(name) extern const struct model_family family_##name;
#include "core/models/models.def"
#undef MODEL

/* Section `model`, without `backbone`, `se` and the family's own. */
struct model_settings {
    double width, dropout;
    int input_size; /* 0: that of the data set, or the backbone's */
};
extern const struct field model_fields[];

/* Builds images -> logits -> loss for a batch into a new graph; not yet planned. */
struct model_request {
    const struct backbone *backbone;
    const void *options;
    const struct model_settings *settings;
    const struct se_settings *se;
    int batch, size, channels, classes; /* of the data */
    double label_smoothing;
    bool bf16; /* graph_bf16 */
};
struct model_net {
    struct graph *graph;
    struct tensor *images, *labels, *logits, *loss;
    unsigned se_placements; /* bit p: SE blocks can stand at enum se_placement p */
};
bool model_build(const struct model_request *r, struct model_net *out, struct err *e);

/* Counts, three ways, and multiply-adds for one image, by what they belong to. */
struct model_counts {
    size_t trainable, with_statistics, se, se_weights; /* se: with biases; se_weights: without */
    uint64_t conv_fc;      /* convolutions and linear layers outside SE blocks: the usual figure */
    uint64_t se_fc;        /* layers of the gates */
    uint64_t adds;         /* one per element of a shortcut sum */
    uint64_t scaling;      /* one per element a gate multiplies */
    uint64_t pooling;      /* one per element a squeeze or global pool reads */
    int hidden[SE_STAGES]; /* hidden width by stage (of its last block), 0: none */
};
void model_count(const struct graph *g, struct model_counts *c);
#endif
