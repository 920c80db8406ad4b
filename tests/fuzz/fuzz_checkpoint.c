/* libFuzzer on the reader of checkpoints. Input: a byte (bit 0: the file is as it stands; otherwise
 * its instruction set, its version of the numerics and its digest are made to fit, so that what
 * lies behind them is read), then the file. With SENET_EXP_SEED=PATH the program writes the seed.
 */
#include "core/base/digest.h"
#include "core/base/err.h"
#include "core/base/numerics.h"
#include "core/kernels/kernels.h"
#include "core/nn/nn.h"
#include "core/train/checkpoint.h"
#include "tests/fuzz/folder.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { AT_NUMERICS = 16, AT_ISA = 40, ISA = 16, HEAD = 88, IDENTITY = 77, OPTIMIZER = 64 };

static struct fuzz_file file;
static struct graph *graph;

static struct graph *small_graph(void)
{
    struct net n = { .graph = graph_create() };
    struct tensor *x = graph_input(n.graph, "images", 2, 1, 1, 3);
    struct tensor *labels = graph_input(n.graph, "labels", 2, 1, 1, 1);
    x = nn_linear(&n, nn_batch_norm(&n, x, "bn"), "fc",
                  (struct linear_layer){ .out = 2, .bias = true });
    nn_softmax_loss(&n, x, labels, 0);
    if (n.failed || !graph_plan(n.graph, true, NULL, &n.e)) abort();
    graph_init(n.graph, 1);
    return n.graph;
}

static void seed_write(const char *path)
{
    float optimizer[OPTIMIZER] = { 0 };
    struct epoch_record history[2] = { { .epoch = 1 }, { .epoch = 2 } };
    struct checkpoint c = { IDENTITY, graph, optimizer, 0, history, 2 };
    struct err e;
    graph_weights(graph, &c.optimizer_len);
    if (c.optimizer_len > OPTIMIZER || !checkpoint_write(path, &c, &e)) abort();
}

static void folder_end(void)
{
    remove(file.path);
    rmdir(file.folder);
    graph_destroy(graph);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    graph = small_graph();
    fuzz_file_make(&file, "checkpoint");
    if (getenv("SENET_EXP_SEED")) seed_write(getenv("SENET_EXP_SEED"));
    atexit(folder_end);
    return 0;
}

static void head_mend(uint8_t *b, size_t len)
{
    uint64_t numerics = NUMERICS_VERSION, digest;
    if (len < HEAD + sizeof digest) return;
    memcpy(b + AT_NUMERICS, &numerics, sizeof numerics);
    memset(b + AT_ISA, 0, ISA);
    strncpy((char *)b + AT_ISA, kernels->isa, ISA - 1);
    digest = digest_of(b, len - sizeof digest);
    memcpy(b + len - sizeof digest, &digest, sizeof digest);
}

static uint64_t weights_digest(void)
{
    size_t len;
    const float *w = graph_weights(graph, &len);
    return digest_of(w, len * sizeof *w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1) return 0;
    uint8_t *copy = malloc(len);
    memcpy(copy, bytes, len);
    if (!(bytes[0] & 1)) head_mend(copy + 1, len - 1);
    fuzz_file_put(&file, copy + 1, len - 1);
    free(copy);
    float optimizer[OPTIMIZER] = { 0 };
    struct checkpoint c = { .identity = IDENTITY, .graph = graph, .optimizer = optimizer };
    struct err e = { .text = "" };
    graph_weights(graph, &c.optimizer_len);
    uint64_t before = weights_digest();
    enum checkpoint_found found = checkpoint_read(file.path, &c, &e);
    if ((found == CHECKPOINT_REFUSED) != (e.text[0] != 0)) abort();
    if (found != CHECKPOINT_READ && (weights_digest() != before || c.epochs || c.history)) abort();
    if (found == CHECKPOINT_READ && (size_t)c.epochs * 72 > len) abort();
    free(c.history);
    return 0;
}
