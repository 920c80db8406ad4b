/* CIFAR's python version: the same data set as the binary one, whichever Python wrote it; and what
 * a pickle must not do. The files are tests/golden/cifar_python.py's. */
#include "core/base/rng.h"
#include "core/data/pickle.h"
#include "tests/unit/data_files.h"

static struct bytes seed_file(const char *version, const char *name)
{
    char path[128];
    struct bytes b;
    struct err e;
    snprintf(path, sizeof path, "tests/fuzz/seeds/pickle/%s_%s", version, name);
    ck_assert_msg(file_read(path, &b, &e), "%s", e.text);
    return b;
}

static void seed_copy(const char *folder, const char *as, const char *version, const char *name)
{
    struct bytes b = seed_file(version, name);
    put(folder, as, b.data, b.len);
    free(b.data);
}

static const char *const ten[] = { "data_batch_1",
                                   "data_batch_2",
                                   "data_batch_3",
                                   "data_batch_4",
                                   "data_batch_5",
                                   "test_batch",
                                   NULL };
static const char *const hundred[] = { "train", "test", NULL };
static const char *const versions[] = { "python2", "python3" };

/* Both versions of a set, two images a file. */
static void both_put(const char *python, const char *binary, bool is_ten, const char *version)
{
    for (const char *const *f = is_ten ? ten : hundred; *f; f++) {
        char name[32];
        snprintf(name, sizeof name, "%s.bin", *f);
        cifar_put_file(binary, name, 2, is_ten ? 1 : 2);
        seed_copy(python, *f, version, is_ten ? "cifar10" : "cifar100");
    }
}

static void same_data(const char *python, const char *binary, const char *labels)
{
    struct dataset p, b;
    uint8_t from_p[3072], from_b[3072];
    data_open(&p, "cifar", python, 0, PAIRS("labels", labels));
    data_open(&b, "cifar", binary, 0, PAIRS("labels", labels));
    ck_assert_uint_eq(p.digest, b.digest);
    ck_assert_int_eq(p.classes, b.classes);
    for (int part = 0; part < DATA_PARTS; part++) {
        ck_assert_uint_eq(p.count[part], b.count[part]);
        for (uint32_t i = 0; i < p.count[part]; i++) {
            data_read(&p, (enum data_part)part, i, NULL, from_p);
            data_read(&b, (enum data_part)part, i, NULL, from_b);
            ck_assert_mem_eq(from_p, from_b, sizeof from_p);
            ck_assert_uint_eq(p.labels[part][i], b.labels[part][i]);
        }
    }
    dataset_close(&p);
    dataset_close(&b);
}

START_TEST(both_versions_are_one_data_set)
{
    for (int v = 0; v < 2; v++)
        for (int is_ten = 0; is_ten < 2; is_ten++) {
            char *python = folder_create(), *binary = folder_create();
            both_put(python, binary, is_ten, versions[v]);
            same_data(python, binary, "fine");
            if (!is_ten) same_data(python, binary, "coarse");
            folder_remove(python);
            folder_remove(binary);
        }
}
END_TEST

static void class_is(const char *folder, const char *labels, int class, const char *name)
{
    struct dataset d;
    data_open(&d, "cifar", folder, 0, PAIRS("labels", labels));
    ck_assert_str_eq(d.class_names[class], name);
    dataset_close(&d);
}

START_TEST(names_of_the_python_version)
{
    for (int v = 0; v < 2; v++) {
        char *a = folder_create(), *b = folder_create();
        for (const char *const *f = ten; *f; f++) seed_copy(a, *f, versions[v], "cifar10");
        for (const char *const *f = hundred; *f; f++) seed_copy(b, *f, versions[v], "cifar100");
        class_is(b, "fine", 53, "orange"); /* no file of names: those that are published */
        seed_copy(a, "batches.meta", versions[v], "meta10");
        seed_copy(b, "meta", versions[v], "meta100");
        class_is(a, "fine", 9, "truck");
        class_is(b, "fine", 99, "fine 99");
        class_is(b, "coarse", 7, "coarse 7");
        folder_remove(a);
        folder_remove(b);
    }
}
END_TEST

/* A batch with one piece of it replaced by another as long, and what is said about it. */
static const struct {
    const char *file, *was, *is;
    size_t len; /* of both; there may be NULs in them */
    const char *message;
} batches[] = {
#define EDIT(was, is) was, is, sizeof was - 1
    { "cifar10", EDIT("labels", "lapels"),
      "holds no list \"labels\" of 2 numbers, one for each row of \"data\"" },
    { "cifar10",
      EDIT("K\x03K\x04"
           "e",
           "K\x03K\x0a"
           "e"),
      "label 10 of image 1 is out of range; there are 10 classes" },
    { "cifar10",
      EDIT("K\x03K\x04"
           "e",
           "NU\x01"
           "xe"),
      "\"labels\": the label of image 0 is no number of 0 to 255" },
    { "cifar10",
      EDIT("(K\x03K\x04", "(M\x2c\x01"
                          "N"),
      "\"labels\": the label of image 0 is no number of 0 to 255" },
    { "cifar10",
      EDIT("U\x04"
           "dataq",
           "U\x04"
           "dotaq"),
      "holds no array \"data\" with rows of 3072 bytes" },
    { "cifar10", EDIT("K\x02M\x00\x0c\x86", "K\x03M\x00\x08\x86"),
      "holds no array \"data\" with rows of 3072 bytes" },
    { "meta10", EDIT("cat", "dog"), "holds no array \"data\" with rows of 3072 bytes" },
};

START_TEST(batches_are_checked)
{
    char *folder = folder_create(), want[512];
    struct bytes b = seed_file("python2", batches[_i].file);
    const size_t n = batches[_i].len;
    for (const char *const *f = ten; *f; f++) seed_copy(folder, *f, "python2", "cifar10");
    unsigned char *at = memmem(b.data, b.len, batches[_i].was, n);
    ck_assert_ptr_nonnull(at);
    memcpy(at, batches[_i].is, n);
    put(folder, "data_batch_3", b.data, b.len);
    const struct data_format *f = format_named("cifar");
    void *s = format_settings(f, NULL);
    struct dataset d;
    struct err e;
    ck_assert(!dataset_open(&d, &(struct data_source){ f, folder, s, 0, NULL }, &e));
    snprintf(want, sizeof want, "%s/data_batch_3: %s", folder, batches[_i].message);
    ck_assert_str_eq(e.text, want);
    free(s);
    free(b.data);
    folder_remove(folder);
}
END_TEST

static bool taken(const void *bytes, size_t len, struct err *e)
{
    struct bytes b = { memcpy(malloc(len + 1), bytes, len), len }; /* overruns are seen */
    struct pickle *p = pickle_read(&b, "file", e);
    bool good = p;
    pickle_destroy(p);
    free(b.data);
    return good;
}

#define HEAD "\x80\x02"
#define ARRAY                                                               \
    "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01" \
    "b\x87R"
#define DTYPE "cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
static const struct {
    const char *bytes;
    size_t len;
    const char *message; /* NULL: it is one */
} programs[] = {
#define PROGRAM(bytes, message)          \
    {                                    \
        bytes, sizeof bytes - 1, message \
    }
    PROGRAM(HEAD "K\x05.", NULL),
    PROGRAM(HEAD "}U\x01"
                 "aK\x05s.",
            NULL),
    PROGRAM(HEAD "](K\x01K\x02"
                 "e.",
            NULL),
    PROGRAM(HEAD ARRAY "(K\x01K\x01K\x02\x86" DTYPE "\x89U\x02xytb.", NULL),
    PROGRAM("", "byte 0: no pickle of protocol 2 begins so"),
    PROGRAM("(dp0\n.", "byte 0: no pickle of protocol 2 begins so"),
    PROGRAM("\x80\x03K\x05.", "byte 0: it is not of protocol 2"),
    PROGRAM("\x80", "byte 0: it ends within an instruction"),
    PROGRAM(HEAD, "byte 2: it ends early"),
    PROGRAM(HEAD "K\x05.x", "byte 4: the file goes on after the pickle's end"),
    PROGRAM(HEAD "K\x05K\x06.", "byte 6: it does not end in one value"),
    PROGRAM(HEAD ".", "byte 2: it does not end in one value"),
    PROGRAM(HEAD "(.", "byte 3: it does not end in one value"),
    PROGRAM(HEAD "cos\nsystem\nU\x02ls\x85R.",
            "byte 2: it calls something that is neither a NumPy array nor bytes"),
    PROGRAM(HEAD "c__builtin__\neval\nU\x02ls\x85R.",
            "byte 2: it calls something that is neither a NumPy array nor bytes"),
    PROGRAM(HEAD "cnumpy\nndarrayz\n.",
            "byte 2: it calls something that is neither a NumPy array nor bytes"),
    PROGRAM(HEAD "cnumpy\nnd",
            "byte 2: it calls something that is neither a NumPy array nor bytes"),
    PROGRAM(HEAD "P1\n.", "byte 2: an instruction that such files do not have"),
    PROGRAM(HEAD "I5\n.", "byte 2: an instruction that such files do not have"),
    PROGRAM(HEAD "\x8a\x01\x05.", "byte 2: an instruction that such files do not have"),
    PROGRAM(HEAD "T\xff\xff\xff\x7f.", "byte 2: a text is longer than the file"),
    PROGRAM(HEAD "T\xff\xff\xff\xff.", "byte 2: a text is longer than the file"),
    PROGRAM(HEAD "X\xff\xff\xff\xff.", "byte 2: a text is longer than the file"),
    PROGRAM(HEAD "U\x03"
                 "ab",
            "byte 2: a text is longer than the file"),
    PROGRAM(HEAD "h\x00.", "byte 2: the memo has no such value"),
    PROGRAM(HEAD "K\x05r\xff\xff\xff\xff.", "byte 4: the memo has gaps"),
    PROGRAM(HEAD "q\x00.", "byte 2: an instruction lacks its arguments"),
    PROGRAM(HEAD "K\x05(q\x00.", "byte 5: an instruction lacks its arguments"),
    PROGRAM(HEAD "e.", "byte 2: an instruction lacks its mark"),
    PROGRAM(HEAD "K\x05(K\x06\x86.", "byte 7: an instruction lacks its arguments"),
    PROGRAM(HEAD "}(K\x05u.", "byte 6: an instruction lacks its arguments"),
    PROGRAM(HEAD "](K\x05K\x06u.", "byte 8: an instruction meets a value of the wrong kind"),
    PROGRAM(HEAD "](K\x05", "byte 6: it ends early"),
    PROGRAM(HEAD "]K\x05R.", "byte 5: an instruction meets a value of the wrong kind"),
    PROGRAM(HEAD "]]b.", "byte 4: an instruction meets a value of the wrong kind"),
    PROGRAM(HEAD "cnumpy\ndtype\nU\x02u2K\x00K\x01\x87R.",
            "byte 24: it holds an array whose numbers are not bytes"),
    PROGRAM(HEAD ARRAY "(K\x01K\x01K\x02\x86" DTYPE "\x88U\x02xytb.",
            "byte 98: its array is not one of rows and columns of bytes"),
    PROGRAM(HEAD ARRAY "(K\x01K\x01K\x02K\x03\x87" DTYPE "\x89U\x06xyzxyztb.",
            "byte 104: its array is not one of rows and columns of bytes"),
    PROGRAM(HEAD ARRAY "(K\x01K\x01K\x03\x86" DTYPE "\x89U\x02xytb.",
            "byte 98: its array has not as many bytes as its shape says"),
    PROGRAM(HEAD ARRAY "(K\x01K\x00K\x03\x86" DTYPE "\x89U\x00tb.",
            "byte 96: its array is not one of rows and columns of bytes"),
    PROGRAM(HEAD ARRAY "(K\x01J\xff\xff\xff\xffK\x03\x86" DTYPE "\x89U\x02xytb.",
            "byte 101: its array is not one of rows and columns of bytes"),
    PROGRAM(HEAD ARRAY "(K\x01K\x01K\x01\x86" DTYPE "\x89"
                       "c_codecs\nencode\nX\x02\x00\x00\x00\xc4\x80X\x06\x00\x00\x00latin1\x86Rtb.",
            "byte 130: its bytes hold a character above 255"),
};

START_TEST(programs_are_taken_or_refused)
{
    struct err e = { .text = "" };
    bool good = taken(programs[_i].bytes, programs[_i].len, &e);
    if (!programs[_i].message) {
        ck_assert_msg(good, "row %d: %s", _i, e.text);
        return;
    }
    char want[256];
    snprintf(want, sizeof want, "file: %s; CIFAR's python version holds nothing of the kind",
             programs[_i].message);
    ck_assert_msg(!good, "row %d is taken for a batch", _i);
    ck_assert_str_eq(e.text, want);
}
END_TEST

/* A short program that asks for more than there may be ends, and soon. */
START_TEST(loops_of_values_end)
{
    const size_t many = 3u << 20;
    static const struct {
        const char *piece;
        size_t len;
        const char *message;
    } each[] = {
        { "N", 1, "it holds more than a million values" },
        { "]", 1, "it holds more than a million values" },
        { "(", 1, "too many marks" },
        { "h\x00", 2, "the stack grows too high" },
    };
    for (size_t k = 0; k < sizeof each / sizeof *each; k++) {
        struct text t = { NULL, 0, 0 };
        struct err e;
        text_addn(&t, HEAD "Nq\x00", 5);
        for (size_t i = 0; i < many / each[k].len; i++) text_addn(&t, each[k].piece, each[k].len);
        text_add(&t, ".");
        ck_assert(!taken(t.s, t.len, &e));
        ck_assert_msg(strstr(e.text, each[k].message), "%s", e.text);
        text_clear(&t);
    }
}
END_TEST

/* Cut anywhere it is refused; edited anywhere it is refused or read. */
START_TEST(damaged_batches)
{
    struct bytes b = seed_file(versions[_i], "cifar10");
    struct rng g = rng_stream(4, RNG_TEST, 0, 0);
    struct err e;
    size_t step = 1;
    for (size_t n = 0; n < b.len; n += step) {
        ck_assert_msg(!taken(b.data, n, &e), "%zu of %zu bytes", n, b.len);
        step = n > 400 && n + 400 < b.len ? 37 : 1;
    }
    for (int k = 0; k < 4000; k++) {
        size_t at = rng_below(&g, 400);
        if (k & 1) at = b.len - 1 - at;
        unsigned char was = b.data[at];
        b.data[at] = (unsigned char)rng_below(&g, 256);
        taken(b.data, b.len, &e);
        b.data[at] = was;
    }
    free(b.data);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("pickle");
    unit_case(s, "cifar", 20,
              UNIT_TESTS(both_versions_are_one_data_set, names_of_the_python_version));
    TCase *c = tcase_create("machine");
    tcase_add_loop_test(c, batches_are_checked, 0, sizeof batches / sizeof *batches);
    tcase_set_timeout(c, 30);
    tcase_add_loop_test(c, programs_are_taken_or_refused, 0, sizeof programs / sizeof *programs);
    tcase_add_loop_test(c, damaged_batches, 0, 2);
    tcase_add_test(c, loops_of_values_end);
    suite_add_tcase(s, c);
    return s;
}
