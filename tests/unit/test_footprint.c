/* What a run takes of memory against what it then takes, and against what there is. */
#include "core/base/file.h"
#include "core/base/parallel.h"
#include "experiments/run/footprint.h"
#include "experiments/run/headroom.h"
#include "experiments/run/runner.h"
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __has_feature
#define SANITIZED __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static const char text[] =
    "experiment: memory\n"
    "dataset: {name: synthetic, size: 32, classes: 10, train: 256, test: 128}\n"
    "model: {backbone: resnet20, se: {reduction: 16}}\n"
    "train: {epochs: 1, batch_size: 128}\n";

static void design_make_of(struct design *d, const char *yaml)
{
    struct diags problems = { 0 };
    ck_assert(design_read(d, &(struct design_request){ .path = "test", .text = yaml }, &problems));
    diags_clear(&problems);
}

static void design_make(struct design *d) { design_make_of(d, text); }

/* Of a process that trains the design and does nothing else. */
static double peak_of_run(const struct design *d, const char *dir, int threads)
{
    struct rusage used;
    int status;
    parallel_pause();
    pid_t child = fork();
    ck_assert(child >= 0);
    if (child == 0) {
        struct err e;
        struct run_options o = { .dir = dir, .threads = threads, .quiet = true };
        char entered[DIGEST_TEXT];
        _exit(runner_run(d, &o, entered, &e) == RUNNER_DONE ? 0 : 1);
    }
    ck_assert(wait4(child, &status, 0, &used) == child);
    ck_assert_int_eq(status, 0);
    return 1024.0 * (double)used.ru_maxrss;
}

/* Trains the design and compares: the point that takes the most tells how much the whole does.
 * Where other programs want the CPUs too, or threads outnumber them, some never get the largest
 * pieces of work, and their scratch memory stays below what it may grow to. */
static void figure_is_right(const char *yaml, int threads)
{
    struct design d = { 0 };
    char dir[] = "/tmp/footprint-XXXXXX", command[64];
    if (SANITIZED) return; /* shadow memory and red zones are not the program's */
    ck_assert_ptr_nonnull(mkdtemp(dir));
    design_make_of(&d, yaml);
    parallel_use(threads);
    double said = 0, was = peak_of_run(&d, dir, threads), idle = 0;
    for (int i = 0; i < d.n_points; i++) {
        struct footprint f = footprint_of(&d.points[i]);
        if ((double)footprint_total(&f) <= said) continue;
        said = (double)footprint_total(&f);
        idle = (double)d.points[i].scratch * (threads - 1);
    }
    snprintf(command, sizeof command, "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
    ck_assert_msg(said > 0.95 * was && said < 1.05 * was + idle,
                  "%d threads: %.1f MB foretold, %.1f MB taken", threads, said / 1e6, was / 1e6);
    design_clear(&d);
    parallel_use(0);
}

/* 30 MB, of which the program itself is a third. */
static const char small_text[] =
    "experiment: memory\n"
    "dataset: {name: synthetic, size: 32, classes: 10, train: 300, test: 64}\n"
    "model: {backbone: resnet20, se: {reduction: 16}}\n"
    "train: {epochs: 2, batch_size: 8}\n";

START_TEST(figure_of_a_small_network_is_right)
{
    figure_is_right(small_text, 1 << _i);
}
END_TEST

START_TEST(figure_is_right_to_five_percent)
{
    static const int threads[] = { 1, 2, 8, 32 };
    figure_is_right(text, threads[_i]);
}
END_TEST

/* 98 MB of images, of which six points choose. */
START_TEST(points_share_what_they_choose_from)
{
    static const char yaml[] =
        "experiment: memory\n"
        "dataset: {name: synthetic, classes: 10, train: 30000, test: 2000}\n"
        "model: {backbone: resnet8, width: 0.25}\n"
        "train: {epochs: 1, batch_size: 16}\n"
        "sweep: {dataset.train_limit: [16, 32, 48], dataset.test_limit: [8, 16]}\n"
        "seeds: [1]\n";
    struct design d = { 0 };
    design_make_of(&d, yaml);
    for (int i = 0; i < d.n_points; i++) ck_assert_uint_eq(d.points[i].images, 3072 * 32000);
    design_clear(&d);
    figure_is_right(yaml, 2);
}
END_TEST

static void cifar_write(const char *path, int records)
{
    unsigned char record[1 + 3072] = { 0 };
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < records; i++) {
        record[0] = (unsigned char)(i % 10);
        memset(record + 1, i & 255, sizeof record - 1);
        ck_assert_uint_eq(fwrite(record, sizeof record, 1, f), 1);
    }
    ck_assert_int_eq(fclose(f), 0);
}

/* Files of 101 MB are unpacked without standing in memory beside their images. */
START_TEST(files_are_not_kept_beside_their_images)
{
    char dir[] = "/tmp/footprint-XXXXXX", path[64], yaml[400], command[64];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (int i = 1; i <= 5; i++) {
        snprintf(path, sizeof path, "%s/data_batch_%d.bin", dir, i);
        cifar_write(path, 6000);
    }
    snprintf(path, sizeof path, "%s/test_batch.bin", dir);
    cifar_write(path, 3000);
    snprintf(yaml, sizeof yaml,
             "experiment: memory\n"
             "dataset: {name: cifar, path: %s, train_limit: 64, test_limit: 16}\n"
             "model: {backbone: resnet8, width: 0.25}\n"
             "train: {epochs: 1, batch_size: 16}\n"
             "seeds: [1]\n",
             dir);
    figure_is_right(yaml, 2);
    snprintf(command, sizeof command, "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* Two data sets, of which the larger one is closed before the larger network trains. */
static const char two_sets[] =
    "experiment: memory\n"
    "dataset: {name: synthetic, classes: 10, test: 16, train_limit: 256}\n"
    "model: {backbone: resnet20}\n"
    "train: {epochs: 1}\n"
    "variants:\n"
    "  data: {dataset.train: 35000, train.batch_size: 8}\n"
    "  batch: {dataset.train: 256, train.batch_size: 128}\n"
    "baseline: none\n";

START_TEST(a_data_set_is_closed_after_its_last_run)
{
    char yaml[600];
    struct design d = { 0 };
    snprintf(yaml, sizeof yaml, "%sseeds: [1]\n", two_sets);
    figure_is_right(yaml, 2);
    design_make_of(&d, yaml);
    const uint64_t large = 3072 * (35000 + 16), small = 3072 * (256 + 16);
    ck_assert_uint_eq(d.points[0].images, large + small); /* ids need both */
    ck_assert_uint_eq(d.points[1].images, small);
    ck_assert_int_ne(d.points[0].data_set, d.points[1].data_set);
    design_clear(&d);
    snprintf(yaml, sizeof yaml, "%sseeds: [1, 2]\n", two_sets); /* each is wanted again */
    design_make_of(&d, yaml);
    ck_assert_uint_eq(d.points[1].images, large + small);
    ck_assert_uint_eq(d.points[1].images_read, large + small);
    design_clear(&d);
}
END_TEST

START_TEST(other_batches_are_counted_alike)
{
    struct design d = { 0 };
    struct footprint own, at[3];
    design_make(&d);
    own = footprint_of(&d.points[0]);
    for (int i = 0; i < 3; i++) ck_assert(footprint_at(&d.points[0], 64 << i, &at[i]));
    ck_assert_mem_eq(&at[1], &own, sizeof own);
    ck_assert(at[0].step < own.step && own.step < at[2].step);
    ck_assert(2 * at[0].batches == own.batches);
    design_clear(&d);
}
END_TEST

/* What of a run comes after its data set has been opened. */
static uint64_t bytes_at(const struct design_point *p, int batch)
{
    struct footprint f;
    ck_assert(footprint_at(p, batch, &f));
    return footprint_total(&f) - f.images;
}

/* Ten bytes an image; up to *of images there is no such network. */
static uint64_t ten_an_image(const void *of, int batch)
{
    return batch <= *(const int *)of ? 0 : 10 * (uint64_t)batch;
}

START_TEST(largest_batch_is_found)
{
    const int none = 0, some = 3;
    struct batch_need need = { ten_an_image, &none };
    for (int below = 1; below < 40; below++)
        for (uint64_t room = 0; room < 450; room += 5) {
            const int all = (int)(room / 10);
            ck_assert_int_eq(batch_largest(below, &need, room), all < below ? all : below - 1);
        }
    need.ctx = &some;
    ck_assert_int_eq(batch_largest(100, &need, 30), 0); /* what cannot be built does not fit */
    ck_assert_int_eq(batch_largest(4, &need, 1000), 0);
}
END_TEST

START_TEST(refusal_names_the_largest_batch)
{
    struct design d = { 0 };
    struct err e = { .text = "" };
    design_make(&d);
    const struct design_point *p = &d.points[0];
    struct headroom h = { { UINT64_MAX, "the machine" }, { UINT64_MAX, "ulimit -v" } };
    ck_assert(footprint_fits(p, 1000, &h, &e));
    h.own.bytes = bytes_at(p, 128);
    ck_assert(footprint_fits(p, 1000, &h, &e));
    h.own.bytes = bytes_at(p, 77);
    ck_assert(!footprint_fits(p, 1, &h, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "train.batch_size from 128 to 77,"));
    ck_assert_ptr_nonnull(strstr(e.text, "ulimit -v"));
    h.own.bytes--;
    ck_assert(!footprint_fits(p, 1, &h, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "from 128 to 76,"));
    h.own.bytes = 1000;
    ck_assert(!footprint_fits(p, 1, &h, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "not even train.batch_size=1"));
    design_clear(&d);
}
END_TEST

START_TEST(jobs_share_what_there_is)
{
    struct design d = { 0 };
    struct err e = { .text = "" };
    design_make(&d);
    const struct design_point *p = &d.points[0];
    struct headroom h = { { 3 * bytes_at(p, 128) - 1, "the machine" }, { UINT64_MAX, "" } };
    ck_assert(footprint_fits(p, 2, &h, &e));
    ck_assert(!footprint_fits(p, 3, &h, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "the machine"));
    ck_assert_ptr_nonnull(strstr(e.text, "--jobs 2 fits"));
    ck_assert_ptr_nonnull(strstr(e.text, "from 128 to 127,"));
    design_clear(&d);
}
END_TEST

/* A tree of files under a folder of its own, as proc and sys show them. */
static char root[] = "/tmp/headroom-XXXXXX";

static void tree_file(const char *path, const char *content)
{
    struct err e;
    char whole[256], *slash;
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    slash = strrchr(whole, '/');
    *slash = 0;
    ck_assert(dir_make(whole, &e));
    *slash = '/';
    ck_assert(file_write(whole, content, strlen(content), &e));
}

static struct limit tree_limit(void)
{
    struct headroom h;
    headroom_read(&h, root);
    return h.all;
}

static void tree_begin(void) { ck_assert_ptr_nonnull(mkdtemp(root)); }
static void tree_end(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
    memcpy(strrchr(root, '-'), "-XXXXXX", sizeof "-XXXXXX");
}

START_TEST(least_limit_holds)
{
    tree_begin();
    ck_assert(tree_limit().bytes == UINT64_MAX);
    tree_file("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:   5000 kB\n");
    ck_assert(tree_limit().bytes == 5000 * 1024);
    tree_file("proc/self/cgroup", "0::/a/b\n");
    tree_file("sys/fs/cgroup/a/b/memory.max", "max\n");
    tree_file("sys/fs/cgroup/a/b/memory.current", "70000\n");
    ck_assert(tree_limit().bytes == 5000 * 1024);
    tree_file("sys/fs/cgroup/a/memory.max", "1000000\n");
    tree_file("sys/fs/cgroup/a/memory.current", "400000\n");
    ck_assert(tree_limit().bytes == 600000);
    tree_file("sys/fs/cgroup/a/memory.stat", "anon 1\nactive_file 20000\ninactive_file 30000\n");
    ck_assert(tree_limit().bytes == 650000);
    ck_assert_str_eq(tree_limit().by, "memory.max");
    tree_file("sys/fs/cgroup/a/b/memory.max", "60000\n"); /* below what is used */
    ck_assert(tree_limit().bytes == 0);
    tree_end();
}
END_TEST

START_TEST(old_groups_and_containers_are_read)
{
    tree_begin();
    tree_file("proc/self/cgroup", "9:cpu,memory:/host/path\n0::/\n");
    tree_file("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000000\n");
    tree_file("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000000\n");
    tree_file("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 500000\n");
    ck_assert(tree_limit().bytes == 4500000);
    ck_assert_str_eq(tree_limit().by, "memory.limit_in_bytes");
    tree_end();
}
END_TEST

START_TEST(own_limits_count)
{
    if (SANITIZED) return; /* their memory alone is above the limit */
    struct headroom free_of, bound;
    headroom_read(&free_of, "");
    struct rlimit r, before;
    ck_assert_int_eq(getrlimit(RLIMIT_DATA, &before), 0);
    r = before;
    r.rlim_cur = (rlim_t)1 << 40;
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &r), 0);
    headroom_read(&bound, "");
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &before), 0);
    ck_assert(bound.own.bytes < (uint64_t)1 << 40 && bound.own.bytes > (uint64_t)1 << 39);
    ck_assert_str_eq(bound.own.by, "ulimit -d");
    ck_assert(headroom_one(&bound) <= headroom_one(&free_of));
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("footprint");
    TCase *c = tcase_create("threads");
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, figure_is_right_to_five_percent, 0, 4);
    tcase_add_loop_test(c, figure_of_a_small_network_is_right, 0, 4);
    suite_add_tcase(s, c);
    unit_case(s, "footprint", 120,
              UNIT_TESTS(points_share_what_they_choose_from, files_are_not_kept_beside_their_images,
                         a_data_set_is_closed_after_its_last_run, other_batches_are_counted_alike,
                         largest_batch_is_found, refusal_names_the_largest_batch,
                         jobs_share_what_there_is));
    unit_case(s, "headroom", 20,
              UNIT_TESTS(least_limit_holds, old_groups_and_containers_are_read, own_limits_count));
    return s;
}
