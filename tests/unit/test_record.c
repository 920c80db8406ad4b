/* Records written, read back, and refused where anybody has had their hands on them. */
#include "core/base/digest.h"
#include "core/base/numerics.h"
#include "core/base/rng.h"
#include "experiments/results/record.h"
#include "tests/unit/results_fixture.h"
#include <math.h>

static const char id[] = "00000000000000ab";

/* A point of a design made by hand: plain resnet20 on synthetic data, all settings default. */
static struct design_point point_make(struct pool *p, struct diags *d)
{
    static const struct value name = { .kind = VALUE_SCALAR, .text = "synthetic", .file = "test" };
    static const struct value ratio = { .kind = VALUE_SCALAR, .text = "8", .file = "test" };
    static const struct value net = { .kind = VALUE_SCALAR, .text = "resnet20", .file = "test" };
    static struct setting all[] = { { "dataset.name", &name },
                                    { "model.backbone", &net },
                                    { "model.se.reduction", &ratio } };
    struct design_point point = { .label = "a \"point\"", .axes = all, .n_axes = 3, .same_as = -1 };
    ck_assert(spec_resolve(&point.spec, all, 3, p, d));
    point.counts.trainable = 276863;
    point.counts.conv_fc = UINT64_C(40813184);
    point.counts.hidden[2] = 2;
    point.structure = UINT64_C(0x0123456789abcdef);
    point.unfused = 19;
    return point;
}

static struct record_facts facts_make(const struct design_point *point)
{
    static uint16_t label[] = { 0, 3, 65535 }, predicted[] = { 0, 2, 65535 };
    static uint32_t index[] = { 4, 5, 9 };
    static const struct data_format format = { .name = "synthetic" };
    static struct dataset data = { .format = &format,
                                   .size = 32,
                                   .channels = 3,
                                   .classes = 10,
                                   .count = { 50, 10 },
                                   .digest = UINT64_MAX };
    static struct data_split split = { .train = { .count = 50 },
                                       .test = { .part = DATA_TEST, .index = index, .count = 3 },
                                       .mean = { 0.5F, 0.25F, 0.125F },
                                       .sd = { 1, 1, 1 } };
    static struct epoch_record history[] = {
        { 1, 0.1, 2.5, 90, NAN, NAN, 1.5, 100, 17 },
        { 2, 0.05, INFINITY, 80, 2.25, 75, 1.25, 300, UINT64_MAX - 1 },
    };
    static struct train_result result = { .history = history,
                                          .epochs = 2,
                                          .diverged_step = 77,
                                          .test = { 1.5, 100.0 / 3, 0, 3, label, predicted } };
    return (struct record_facts){ .id = id,
                                  .status = RECORD_COMPLETED,
                                  .point = point,
                                  .seed = 3,
                                  .data = &data,
                                  .split = &split,
                                  .result = &result,
                                  .seconds = 2.75,
                                  .threads = 2,
                                  .jobs = 3 };
}

/* Writes with the facts, reads back, and leaves the folder. */
static void written(struct fixture *f, const struct record_facts *facts, struct record *r)
{
    struct err e;
    ck_assert_msg(record_write(f->dir, facts, &e), "%s", e.text);
    ck_assert_msg(record_read(f->dir, id, r, &e) == 1, "%s", e.text);
}

static const cJSON *at(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    ck_assert_msg(v, "no member %s", key);
    return v;
}

static void check_json(const struct record *r)
{
    const cJSON *h = cJSON_GetArrayItem(at(r->json, "history"), 1);
    ck_assert(cJSON_IsNull(at(h, "train_loss")));
    ck_assert(at(h, "validation_loss")->valuedouble == 2.25);
    ck_assert_str_eq(at(h, "weights_digest")->valuestring, "fffffffffffffffe");
    ck_assert_str_eq(at(r->json, "weights_digest")->valuestring, "fffffffffffffffe");
    ck_assert_str_eq(at(r->json, "label")->valuestring, "a \"point\"");
    ck_assert(at(at(r->json, "axes"), "model.se.reduction")->valuedouble == 8);
    ck_assert_str_eq(at(at(r->json, "axes"), "dataset.name")->valuestring, "synthetic");
    ck_assert(at(at(at(at(r->json, "settings"), "model"), "se"), "reduction")->valuedouble == 8);
    ck_assert(at(at(at(r->json, "backbone"), "hidden"), "2")->valuedouble == 2);
    ck_assert_str_eq(at(at(r->json, "backbone"), "structure")->valuestring, "0123456789abcdef");
    ck_assert(at(cJSON_GetArrayItem(at(r->json, "history"), 0), "lr")->valuedouble == 0.1);
    ck_assert(at(at(r->json, "machine"), "jobs")->valuedouble == 3);
    ck_assert(at(at(r->json, "backbone"), "unfused")->valuedouble == 19);
    ck_assert_str_eq(at(at(r->json, "test"), "predictions")->valuestring,
                     "00000000000000ab/predictions.csv");
}

static void predictions_remove(const struct fixture *f, const char *want)
{
    char path[256];
    struct bytes b;
    struct err e;
    snprintf(path, sizeof path, "%s/runs/%s/predictions.csv", f->dir, id);
    ck_assert_msg(file_read(path, &b, &e), "%s", e.text);
    ck_assert_str_eq((const char *)b.data, want);
    free(b.data);
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
}

START_TEST(test_round_trip)
{
    struct fixture f;
    struct pool p = { 0 };
    struct diags d = { 0 };
    struct record r;
    fixture_make(&f);
    struct design_point point = point_make(&p, &d);
    struct record_facts facts = facts_make(&point);
    written(&f, &facts, &r);
    ck_assert(r.status == RECORD_COMPLETED && r.seed == 3 && r.epochs == 2 && r.classes == 10);
    ck_assert(r.top1 == 100.0 / 3 && r.top5 == 0 && r.loss == 1.5 && r.test_count == 3);
    ck_assert(r.seconds == 2.75 && r.images_per_second == 200 && !r.why);
    ck_assert_int_eq(r.numerics, NUMERICS_VERSION);
    check_json(&r);
    record_clear(&r);
    predictions_remove(&f, "index,label,predicted\n4,0,0\n5,3,2\n9,65535,65535\n");
    fixture_remove(&f);
    pool_clear(&p);
    diags_clear(&d);
}
END_TEST

START_TEST(test_other_ends)
{
    struct fixture f;
    struct pool p = { 0 };
    struct diags d = { 0 };
    struct record r;
    fixture_make(&f);
    struct design_point point = point_make(&p, &d);
    struct record_facts facts = facts_make(&point);
    facts.status = RECORD_DIVERGED;
    facts.seed = UINT32_MAX;
    written(&f, &facts, &r);
    ck_assert(r.status == RECORD_DIVERGED && r.diverged_step == 77 && isnan(r.top1));
    ck_assert(r.seed == UINT32_MAX);
    record_clear(&r);
    facts.status = RECORD_FAILED;
    facts.why = "data/7.jpg: \"cut\" short";
    facts.data = NULL;
    facts.split = NULL;
    facts.result = NULL;
    facts.seconds = NAN;
    written(&f, &facts, &r);
    ck_assert(r.status == RECORD_FAILED && r.epochs == 0 && isnan(r.seconds));
    ck_assert_str_eq(r.why, facts.why);
    record_clear(&r);
    fixture_remove(&f);
    pool_clear(&p);
    diags_clear(&d);
}
END_TEST

/* Reads `text` as the record; true where it is taken for one. A refusal names the file. */
static bool accepted(const struct fixture *f, const char *text, size_t len)
{
    struct record r;
    struct err e;
    char path[256];
    snprintf(path, sizeof path, "%s/runs/%s.json", f->dir, id);
    fixture_put(path, text, len);
    int found = record_read(f->dir, id, &r, &e);
    if (found == 1) record_clear(&r);
    if (found < 0) ck_assert_msg(strstr(e.text, path) == e.text, "no place: %s", e.text);
    ck_assert_int_ne(found, 0);
    return found == 1;
}

static char *record_text(const struct fixture *f)
{
    struct err e;
    struct bytes b;
    char path[256];
    fixture_run(f, (struct fixture_run){ 0xab, "completed", 8.5, .seed = 3 });
    snprintf(path, sizeof path, "%s/runs/%s.json", f->dir, id);
    ck_assert(file_read(path, &b, &e));
    return (char *)b.data;
}

START_TEST(test_cut_short)
{
    struct fixture f;
    fixture_make(&f);
    char *text = record_text(&f);
    size_t len = strlen(text);
    ck_assert(accepted(&f, text, len));
    for (size_t n = 0; n + 1 < len; n++) ck_assert(!accepted(&f, text, n));
    ck_assert(!accepted(&f, text, len + 1)); /* a NUL at the end */
    free(text);
    fixture_remove(&f);
}
END_TEST

/* Random bytes, doubled and dropped pieces: whatever comes of it, no crash and a named refusal. */
START_TEST(test_edited)
{
    struct fixture f;
    fixture_make(&f);
    char *text = record_text(&f);
    uint32_t len = (uint32_t)strlen(text);
    struct rng g = rng_stream(1, RNG_TEST, 0, 0);
    int refused = 0;
    for (int k = 0; k < 3000; k++) {
        char *edit = memcpy(mem_new(2 * len, 1), text, len);
        uint32_t n = len, a = rng_below(&g, len), b = rng_below(&g, len);
        if (k % 3 == 0) {
            for (int i = 0; i < 3; i++) edit[rng_below(&g, len)] = (char)rng_below(&g, 256);
        } else if (k % 3 == 1) { /* the piece from a on, again at b */
            n = b + len - a;
            memcpy(edit + b, text + a, len - a);
        } else {
            edit[a] = "0123456789-eE{}[],:\"\\nult"[rng_below(&g, 25)];
        }
        refused += !accepted(&f, edit, n);
        free(edit);
    }
    ck_assert_int_gt(refused, 1000);
    free(text);
    fixture_remove(&f);
}
END_TEST

/* One wrong member at a time. */
START_TEST(test_members)
{
    static const char *const edits[][2] = {
        { "\"version\":1", "\"version\":2" },
        { "\"version\":1", "\"version\":-1" },
        { "\"id\":\"00000000000000ab\"", "\"id\":\"00000000000000ac\"" },
        { "\"completed\"", "\"complete\"" },
        { "\"completed\"", "\"diverged\"" },
        { "\"why\":null", "\"why\":3" },
        { "\"seed\":3", "\"seed\":-3" },
        { "\"seed\":3", "\"seed\":3.5" },
        { "\"seed\":3", "\"seed\":1e300" },
        { "\"seed\":3", "\"seed\":\"3\"" },
        { "\"classes\":10", "\"classes\":1e9" },
        { "{\"classes\":10}", "null" },
        { "\"top1\":8.50", "\"top1\":108" },
        { "\"top1\":8.50", "\"top1\":null" },
        { "\"top5\":0.85", "\"top5\":101" },
        { "\"count\":10000", "\"count\":0" },
        { "\"count\":10000", "\"count\":5e9" },
        { "\"images_per_second\":500", "\"images_per_second\":\"fast\"" },
        { "\"seconds\":203.25", "\"seconds\":-1" },
        { "\"numerics\":2", "\"numerics\":0" },
        { "\"numerics\":2", "\"numerics\":\"2\"" },
        { "\"isa\":\"avx2\"", "\"isa\":null" },
        { "\"cpu\":\"CPU\"", "\"cpu\":7" },
        { "\"threads\":2", "\"threads\":0" },
    };
    struct fixture f;
    fixture_make(&f);
    char *text = record_text(&f);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        const char *where = strstr(text, edits[i][0]);
        ck_assert_msg(where, "%s", edits[i][0]);
        struct text t = { 0 };
        text_addn(&t, text, (size_t)(where - text));
        text_add(&t, edits[i][1]);
        text_add(&t, where + strlen(edits[i][0]));
        ck_assert_msg(!accepted(&f, t.s, t.len), "taken for a record: %s", edits[i][1]);
        text_clear(&t);
    }
    free(text);
    fixture_remove(&f);
}
END_TEST

/* A record that was written has a seal: no byte of it can change, and the seal cannot go. */
START_TEST(test_sealed)
{
    struct fixture f;
    struct pool p = { 0 };
    struct diags d = { 0 };
    struct record r;
    struct bytes b;
    struct err e;
    char path[256];
    enum { SEAL = sizeof ",\n\t\"digest\":\t\"0123456789abcdef\"\n}\n" - 1 };
    fixture_make(&f);
    struct design_point point = point_make(&p, &d);
    struct record_facts facts = facts_make(&point);
    facts.status = RECORD_DIVERGED;
    written(&f, &facts, &r);
    record_clear(&r);
    snprintf(path, sizeof path, "%s/runs/%s.json", f.dir, id);
    ck_assert(file_read(path, &b, &e));
    for (size_t i = 0; i < b.len; i++) {
        unsigned char was = b.data[i];
        b.data[i] = was == '7' ? '8' : '7';
        ck_assert_msg(!accepted(&f, (const char *)b.data, b.len), "byte %zu", i);
        b.data[i] = was;
    }
    for (size_t n = 0; n < b.len; n++) ck_assert(!accepted(&f, (const char *)b.data, n));
    ck_assert(accepted(&f, (const char *)b.data, b.len));
    memcpy(b.data + b.len - SEAL, "\n}\n", 3);
    ck_assert(!accepted(&f, (const char *)b.data, b.len - SEAL + 3));
    free(b.data);
    fixture_remove(&f);
    pool_clear(&p);
    diags_clear(&d);
}
END_TEST

START_TEST(test_absent)
{
    struct fixture f;
    struct record r;
    struct err e;
    fixture_make(&f);
    ck_assert_int_eq(record_read(f.dir, id, &r, &e), 0);
    ck_assert(record_id_valid(id));
    ck_assert(!record_id_valid("../../../etc/pas") && !record_id_valid("00000000000000AB"));
    ck_assert(!record_id_valid("") && !record_id_valid("00000000000000ab0"));
    fixture_remove(&f);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("record");
    unit_case(s, "write", 10, UNIT_TESTS(test_round_trip, test_other_ends));
    unit_case(s, "read", 60,
              UNIT_TESTS(test_cut_short, test_edited, test_members, test_sealed, test_absent));
    return s;
}
