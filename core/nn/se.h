#ifndef CORE_NN_SE_H
#define CORE_NN_SE_H
#include "core/base/fields.h"
#include "core/nn/nn.h"

/* The squeeze-and-excitation block (Hu et al., arXiv 1709.01507, section 3 and section 6 for the
 * variants), for any family: gate = excitation(W2 relu(W1 squeeze(x))), y = gate * x. */
enum { SE_STAGES = 8 }; /* stages 0 .. 7; the paper's networks use 2 .. 5 */

enum se_squeeze { SE_SQUEEZE_AVG, SE_SQUEEZE_MAX, SE_SQUEEZE_NONE };
enum se_excitation { SE_SIGMOID, SE_TANH, SE_RELU };
enum se_placement { SE_STANDARD, SE_PRE, SE_POST, SE_IDENTITY, SE_CONV3X3, SE_PLACEMENTS };

struct se_reduction {
    int all;              /* the ratio r of every stage, 0: no SE block at all */
    int stage[SE_STAGES]; /* a ratio of its own, 0: the one of all; -1: none */
};

struct se_settings { /* section `model.se` */
    struct se_reduction reduction;
    int squeeze, excitation, placement; /* CHOICE */
    unsigned stages;   /* bit k: stage k has SE blocks; 0: all */
    bool bias;         /* of the two layers of the gate */
    int min_hidden;    /* hidden width = max(C / r, min_hidden), rounded down, never to a multiple of 8 */
};
extern const struct field se_fields[];

/* Puts an SE block on x where n->se asks for one at this placement in this stage; otherwise x. */
struct tensor *se_apply(struct net *n, struct tensor *x, enum se_placement here, const char *block);

/* The hidden width for so many channels in a stage; 0 where the stage has none. */
int se_hidden(const struct se_settings *s, int stage, int channels);
bool se_any(const struct se_settings *s);
#endif
