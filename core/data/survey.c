/* What the files of a data set hold; see survey.h. An index is believed file by file: an entry
 * holds as long as nothing that the system says of the file has changed. Contents cannot change
 * without the time of the last change (ctime) doing so, which no program sets; times have a grain,
 * though, so that a file written shortly before the index was may have been written once more
 * since. */
#include "core/data/survey.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/parallel.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SURVEY_CHUNKS = 256, INDEX_VERSION = 1, INDEX_ORDER = 0x01020304 };

/* The coarsest grain of file times in use (FAT's), ns. */
static const int64_t time_grain = 2000000000;

static const char index_magic[8] = { 's', 'e', 'n', 'e', 't', '-', 'i', 'x' };

/* The file: head, entries by name, u64 digest of every byte before it. */
struct index_head { /* no padding between its members */
    char magic[8];
    uint32_t version, order;
    uint64_t root, count; /* root: digest of the folder's path */
};
struct index_entry {
    uint64_t name; /* digest of it */
    uint64_t size, inode;
    int64_t modified, changed; /* ns */
    uint64_t digest;           /* of the contents */
};
_Static_assert(sizeof(struct index_head) == 32, "the head is written as it lies in memory");
_Static_assert(sizeof(struct index_entry) == 48, "entries are written as they lie in memory");

struct index {
    const char *path; /* NULL: none is kept */
    uint64_t root;
    struct bytes file;
    size_t count;
    int64_t written; /* ns */
};

/* Files are stated and read in parallel; each has a place of its own. */
struct surveying {
    const struct survey *s;
    struct index index;
    struct index_entry *found; /* of each file */
    bool *known;               /* its digest is the index's */
    uint64_t unknown_bytes;
    double began;
    atomic_flag told;
    bool (*look)(struct surveying *v, size_t i, const char *path, struct err *e);
    struct err error[SURVEY_CHUNKS];
    bool failed[SURVEY_CHUNKS];
};

static int64_t time_ns(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

static int by_name(const void *a, const void *b)
{
    const struct index_entry *x = a, *y = b;
    return (x->name > y->name) - (x->name < y->name);
}

static bool index_sound(const struct index *x)
{
    struct index_head h;
    uint64_t digest;
    const size_t frame = sizeof h + sizeof digest;
    if (x->file.len < frame) return false;
    memcpy(&h, x->file.data, sizeof h);
    memcpy(&digest, x->file.data + x->file.len - sizeof digest, sizeof digest);
    return !memcmp(h.magic, index_magic, sizeof h.magic) && h.version == INDEX_VERSION &&
           h.order == INDEX_ORDER && h.root == x->root &&
           h.count == (x->file.len - frame) / sizeof(struct index_entry) &&
           (x->file.len - frame) % sizeof(struct index_entry) == 0 &&
           digest == digest_of(x->file.data, x->file.len - sizeof digest);
}

static void index_read(struct index *x)
{
    struct err unread;
    struct stat st;
    if (!x->path || stat(x->path, &st) || !file_read(x->path, &x->file, &unread)) return;
    x->written = time_ns(st.st_mtim);
    if (index_sound(x))
        x->count = (x->file.len - sizeof(struct index_head)) / sizeof(struct index_entry);
}

/* Fills in the digest where the index has the file as it is. */
static bool index_knows(const struct index *x, struct index_entry *found)
{
    if (!x->count) return false;
    const struct index_entry *was =
        bsearch(found, x->file.data + sizeof(struct index_head), x->count, sizeof *found, by_name);
    if (!was || was->size != found->size || was->inode != found->inode ||
        was->modified != found->modified || was->changed != found->changed)
        return false;
    int64_t last = was->modified > was->changed ? was->modified : was->changed;
    if (last > x->written - time_grain) return false;
    found->digest = was->digest;
    return true;
}

static void index_write(const struct index *x, const struct index_entry *found, size_t count)
{
    struct index_head h = {
        .version = INDEX_VERSION, .order = INDEX_ORDER, .root = x->root, .count = count
    };
    memcpy(h.magic, index_magic, sizeof h.magic);
    struct index_entry *sorted = mem_new(count, sizeof *sorted);
    memcpy(sorted, found, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_name);
    struct digest *d = digest_create();
    digest_add(d, &h, sizeof h);
    digest_add(d, sorted, count * sizeof *sorted);
    uint64_t digest = digest_end(d);
    struct err unwritten;
    file_write_pieces(x->path,
                      (struct file_piece[]){ { &h, sizeof h },
                                             { sorted, count * sizeof *sorted },
                                             { &digest, sizeof digest },
                                             { NULL, 0 } },
                      &unwritten);
    free(sorted);
}

static bool file_state(struct surveying *v, size_t i, const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st)) return err_set(e, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return err_set(e, "%s: not a regular file", path);
    const char *name = v->s->files[i].name;
    v->found[i] = (struct index_entry){ .name = digest_of(name, strlen(name)),
                                        .size = (uint64_t)st.st_size,
                                        .inode = st.st_ino,
                                        .modified = time_ns(st.st_mtim),
                                        .changed = time_ns(st.st_ctim) };
    v->known[i] = index_knows(&v->index, &v->found[i]);
    return true;
}

/* "reading 1.2 GB of images once, to know them again: data/imagenet" */
static void reading_tell(struct surveying *v)
{
    const struct data_notes *to = v->s->notes;
    if (!to || !to->say || clock_seconds() - v->began < v->s->patience ||
        atomic_flag_test_and_set(&v->told))
        return;
    struct text t = { .s = NULL };
    text_addf(&t, "reading %.1f GB of images once, to know them again: %s",
              (double)v->unknown_bytes / 1e9, v->s->root);
    to->say(to->ctx, t.s);
    text_clear(&t);
}

static bool file_contents(struct surveying *v, size_t i, const char *path, struct err *e)
{
    struct bytes file;
    if (v->known[i]) return true;
    reading_tell(v);
    if (!file_read(path, &file, e)) return false;
    v->found[i].size = file.len; /* of what was digested, should the file be growing */
    v->found[i].digest = digest_of(file.data, file.len);
    free(file.data);
    return true;
}

static void survey_chunk(void *ctx, size_t chunk)
{
    struct surveying *v = ctx;
    size_t begin, end;
    parallel_part(v->s->count, SURVEY_CHUNKS, chunk, &begin, &end);
    for (size_t i = begin; i < end && !v->failed[chunk]; i++) {
        struct text path = { .s = NULL };
        text_addf(&path, "%s/%s", v->s->root, v->s->files[i].name);
        v->failed[chunk] = !v->look(v, i, path.s, &v->error[chunk]);
        text_clear(&path);
    }
}

static bool survey_pass(struct surveying *v,
                        bool (*look)(struct surveying *v, size_t i, const char *path,
                                     struct err *e),
                        struct err *e)
{
    v->look = look;
    v->began = clock_seconds();
    parallel_for(SURVEY_CHUNKS, survey_chunk, v);
    for (int i = 0; i < SURVEY_CHUNKS; i++)
        if (v->failed[i]) {
            *e = v->error[i];
            return false;
        }
    return true;
}

static bool survey_look(struct surveying *v, struct err *e)
{
    const struct survey *s = v->s;
    size_t unknown = 0;
    index_read(&v->index);
    if (!survey_pass(v, file_state, e)) return false;
    for (size_t i = 0; i < s->count; i++) {
        unknown += !v->known[i];
        v->unknown_bytes += v->known[i] ? 0 : v->found[i].size;
    }
    if (unknown && !survey_pass(v, file_contents, e)) return false;
    if (unknown && v->index.path) index_write(&v->index, v->found, s->count);
    for (size_t i = 0; i < s->count; i++) {
        s->files[i].size = v->found[i].size;
        s->files[i].digest = v->found[i].digest;
    }
    return true;
}

bool survey_files(const struct survey *s, struct err *e)
{
    struct surveying *v = mem_new(1, sizeof *v);
    struct text path = { .s = NULL };
    char hex[DIGEST_TEXT], *whole = realpath(s->root, NULL);
    const char *root = whole ? whole : s->root;
    *v = (struct surveying){ .s = s, .index = { .root = digest_of(root, strlen(root)) } };
    if (s->notes && s->notes->folder) {
        digest_text(v->index.root, hex);
        text_addf(&path, "%s/files-%s.index", s->notes->folder, hex);
        v->index.path = path.s;
    }
    v->found = mem_new(s->count, sizeof *v->found);
    v->known = mem_new(s->count, sizeof *v->known);
    bool ok = survey_look(v, e);
    text_clear(&path);
    free(whole);
    free(v->index.file.data);
    free(v->found);
    free(v->known);
    free(v);
    return ok;
}
