/* Checkpoints: one file that holds the old state or all of the new one (file_write renames), and
 * that is believed only where the digest at its end fits everything before it. */
#include "core/train/checkpoint.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/numerics.h"
#include "core/kernels/kernels.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKPOINT_VERSION = 2, CHECKPOINT_ORDER = 0x01020304, RECORD_WORDS = 9 };

static const char checkpoint_magic[8] = { 's', 'e', 'n', 'e', 't', '-', 'c', 'k' };

struct checkpoint_head { /* no padding between its members */
    char magic[8];
    uint32_t version, order;
    uint64_t numerics, identity, structure;
    char isa[16];
    uint64_t epochs, weights, states, optimizer;
};
_Static_assert(sizeof(struct checkpoint_head) == 88, "the head is written as it lies in memory");

union checkpoint_word {
    double real;
    uint64_t whole;
};

static struct checkpoint_head checkpoint_head(const struct checkpoint *c)
{
    struct checkpoint_head h = { .version = CHECKPOINT_VERSION,
                                 .order = CHECKPOINT_ORDER,
                                 .numerics = NUMERICS_VERSION,
                                 .identity = c->identity,
                                 .structure = graph_digest(c->graph),
                                 .epochs = (uint64_t)c->epochs,
                                 .optimizer = c->optimizer_len };
    size_t weights, states;
    graph_weights(c->graph, &weights);
    graph_states(c->graph, &states);
    h.weights = weights;
    h.states = states;
    memcpy(h.magic, checkpoint_magic, sizeof h.magic);
    strncpy(h.isa, kernels->isa, sizeof h.isa - 1);
    return h;
}

/* Bytes of the whole file. The counts come from a file: none is believed that overflows. */
static bool checkpoint_size(const struct checkpoint_head *h, size_t *bytes)
{
    size_t records, floats;
    if (__builtin_add_overflow(h->weights, h->states, &floats) ||
        __builtin_add_overflow(floats, h->optimizer, &floats) ||
        __builtin_mul_overflow(floats, sizeof(float), &floats) ||
        __builtin_mul_overflow(h->epochs, RECORD_WORDS * sizeof(union checkpoint_word), &records))
        return false;
    return !__builtin_add_overflow(floats, records, bytes) &&
           !__builtin_add_overflow(*bytes, sizeof *h + sizeof(uint64_t), bytes);
}

static void record_pack(const struct epoch_record *r, union checkpoint_word w[RECORD_WORDS])
{
    w[0].whole = (uint64_t)r->epoch;
    w[1].real = r->lr;
    w[2].real = r->train_loss;
    w[3].real = r->train_error;
    w[4].real = r->validation_loss;
    w[5].real = r->validation_error;
    w[6].real = r->seconds;
    w[7].real = r->images_per_second;
    w[8].whole = r->weights_digest;
}

static void record_unpack(const union checkpoint_word w[RECORD_WORDS], struct epoch_record *r)
{
    *r = (struct epoch_record){
        .epoch = (int)w[0].whole,
        .lr = w[1].real,
        .train_loss = w[2].real,
        .train_error = w[3].real,
        .validation_loss = w[4].real,
        .validation_error = w[5].real,
        .seconds = w[6].real,
        .images_per_second = w[7].real,
        .weights_digest = w[8].whole,
    };
}

/* The parts of the file lie where they are in memory: a copy of weights and optimiser would set
 * the peak memory of a large network at a small batch. */
bool checkpoint_write(const char *path, const struct checkpoint *c, struct err *e)
{
    struct checkpoint_head h = checkpoint_head(c);
    size_t record = RECORD_WORDS * sizeof(union checkpoint_word), weights, states;
    const float *w = graph_weights(c->graph, &weights), *s = graph_states(c->graph, &states);
    union checkpoint_word(*records)[RECORD_WORDS] = mem_new((size_t)c->epochs, record);
    for (int i = 0; i < c->epochs; i++) record_pack(&c->history[i], records[i]);
    uint64_t digest;
    const struct file_piece pieces[] = {
        { &h, sizeof h },
        { records, (size_t)c->epochs * record },
        { w, weights * sizeof(float) },
        { s, states * sizeof(float) },
        { c->optimizer, c->optimizer_len * sizeof(float) },
        { &digest, sizeof digest },
        { NULL, 0 },
    };
    struct digest *d = digest_create();
    for (const struct file_piece *p = pieces; p->data != &digest; p++)
        digest_add(d, p->data, p->len);
    digest = digest_end(d);
    bool ok = file_write_pieces(path, pieces, e);
    free(records);
    return ok;
}

/* Is this a whole, unaltered checkpoint? */
static bool checkpoint_sound(const char *path, const struct bytes *b, struct checkpoint_head *h,
                             struct err *e)
{
    size_t size;
    uint64_t digest;
    if (b->len < sizeof *h + sizeof digest)
        return err_set(e, "%s: cut short at %zu bytes", path, b->len);
    memcpy(h, b->data, sizeof *h);
    if (memcmp(h->magic, checkpoint_magic, sizeof h->magic) != 0)
        return err_set(e, "%s: no checkpoint of senet-exp", path);
    if (h->order != CHECKPOINT_ORDER)
        return err_set(e, "%s: written by a machine of another byte order, or damaged", path);
    if (h->version != CHECKPOINT_VERSION)
        return err_set(e,
                       "%s: version %u of the format, this program reads version %d; the program "
                       "that wrote it goes on from it",
                       path, h->version, CHECKPOINT_VERSION);
    memcpy(&digest, b->data + b->len - sizeof digest, sizeof digest);
    if (!checkpoint_size(h, &size) || size != b->len ||
        digest != digest_of(b->data, b->len - sizeof digest))
        return err_set(e, "%s: damaged or cut short (%zu bytes, its digest does not fit)", path,
                       b->len);
    return true;
}

/* Was it written by the run that reads it? Ids hold the version of the numerics, too; where it
 * differs, that is the reason to tell. */
static bool checkpoint_ours(const char *path, const struct checkpoint_head *h,
                            const struct checkpoint *c, struct err *e)
{
    struct checkpoint_head own = checkpoint_head(c);
    if (h->numerics != own.numerics)
        return err_set(e,
                       "%s: written under version %" PRIu64 " of the numerics, this program "
                       "computes by version %d, and their bits differ; the program that wrote it "
                       "goes on from it",
                       path, h->numerics, NUMERICS_VERSION);
    if (h->identity != own.identity)
        return err_set(e, "%s: belongs to another run (other settings, data or seed)", path);
    if (memcmp(h->isa, own.isa, sizeof own.isa) != 0)
        return err_set(e,
                       "%s: written with the instruction set %.15s, now %s is in use, and their "
                       "bits differ; --isa %.15s goes on from it",
                       path, h->isa, own.isa, h->isa);
    if (h->structure != own.structure || h->weights != own.weights || h->states != own.states ||
        h->optimizer != own.optimizer)
        return err_set(e, "%s: holds another network or optimiser", path);
    return true;
}

static const unsigned char *checkpoint_get(const unsigned char *at, void *data, size_t len)
{
    if (len) memcpy(data, at, len);
    return at + len;
}

static void checkpoint_unpack(const unsigned char *at, const struct checkpoint_head *h,
                              struct checkpoint *c)
{
    size_t len;
    c->epochs = (int)h->epochs;
    c->history = mem_grow(c->history, (size_t)h->epochs + 1, sizeof *c->history);
    for (int i = 0; i < c->epochs; i++) {
        union checkpoint_word w[RECORD_WORDS];
        at = checkpoint_get(at, w, sizeof w);
        record_unpack(w, &c->history[i]);
    }
    float *weights = graph_weights(c->graph, &len);
    at = checkpoint_get(at, weights, len * sizeof(float));
    float *states = graph_states(c->graph, &len);
    at = checkpoint_get(at, states, len * sizeof(float));
    checkpoint_get(at, c->optimizer, c->optimizer_len * sizeof(float));
}

enum checkpoint_found checkpoint_read(const char *path, struct checkpoint *c, struct err *e)
{
    struct bytes b;
    struct checkpoint_head h = { 0 };
    if (!file_exists(path)) return CHECKPOINT_NONE;
    if (!file_read_most(path, SIZE_MAX, &b, e)) return CHECKPOINT_REFUSED;
    bool ok = checkpoint_sound(path, &b, &h, e) && checkpoint_ours(path, &h, c, e);
    if (ok) checkpoint_unpack(b.data + sizeof h, &h, c);
    free(b.data);
    return ok ? CHECKPOINT_READ : CHECKPOINT_REFUSED;
}
