/* Files are read once, and again when anything about them has changed. */
#include "core/data/survey.h"
#include "tests/unit/data_files.h"
#include "tests/unit/unit.h"
#include <fcntl.h>

enum { FILES = 3 };
static const char *const names[FILES] = { "train/a.jpg", "train/b.jpg", "test/a.jpg" };

static struct place { /* a data set beside the folder where its index is kept */
    char *folder, *notes;
    struct survey_file files[FILES];
    int told;
    char last[256];
} place;

static void told(void *ctx, const char *text)
{
    struct place *p = ctx;
    p->told++;
    snprintf(p->last, sizeof p->last, "%s", text);
}

static void place_begin(void)
{
    struct err e;
    place = (struct place){ .folder = folder_create(), .notes = folder_create() };
    ck_assert(dir_make(path_in(place.folder, "train"), &e));
    ck_assert(dir_make(path_in(place.folder, "test"), &e));
    for (int i = 0; i < FILES; i++) put(place.folder, names[i], names[i], strlen(names[i]));
}

static void place_end(void)
{
    folder_remove(place.folder);
    folder_remove(place.notes);
}

/* Was anything read? Every reading is told of. */
static bool place_survey(void)
{
    struct err e;
    const struct data_notes notes = { place.notes, told, &place };
    place.told = 0;
    memset(place.files, 0, sizeof place.files);
    for (int i = 0; i < FILES; i++) place.files[i].name = names[i];
    ck_assert_msg(survey_files(&(struct survey){ place.folder, place.files, FILES, &notes, 0 }, &e),
                  "%s", e.text);
    ck_assert_int_le(place.told, 1);
    return place.told;
}

static const char *index_path(void)
{
    static char path[512];
    char **found;
    size_t n;
    struct err e;
    ck_assert(dir_list(place.notes, &found, &n, &e));
    ck_assert_uint_eq(n, 1);
    snprintf(path, sizeof path, "%s/%s", place.notes, found[0]);
    dir_list_free(found, n);
    return path;
}

/* As if the index had been written so long after now. */
static void index_age(int seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += seconds;
    ck_assert_int_eq(utimensat(AT_FDCWD, index_path(), (struct timespec[]){ now, now }, 0), 0);
}

START_TEST(read_once)
{
    struct survey_file first[FILES];
    place_begin();
    ck_assert(place_survey());
    ck_assert_ptr_nonnull(strstr(place.last, "reading 0.0 GB of images once"));
    ck_assert_ptr_nonnull(strstr(place.last, place.folder));
    memcpy(first, place.files, sizeof first);
    ck_assert_uint_eq(first[1].size, strlen(names[1]));
    ck_assert_uint_ne(first[0].digest, first[1].digest);
    index_age(60);
    ck_assert(!place_survey());
    ck_assert_mem_eq(first, place.files, sizeof first);
    place_end();
}
END_TEST

/* Other bytes of the same number, under the same name and with the old time. */
static void edit(const char *path, bool replace)
{
    struct stat st;
    struct err e;
    ck_assert_int_eq(stat(path, &st), 0);
    FILE *f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    fputc('T', f);
    fclose(f);
    if (replace) { /* by a file of its own */
        struct bytes b;
        ck_assert(file_read(path, &b, &e) && file_write(path, b.data, b.len, &e));
        free(b.data);
    }
    struct timespec times[2] = { st.st_atim, st.st_mtim };
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(edited_files_are_read_again)
{
    place_begin();
    place_survey();
    uint64_t was = place.files[2].digest, other = place.files[0].digest;
    index_age(60);
    edit(path_in(place.folder, names[2]), _i);
    ck_assert(place_survey());
    ck_assert_uint_eq(place.files[0].digest, other);
    ck_assert_uint_ne(place.files[2].digest, was);
    was = place.files[2].digest;
    index_age(60);
    ck_assert(!place_survey());
    ck_assert_uint_eq(place.files[2].digest, was);
    place_end();
}
END_TEST

/* A file that changes twice within one tick of the clock keeps its times. */
START_TEST(fresh_files_are_not_believed)
{
    place_begin();
    place_survey();
    index_age(1);
    ck_assert(place_survey());
    place_end();
}
END_TEST

START_TEST(a_damaged_index_is_made_again)
{
    struct bytes b;
    struct err e;
    place_begin();
    place_survey();
    struct survey_file good[FILES];
    memcpy(good, place.files, sizeof good);
    ck_assert(file_read(index_path(), &b, &e));
    const size_t len = b.len;
    for (size_t at = 0; at <= len; at++) { /* every byte altered, and the file cut before it */
        for (int cut = 0; cut < 2; cut++) {
            if (at < len) b.data[at] ^= 0x40;
            ck_assert(file_write(index_path(), b.data, cut ? at : len, &e));
            if (at < len) b.data[at] ^= 0x40;
            index_age(60);
            ck_assert_msg(place_survey() == (at < len), "byte %zu", at);
            ck_assert_mem_eq(good, place.files, sizeof good);
        }
    }
    free(b.data);
    place_end();
}
END_TEST

/* Of the same files, which are in both folders: only the folder tells the indices apart. */
START_TEST(an_index_of_another_folder_is_not_believed)
{
    struct bytes b;
    struct err e;
    place_begin();
    struct place first = place;
    place_begin();
    for (int i = 0; i < FILES; i++) {
        ck_assert_int_eq(unlink(path_in(place.folder, names[i])), 0);
        ck_assert_int_eq(link(path_in(first.folder, names[i]), path_in(place.folder, names[i])), 0);
    }
    struct place second = place;
    place = first;
    place_survey();
    ck_assert(file_read(index_path(), &b, &e));
    place = second;
    place_survey();
    ck_assert(file_write(index_path(), b.data, b.len, &e));
    free(b.data);
    index_age(60);
    ck_assert(place_survey());
    place_end();
    place = first;
    place_end();
}
END_TEST

START_TEST(no_place_for_an_index_is_no_failure)
{
    place_begin();
    folder_remove(place.notes);
    place.notes = mem_text("/proc/no-folder");
    ck_assert(place_survey());
    ck_assert(place_survey());
    place_end();
}
END_TEST

/* The format keeps its index where it is told to, and its digest is the same with and without. */
START_TEST(images_keep_an_index)
{
    struct dataset d;
    uint64_t digests[4];
    place = (struct place){ .folder = folder_create(), .notes = folder_create() };
    images_put(place.folder);
    const struct data_notes notes = { place.notes, NULL, NULL };
    for (int i = 0; i < 4; i++) {
        if (i > 1) index_age(60);
        if (i == 3) edit(path_in(place.folder, "test/dog/a.jpg"), false);
        data_open_noted(&d, "images", place.folder, 16, NULL, i ? &notes : NULL);
        digests[i] = d.digest;
        dataset_close(&d);
    }
    ck_assert_uint_eq(digests[0], digests[1]);
    ck_assert_uint_eq(digests[0], digests[2]);
    ck_assert_uint_ne(digests[0], digests[3]);
    place_end();
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("survey");
    TCase *c = tcase_create("edited");
    tcase_add_loop_test(c, edited_files_are_read_again, 0, 2);
    suite_add_tcase(s, c);
    unit_case(s, "index", 20,
              UNIT_TESTS(read_once, fresh_files_are_not_believed, a_damaged_index_is_made_again,
                         an_index_of_another_folder_is_not_believed,
                         no_place_for_an_index_is_no_failure, images_keep_an_index));
    return s;
}
