#ifndef CORE_NN_SE_H
#define CORE_NN_SE_H
#include "core/base/fields.h"
#include "core/nn/nn.h"

/* The squeeze-and-excitation block (Hu et al., arXiv 1709.01507, section 3 and section 6 for the
 * variants), for any family: gate = excitation(W2 relu(W1 squeeze(x))), y = gate * x. */
enum { SE_STAGES = 8 }; /* stages 1 .. 7; 0 is what belongs to none */

/* The variants: se.def has one line for each. */
enum se_squeeze {
#define SQUEEZE(id, name, apply) SE_SQUEEZE_##id,
#include "core/nn/se.def"
    SE_SQUEEZES
};
enum se_excitation {
#define EXCITATION(id, name, apply) SE_##id,
#include "core/nn/se.def"
    SE_EXCITATIONS
};
enum se_placement {
#define PLACEMENT(id, name) SE_##id,
#include "core/nn/se.def"
    SE_PLACEMENTS
};

struct se_reduction {
    int all;              /* the ratio r of every stage, 0: each has its own, or none */
    int stage[SE_STAGES]; /* 0: no SE block in this stage */
};

struct se_settings { /* section `model.se` */
    struct se_reduction reduction;
    int squeeze, excitation, placement; /* CHOICE */
    unsigned stages;                    /* bit k: stage k has SE blocks; 0: all */
    bool bias;                          /* of the two layers of the gate */
    int min_hidden; /* hidden width = max(C / r, min_hidden), rounded down, never to a multiple of 8
                     */
};
extern const struct field se_fields[];

/* Puts an SE block on x where n->se asks for one at this placement in this stage; otherwise x. n
 * keeps where a block could stand. */
struct tensor *se_apply(struct net *n, struct tensor *x, enum se_placement here, const char *block);

/* The hidden width for so many channels in a stage; 0 where the stage has none. */
int se_hidden(const struct se_settings *s, int stage, int channels);
bool se_any(const struct se_settings *s);

/* No SE blocks, where nobody asked for any. */
void se_leave_out(struct se_settings *s);

/* "r = 16, squeeze max": the ratio, and what is not at its default. */
void se_text(const struct se_settings *s, struct text *t);

/* Of a network that is built: refuses settings that ask for a placement or a stage which it has
 * not, or whose reduction and stages contradict each other. */
bool se_check(const struct net *n, struct err *e);
#endif
