#ifndef CORE_TRAIN_CHECKPOINT_H
#define CORE_TRAIN_CHECKPOINT_H
#include "core/train/train.h"

/* All that a run needs to go on as if it had never been stopped. Random numbers need no place
 * here: they are drawn by (seed, purpose, epoch, sample). The file, little-endian:
 *   "senet-ck", u32 version, u32 byte order, u64 numerics version, u64 identity, u64 graph digest,
 *   char isa[16], u64 epochs, weights, states, optimiser floats; the history, RECORD_WORDS x 8
 *   bytes an epoch; weights, states, optimiser state as float32; u64 digest of every byte before
 *   it. */
struct checkpoint {
    uint64_t identity;   /* of the run */
    struct graph *graph; /* planned; its weights and states are written or set */
    float *optimizer;    /* the optimiser's state */
    size_t optimizer_len;
    struct epoch_record *history; /* of `epochs` finished epochs; reading grows it (mem_grow) */
    int epochs;
};

enum checkpoint_found { CHECKPOINT_READ, CHECKPOINT_NONE, CHECKPOINT_REFUSED };

bool checkpoint_write(const char *path, const struct checkpoint *c, struct err *e);

/* Refused, with e saying why and nothing changed in c: a file that is cut short or altered, that
 * another version (of the format or of the numerics), run or network wrote, or other instruction
 * sets than those in use. */
enum checkpoint_found checkpoint_read(const char *path, struct checkpoint *c, struct err *e);
#endif
