/* Broken data and what is said about it: each row breaks one file of a sound data set in one way.
 */
#include "tests/unit/data_files.h"
#include <sys/stat.h>

enum damage { NOTHING, REMOVE, CUT, APPEND, SET, COPY, MAKE_FOLDER, MAKE_FILE, MAKE_PIPE, MAKE_GZ };
enum base { IDX, IDX_GZ, CIFAR10, CIFAR100, IMAGES, BASES };

static const struct {
    const char *format;
    void (*put)(const char *folder);
    int size;
} bases[BASES] = {
    [IDX] = { "idx", idx_put, 0 },           [IDX_GZ] = { "idx", idx_put_gz, 0 },
    [CIFAR10] = { "cifar", cifar10_put, 0 }, [CIFAR100] = { "cifar", cifar100_put, 0 },
    [IMAGES] = { "images", images_put, 16 },
};

struct breakage {
    enum base base;
    enum damage damage;
    const char *file;
    long at; /* CUT: new length, negative: bytes taken off; APPEND: bytes more; SET: offset */
    unsigned value;            /* SET: the byte, or as many bytes as it has, big-endian */
    const char *key, *setting; /* of the format, or NULL; COPY: setting is the file's other name */
    const char *message;       /* @ is the folder, # any number */
};

#define TRAIN_IMAGES "train-images-idx3-ubyte"
#define TRAIN_LABELS "train-labels-idx1-ubyte"
#define TEST_IMAGES "t10k-images-idx3-ubyte"
#define TEST_LABELS "t10k-labels-idx1-ubyte"
#define GZ_IMAGES "train-images.idx3-ubyte.gz"

static const struct breakage breakages[] = {
    { IDX, REMOVE, TRAIN_IMAGES, 0, 0, NULL, NULL,
      "@: holds no train-images-idx3-ubyte or train-images-idx3-ubyte.gz" },
    { IDX, REMOVE, TEST_LABELS, 0, 0, NULL, NULL,
      "@: holds no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz" },
    { IDX, CUT, TRAIN_IMAGES, 0, 0, NULL, NULL,
      "@/train-images-idx3-ubyte: ends at byte 0, where 4 more are expected" },
    { IDX, CUT, TRAIN_IMAGES, 3, 0, NULL, NULL,
      "@/train-images-idx3-ubyte: ends at byte 3, where 1 more are expected" },
    { IDX, CUT, TRAIN_IMAGES, 10, 0, NULL, NULL,
      "@/train-images-idx3-ubyte: ends at byte 10, where 6 more are expected" },
    { IDX, CUT, TRAIN_IMAGES, -1, 0, NULL, NULL,
      "@/train-images-idx3-ubyte: is 159 bytes long, shorter than the 160 its header asks for" },
    { IDX, APPEND, TRAIN_IMAGES, 1, 0, NULL, NULL,
      "@/train-images-idx3-ubyte: is 161 bytes long, longer than the 160 its header asks for" },
    { IDX, SET, TRAIN_IMAGES, 3, 1, NULL, NULL,
      "@/train-images-idx3-ubyte: magic number 0x00000801 at byte 0; an IDX file of images begins "
      "with 0x00000803" },
    { IDX, SET, TEST_LABELS, 2, 9, NULL, NULL,
      "@/t10k-labels-idx1-ubyte: magic number 0x00000901 at byte 0; an IDX file of labels begins "
      "with 0x00000801" },
    { IDX, SET, TRAIN_IMAGES, 4, 255, NULL, NULL,
      "@/train-images-idx3-ubyte: is 160 bytes long, shorter than the 154014843040 its header asks "
      "for" },
    { IDX, SET, TRAIN_IMAGES, 8, 255, NULL, NULL,
      "@/train-images-idx3-ubyte: images of 4278190086 x 6 pixels (byte 8); valid: square, 1 to "
      "4096 a side" },
    { IDX, SET, TRAIN_IMAGES, 11, 7, NULL, NULL,
      "@/train-images-idx3-ubyte: images of 7 x 6 pixels (byte 8); valid: square, 1 to 4096 a "
      "side" },
    { IDX, SET, TRAIN_IMAGES, 7, 0, NULL, NULL,
      "@/train-images-idx3-ubyte: its header (byte 4) says that it holds nothing" },
    { IDX, CUT, TRAIN_LABELS, -1, 0, NULL, NULL,
      "@/train-labels-idx1-ubyte: is 11 bytes long, shorter than the 12 its header asks for" },
    { IDX, APPEND, TRAIN_LABELS, 3, 0, NULL, NULL,
      "@/train-labels-idx1-ubyte: is 15 bytes long, longer than the 12 its header asks for" },
    { IDX, SET, TEST_LABELS, 9, 3, NULL, NULL,
      "@/t10k-labels-idx1-ubyte: label 3 at byte 9 is out of range; there are 3 classes" },
    { IDX, SET, TRAIN_LABELS, 9, 10, "classes", "3",
      "dataset.classes: 3, but the labels of @/train-labels-idx1-ubyte are 0..10" },
    { IDX, NOTHING, NULL, 0, 0, "classes", "10",
      "dataset.classes: 10, but the labels of @/train-labels-idx1-ubyte are 0..2" },
    { IDX, SET, TRAIN_LABELS, 8, 1, NULL, NULL,
      "@: class 0 has images to test on, but none to train on; add some, or take it out of both "
      "parts" },
    { IDX, COPY, TRAIN_LABELS, 0, 0, NULL, TEST_LABELS,
      "@/train-labels-idx1-ubyte: 3 labels, but @/train-images-idx3-ubyte has 4 images" },
    { IDX_GZ, MAKE_FOLDER, TRAIN_IMAGES, 0, 0, NULL, NULL,
      "@/train-images-idx3-ubyte: a folder, not a regular file" },
    { IDX_GZ, MAKE_GZ, GZ_IMAGES, 0, 0, NULL, NULL,
      "@/train-images.idx3-ubyte.gz: its header asks for 36028797002186768 bytes; a compressed "
      "file of # bytes cannot hold them" },
    { IDX_GZ, CUT, GZ_IMAGES, -20, 0, NULL, NULL,
      "@/train-images.idx3-ubyte.gz: the compressed file is truncated: it is # bytes long and "
      "stops after # bytes of data" },
    { IDX_GZ, CUT, GZ_IMAGES, -4, 0, NULL, NULL,
      "@/train-images.idx3-ubyte.gz: the compressed file is truncated: it is # bytes long and "
      "stops after # bytes of data" },
    { IDX_GZ, CUT, GZ_IMAGES, 0, 0, NULL, NULL,
      "@/train-images.idx3-ubyte.gz: ends at byte 0, where 4 more are expected" },
    { IDX_GZ, SET, GZ_IMAGES, -6, 85, NULL, NULL,
      "@/train-images.idx3-ubyte.gz: corrupt compressed data (incorrect data check), after 0 sound "
      "bytes of data" },
    { IDX_GZ, SET, GZ_IMAGES, 0, 0, NULL, NULL,
      "@/train-images.idx3-ubyte.gz: magic number 0x008b0800 at byte 0; an IDX file of images "
      "begins with 0x00000803" },
    { CIFAR10, REMOVE, "data_batch_1.bin", 0, 0, NULL, NULL,
      "@: holds neither data_batch_1.bin nor data_batch_1 (CIFAR-10, binary and python version), "
      "nor train.bin nor train (CIFAR-100); to get them: cifar-10-binary.tar.gz or "
      "cifar-10-python.tar.gz (cifar-100-...) from https://www.cs.toronto.edu/~kriz/cifar.html, "
      "unpacked with tar xzf FILE -C data; dataset.path names the folder that comes out: "
      "data/cifar-10-batches-bin or -py, data/cifar-100-binary or -python" },
    { CIFAR10, REMOVE, "data_batch_4.bin", 0, 0, NULL, NULL,
      "@/data_batch_4.bin: No such file or directory" },
    { CIFAR10, REMOVE, "test_batch.bin", 0, 0, NULL, NULL,
      "@/test_batch.bin: No such file or directory" },
    { CIFAR10, CUT, "data_batch_3.bin", -100, 0, NULL, NULL,
      "@/data_batch_3.bin: 9119 bytes are not a whole number of records of 3073 bytes; the file "
      "ends within record 3, which begins at byte 6146" },
    { CIFAR10, CUT, "data_batch_2.bin", 0, 0, NULL, NULL, "@/data_batch_2.bin: the file is empty" },
    { CIFAR10, APPEND, "test_batch.bin", 1, 0, NULL, NULL,
      "@/test_batch.bin: 6147 bytes are not a whole number of records of 3073 bytes; the file ends "
      "within record 3, which begins at byte 6146" },
    { CIFAR10, SET, "data_batch_5.bin", 3073, 10, NULL, NULL,
      "@/data_batch_5.bin: label 10 at byte 3073 is out of range; there are 10 classes" },
    { CIFAR10, MAKE_FILE, "train.bin", 0, 0, NULL, NULL,
      "@: holds both data_batch_1.bin (CIFAR-10, binary version) and train.bin (CIFAR-100, binary "
      "version); keep one set in a folder" },
    { CIFAR100, MAKE_FILE, "data_batch_1", 0, 0, NULL, NULL,
      "@: holds both train.bin (CIFAR-100, binary version) and data_batch_1 (CIFAR-10, python "
      "version); keep one set in a folder" },
    { CIFAR10, MAKE_FOLDER, "test_batch.bin.d", 0, 0, "classes", "100",
      "dataset.classes: 100, but @ has 10 classes with fine labels" },
    { CIFAR10, NOTHING, NULL, 0, 0, "labels", "coarse",
      "@: CIFAR-10 has no coarse labels; dataset.labels must be fine" },
    { CIFAR10, MAKE_FILE, "batches.meta.txt", 0, 0, NULL, NULL,
      "@/batches.meta.txt: 1 names, but there are 10 classes" },
    { CIFAR100, SET, "test.bin", 3075, 100, NULL, NULL,
      "@/test.bin: label 100 at byte 3075 is out of range; there are 100 classes" },
    { CIFAR100, SET, "train.bin", 3074, 20, "labels", "coarse",
      "@/train.bin: label 20 at byte 3074 is out of range; there are 20 classes" },
    { CIFAR100, REMOVE, "test.bin", 0, 0, NULL, NULL, "@/test.bin: No such file or directory" },
    { CIFAR100, CUT, "train.bin", 5000, 0, NULL, NULL,
      "@/train.bin: 5000 bytes are not a whole number of records of 3074 bytes; the file ends "
      "within record 2, which begins at byte 3074" },
    { IMAGES, REMOVE, "train", 0, 0, NULL, NULL, "@/train: No such file or directory" },
    { IMAGES, REMOVE, "test", 0, 0, NULL, NULL,
      "@: holds neither test/ nor val/ with class folders of images" },
    { IMAGES, MAKE_FOLDER, "val", 0, 0, NULL, NULL,
      "@: holds both test/ and val/; say with dataset.test_folder which one to test on" },
    { IMAGES, NOTHING, NULL, 0, 0, "test_folder", "val", "@/val: No such file or directory" },
    { IMAGES, REMOVE, "train/cat", 0, 0, NULL, NULL,
      "@/test/cat: train/ has no class of this name" },
    { IMAGES, REMOVE, "test/cat", 0, 0, NULL, NULL,
      "@: class cat has images to train on, but none to test on; add some, or take it out of both "
      "parts" },
    { IMAGES, MAKE_FOLDER, "train/empty", 0, 0, NULL, NULL,
      "@/train/empty: the class folder is empty" },
    { IMAGES, MAKE_FOLDER, "test/bird", 0, 0, NULL, NULL,
      "@/test/bird: train/ has no class of this name" },
    { IMAGES, MAKE_FOLDER, "train/cat/deeper.jpg", 0, 0, NULL, NULL,
      "@/train/cat/deeper.jpg: not a regular file" },
    { IMAGES, MAKE_FILE, "train/README", 0, 0, NULL, NULL,
      "@/train/README: not a class folder; train/ holds class folders only" },
    { IMAGES, MAKE_FILE, "train/cat/notes.txt", 0, 0, NULL, NULL,
      "@/train/cat/notes.txt: not a .jpg, .jpeg or .png file; a class folder holds images only" },
    { IMAGES, MAKE_FILE, "train/cat/z.jpg", 0, 0, NULL, NULL,
      "@/train/cat/z.jpg: not a sound JPEG image: Not a JPEG file: starts with 0x68 0x65 (the file "
      "is # bytes long)" },
    { IMAGES, MAKE_PIPE, "test/dog/z.jpg", 0, 0, NULL, NULL,
      "@/test/dog/z.jpg: not a regular file" },
    { IMAGES, NOTHING, NULL, 0, 0, "classes", "3",
      "dataset.classes: 3, but @/train has 2 class folders" },
    { IMAGES, CUT, "train/dog/b.JPEG", 0, 0, NULL, NULL, "@/train/dog/b.JPEG: the file is empty" },
    { IMAGES, CUT, "train/dog/b.JPEG", 100, 0, NULL, NULL,
      "@/train/dog/b.JPEG: not a sound JPEG image: Premature end of JPEG file (the file is # bytes "
      "long)" },
    { IMAGES, CUT, "train/dog/b.JPEG", -2, 0, NULL, NULL,
      "@/train/dog/b.JPEG: not a sound JPEG image: Premature end of JPEG file (the file is # bytes "
      "long)" },
    { IMAGES, CUT, "train/dog/b.JPEG", -30, 0, NULL, NULL,
      "@/train/dog/b.JPEG: not a sound JPEG image: Premature end of JPEG file (the file is # bytes "
      "long)" },
    { IMAGES, SET, "test/cat/a.jpg", 0, 137, NULL, NULL,
      "@/test/cat/a.jpg: not a sound JPEG image: Not a JPEG file: starts with 0x89 0xd8 (the file "
      "is # bytes long)" },
    { IMAGES, SET, "test/cat/a.jpg", 163, 0xffff, NULL, NULL,
      "@/test/cat/a.jpg: not a sound JPEG image: Maximum supported image dimension is 65500 pixels "
      "(the file is # bytes long)" },
    { IMAGES, SET, "test/cat/a.jpg", 164, 0, NULL, NULL,
      "@/test/cat/a.jpg: not a sound JPEG image: Empty JPEG image (DNL not supported) (the file is "
      "# bytes long)" },
    { IMAGES, SET, "test/cat/a.jpg", 166, 0, NULL, NULL,
      "@/test/cat/a.jpg: not a sound JPEG image: Empty JPEG image (DNL not supported) (the file is "
      "# bytes long)" },
    { IMAGES, SET, "test/cat/a.jpg", 163, 0x7fff7fff, NULL, NULL,
      "@/test/cat/a.jpg: not a sound JPEG image: 32767 x 32767 pixels, 3 components: more than 134 "
      "million pixels (the file is # bytes long)" },
    { IMAGES, SET, "test/cat/a.jpg", 162, 12, NULL, NULL,
      "@/test/cat/a.jpg: not a sound JPEG image: Unsupported JPEG data precision 12 (the file is # "
      "bytes long)" },
    { IMAGES, SET, "test/cat/a.jpg", 163, 255, NULL, NULL,
      "@/test/cat/a.jpg: not a sound JPEG image: Corrupt JPEG data: premature end of data segment "
      "(the file is # bytes long)" },
};

static long file_length(const char *path)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    return (long)st.st_size;
}

static void damage_do(const char *folder, const struct breakage *b)
{
    const char *path = path_in(folder, b->file ? b->file : "");
    static const uint8_t absurd[] = { 0, 0, 8, 3, 127, 255, 255, 255, 0, 0, 16, 0, 0, 0, 16, 0 };
    struct bytes copy;
    struct err e;
    FILE *f;
    switch (b->damage) {
    case NOTHING:
        return;
    case REMOVE:
        folder_remove(mem_text(path));
        return;
    case CUT:
        ck_assert_int_eq(truncate(path, b->at < 0 ? file_length(path) + b->at : b->at), 0);
        return;
    case APPEND:
        ck_assert_int_eq(truncate(path, file_length(path) + b->at), 0);
        return;
    case SET:
        f = fopen(path, "r+b");
        ck_assert_ptr_nonnull(f);
        fseek(f, b->at, b->at < 0 ? SEEK_END : SEEK_SET);
        for (int shift = 24; shift >= 0; shift -= 8)
            if (!shift || b->value >> shift) fputc((int)(b->value >> shift & 255), f);
        fclose(f);
        return;
    case COPY:
        ck_assert(file_read(path_in(folder, b->setting), &copy, &e));
        put(folder, b->file, copy.data, copy.len);
        free(copy.data);
        return;
    case MAKE_FOLDER:
        ck_assert(dir_make(path, &e));
        return;
    case MAKE_FILE:
        put(folder, b->file, "hello", 5);
        return;
    case MAKE_GZ:
        put_gz(folder, b->file, absurd, sizeof absurd);
        return;
    case MAKE_PIPE:
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        return;
    }
}

/* Opens and reads every image; true where nothing was wrong. */
static bool read_all(const char *folder, const struct breakage *b, struct err *e)
{
    const struct data_format *f = format_named(bases[b->base].format);
    void *s = format_settings(f, b->key ? PAIRS(b->key, b->setting) : NULL);
    struct dataset d;
    uint8_t pixels[32 * 32 * 3];
    bool good =
        dataset_open(&d, &(struct data_source){ f, folder, s, bases[b->base].size, NULL }, e);
    if (!good) ck_assert_ptr_null(d.own);
    for (int part = 0; good && part < DATA_PARTS; part++)
        for (uint32_t i = 0; good && i < d.count[part]; i++)
            good = f->read(&d, (enum data_part)part, i, NULL, pixels, e);
    dataset_close(&d);
    free(s);
    return good;
}

static bool message_is(const char *got, const char *pattern, const char *folder)
{
    size_t len = strlen(folder);
    for (; *pattern; pattern++) {
        if (*pattern == '@') {
            if (strncmp(got, folder, len) != 0) return false;
            got += len;
        } else if (*pattern == '#') {
            size_t digits = strspn(got, "0123456789");
            if (!digits) return false;
            got += digits;
        } else if (*got++ != *pattern) {
            return false;
        }
    }
    return !*got;
}

START_TEST(broken_data_is_named)
{
    const struct breakage *b = &breakages[_i];
    char *folder = folder_create();
    struct err e = { .text = "" };
    bases[b->base].put(folder);
    damage_do(folder, b);
    ck_assert_msg(!read_all(folder, b, &e), "row %d: nothing was found wrong", _i);
    ck_assert_msg(message_is(e.text, b->message, folder), "row %d:\n  said     %s\n  expected %s",
                  _i, e.text, b->message);
    folder_remove(folder);
}
END_TEST

START_TEST(sound_data_is_not)
{
    char *folder = folder_create();
    struct err e;
    bases[_i].put(folder);
    ck_assert_msg(read_all(folder, &(struct breakage){ .base = (enum base)_i }, &e), "%s", e.text);
    folder_remove(folder);
}
END_TEST

struct refusal {
    const char *format, *path;
    int size;
    bool shape;          /* asked for the shape alone */
    const char *message; /* @: what the format says of getting its data */
};
static const struct refusal refusals[] = {
    { "idx", "/nowhere/data", 0, false, "/nowhere/data: no such folder; to get the data: @" },
    { "idx", "/dev/null", 0, false, "/dev/null: not a folder" },
    { "idx", "/nowhere/data", 32, true,
      "the images of /nowhere/data are 28 x 28 pixels; 32 x 32 is asked for" },
    { "cifar", "/nowhere/data", 0, false, "/nowhere/data: no such folder; to get the data: @" },
    { "cifar", NULL, 0, false, "dataset.path must name a folder; to get the data: @" },
    { "cifar", NULL, 0, true,
      "dataset.path must name a folder; to get the data: @; to plan without it, give "
      "dataset.classes (10 or 100)" },
    { "cifar", "/nowhere/data", 0, true,
      "/nowhere/data: no such folder; to get the data: @; to plan without it, give "
      "dataset.classes (10 or 100)" },
    { "images", "/nowhere/data", 32, false, "/nowhere/data: no such folder; to get the data: @" },
    { "images", NULL, 32, false, "dataset.path must name a folder; to get the data: @" },
    { "images", "/", 0, false, "images: 0 x 0 pixels are asked for; valid: 1 to 4096" },
    { "images", "/nowhere/data", 32, true,
      "/nowhere/data: no such folder; to get the data: @; to plan without it, give "
      "dataset.classes" },
    { "images", NULL, 32, true,
      "dataset.path must name a folder; to get the data: @; to plan without it, give "
      "dataset.classes" },
    { "synthetic", NULL, 28, false, "dataset.size is 32, but the network takes 28 x 28 pixels" },
    { "synthetic", NULL, 28, true, "dataset.size is 32, but the network takes 28 x 28 pixels" },
};

START_TEST(what_cannot_be_is_refused)
{
    const struct refusal *r = &refusals[_i];
    const struct data_format *f = format_named(r->format);
    void *s = format_settings(f, NULL);
    struct err e;
    struct data_shape shape;
    struct dataset d;
    if (r->shape)
        ck_assert(!f->shape(r->path, s, r->size, &shape, &e));
    else
        ck_assert(!dataset_open(&d, &(struct data_source){ f, r->path, s, r->size, NULL }, &e));
    struct text want = { NULL, 0, 0 };
    const char *gap = strchr(r->message, '@');
    text_addn(&want, r->message, gap ? (size_t)(gap - r->message) : strlen(r->message));
    if (gap) text_addf(&want, "%s%s", f->source, gap + 1);
    ck_assert_str_eq(e.text, want.s);
    text_clear(&want);
    free(s);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

Suite *suite(void)
{
    Suite *s = suite_create("data_errors");
    TCase *c = tcase_create("tables");
    tcase_set_timeout(c, 30);
    tcase_add_loop_test(c, broken_data_is_named, 0, COUNT(breakages));
    tcase_add_loop_test(c, sound_data_is_not, 0, BASES);
    tcase_add_loop_test(c, what_cannot_be_is_refused, 0, COUNT(refusals));
    suite_add_tcase(s, c);
    return s;
}
